"""The index of a job's results in a bucket: the files of its folder, each with the object that has its bytes.

An object that is in no index does not count, so the write of an index is the moment in which new results exist. It
comes from a bucket that others may write to, so its names are checked before they become paths.
"""

from __future__ import annotations

import re
from typing import Self

import msgspec

from batchctl.rows.folder import MANIFEST_FILE, is_folder_name
from batchctl.rows.made_rows import MADE_ROWS
from batchctl.rows.sent_list import FOLDER as SENT

FORMAT = "batchctl/results-index/v1"
INDEX = "index.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")
_OBJECT = re.compile(r"[a-z0-9-]{1,63}(/[a-z0-9._-]{1,200}){2}")


class IndexedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file."""

    object: str
    """The name of the object below the address of the results."""
    generation: str
    bytes: int
    sha256: str
    """Of the bytes, in hex."""
    md5: str
    """Of the bytes, in base64, as Cloud Storage gives it."""
    modified: int | None = None
    """When the file was written, in nanoseconds since 1970, for files whose order counts."""
    text: str | None = None
    """The content of a manifest, so that a look at all results reads one object for each job."""


class JobIndex(msgspec.Struct, frozen=True, omit_defaults=True):
    """The files of a job's folder, by their path below it."""

    format: str
    job: str
    stack: str
    uid: str
    """The short form."""
    serial: int = 0
    """Grows with each version, so that no two are alike."""
    writer: str = ""
    """A random value of the process that wrote this version."""
    current: str | None = None
    """The name of the folder with the results that count."""
    files: dict[str, IndexedFile] = {}

    @classmethod
    def parse(cls, content: bytes, job: str) -> Self:
        """Raises ValueError with the reason."""
        try:
            found = msgspec.json.decode(content, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"it is not an index of results: {error}") from error
        if found.format != FORMAT or found.job != job:
            raise ValueError(f"it is not an index of the results of {job}")
        for path, file in found.files.items():
            folder, _, name = path.partition("/")
            is_ours = is_folder_name(folder) or folder in {SENT, MADE_ROWS}
            if not (is_ours and is_file_name(name) and is_object_name(file.object) and file.bytes >= 0):
                raise ValueError(f"it has a name that batchctl never writes: {ascii(path)[:80]}")
        if found.current is not None and not is_folder_name(found.current):
            raise ValueError(f"it has a name that batchctl never writes: {ascii(found.current)[:80]}")
        return found

    def encode(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    def folders(self) -> dict[str, dict[str, IndexedFile]]:
        """The files of each collected attempt, by the name of its folder and their own."""
        found: dict[str, dict[str, IndexedFile]] = {}
        for path, file in sorted(self.files.items()):
            folder, _, name = path.partition("/")
            if is_folder_name(folder):
                found.setdefault(folder, {})[name] = file
        return found


def is_manifest(path: str) -> bool:
    """Whether a path in an index is that of the manifest of an attempt."""
    folder, _, name = path.partition("/")
    return name == MANIFEST_FILE and is_folder_name(folder)


def is_file_name(name: str) -> bool:
    """Whether batchctl may have given a file this name."""
    return _NAME.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """Whether batchctl may have given an object this name: it has a job, a folder and a file."""
    return _OBJECT.fullmatch(name) is not None
