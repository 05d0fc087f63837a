"""The list of the rows of an input at Cloud Storage: fingerprint, key and members of each, without its request.

It is written when the rows are read, in the folder of sent rows. With it, plans count rows and results are merged
without another read of the input, and a changed input is recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.disk.safe_open import open_stream
from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.rows.folder import job_folder, results_errors
from batchctl.rows.sent_list import FOLDER, PRINT_BYTES
from batchctl.rows.whole_input import WholeInput

FORMAT = "batchctl/input-rows/v1"
_LONGEST_HEAD = 2**24
_CHUNK = 1 << 20
_FAULTS = (ValueError, KeyError, TypeError, RecursionError)


class InputList(Struct, frozen=True):
    """A complete list."""

    path: Path
    start: int
    """The number of bytes before the records."""
    count: int
    sha256: str
    """Of the records: another one belongs to other rows."""

    def rows(self) -> Iterator[InputRow]:
        """The rows without their requests, in input order. Raises ResultsError."""
        lines = self.start + self.count * PRINT_BYTES
        with results_errors(self.path), open_stream(self.path) as prints, open_stream(self.path) as others:
            prints.seek(self.start)
            others.seek(lines)
            for _ in range(self.count):
                key, members = json.loads(others.readline())
                yield InputRow(key, None, members, fingerprint=prints.read(PRINT_BYTES))


def write_input_list(root: Path, job: str, digest: str, whole: WholeInput, files: tuple[SourceFile, ...]) -> None:
    """Write the list of an input durably. `files` have its rows. Raises ResultsError."""
    head = {
        "format": FORMAT,
        "job": job,
        "digest": digest,
        "rows": len(whole),
        "files": [{"name": file.name, "size": file.size, "generation": file.generation} for file in files],
        "sha256": sum_of(whole),
    }
    folder = job_folder(root, job) / FOLDER
    with results_errors(folder):
        make_folder(folder)
        with replace_file(_path(root, job, digest)) as stream:
            stream.write(json.dumps(head, separators=(",", ":")).encode("ascii") + b"\n")
            for chunk in whole.packed():
                stream.write(chunk)


def read_input_list(root: Path, job: str, digest: str) -> InputList | None:
    """The list of an input; None if there is none for this digest, or it is damaged. Raises ResultsError."""
    path = _path(root, job, digest)
    with results_errors(path.parent):
        try:
            with open_stream(path) as stream:
                first = stream.readline(_LONGEST_HEAD)
                head, found = json.loads(first), hashlib.sha256()
                while chunk := stream.read(_CHUNK):
                    found.update(chunk)
            return _checked(head, InputList(path, len(first), head["rows"], found.hexdigest()), digest)
        except FileNotFoundError:
            return None
        except _FAULTS as error:
            raise_if_exhausted(error)
            return None


def listed_rows(root: Path, job: str, digest: str) -> Iterator[InputRow] | None:
    """The rows of a list, without their requests; None if there is none. Raises ResultsError."""
    found = read_input_list(root, job, digest)
    return None if found is None else found.rows()


def sum_of(whole: WholeInput) -> str:
    """The sum that a list of these rows has."""
    found = hashlib.sha256()
    for chunk in whole.packed():
        found.update(chunk)
    return found.hexdigest()


def _checked(head: Mapping[str, Json], found: InputList, digest: str) -> InputList | None:
    is_right = (head["format"], head["digest"], head["sha256"]) == (FORMAT, digest, found.sha256)
    return found if is_right and isinstance(found.count, int) else None


def _path(root: Path, job: str, digest: str) -> Path:
    """One list for each work. The start of its digest is in the name, as in those of the folders of attempts."""
    return job_folder(root, job) / FOLDER / f"{digest.partition(':')[2][:8]}.input"
