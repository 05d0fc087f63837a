"""Files of rows that are made from the answers of another job.

They are in `results/<job>/.rows/`, private, and named by everything that their rows follow from: so a file is made
once, and a changed answer or template gives another file. Commands that only read make temporary files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import copyfileobj, rmtree
from tempfile import mkdtemp
from weakref import finalize

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.disk.safe_open import open_stream, read_start
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.canonical import RowsHasher, sha256_json
from batchctl.model.chain import ChainCount, LeftOut, Obstacle
from batchctl.model.desired import Json
from batchctl.model.errors import ResultsError
from batchctl.model.keys import same_digest
from batchctl.model.ports import MadeRows, RowsOrder
from batchctl.rows.chain_rows import RowFactory
from batchctl.rows.folder import MOST_BYTES, job_folder
from batchctl.rows.kept import FAULTS, check_size, fault_words, kept_of, read_manifest
from batchctl.rows.read import find_current, read_results

FOLDER = ".rows"
_VERSION = 1
"""Of the way in which rows are made: a change makes all files again."""
_KEPT = 7 * 24 * 60 * 60
"""Seconds for which a file is kept until a newer one replaces it: an attempt that it was sent for may be at work."""


class ChainFiles:
    """Makes the files, and finds those that were made before."""

    def __init__(self, activity: Activity = UNWATCHED, *, is_kept: bool = True) -> None:
        self._activity = activity
        self.is_kept = is_kept
        """False: new files are in a temporary folder, because commands that only read write no results."""
        self._temporary: Path | None = None

    def make(self, results: Path, order: RowsOrder, *, afresh: bool = False) -> MadeRows | Obstacle | None:
        """See `RowReader`."""
        try:
            found = _answers(results, order)
            if found is None:
                return None
            name = f"{_name(order, found)}.jsonl"
            file = job_folder(results, order.job) / FOLDER / name
            made = None if afresh else _read(file) or self._read_temporary(name)
            if made is None:
                return self._make(file if self.is_kept else self._temporary_folder() / name, order, found)
            return _copied(made, file) if self.is_kept and made.path != file else made
        except ResultsError as error:
            return Obstacle(error.message, is_lasting=False)
        except OSError as error:
            return Obstacle(f"the rows cannot be written: {fault_words(error)}", is_lasting=False)

    def _temporary_folder(self) -> Path:
        """A folder that is removed with this object, at the latest when the process ends."""
        if self._temporary is None:
            folder = mkdtemp(prefix="batchctl-rows-")
            finalize(self, rmtree, folder, ignore_errors=True)
            self._temporary = Path(folder).resolve()
        return self._temporary

    def _read_temporary(self, name: str) -> MadeRows | None:
        return None if self._temporary is None else _read(self._temporary / name)

    def _make(self, file: Path, order: RowsOrder, answers: _Answers) -> MadeRows | Obstacle:
        factory = RowFactory(order, is_input_known=answers.missing is not None)
        source, rows, missing = hashlib.sha256(), RowsHasher(), answers.missing or 0
        make_folder(file.parent)
        with self._activity.running(f"{order.job}: making rows from {order.upstream}", answers.size) as flow:

            def seen(line: bytes) -> None:
                source.update(line)
                flow.add(len(line))

            try:
                with replace_file(file) as stream:
                    for result in read_results(answers.folder, seen):
                        made = factory.make(result)
                        if made is not None:
                            rows.add(made.row)
                            stream.write(made.line)
                    _require(factory.count(missing), order, is_whole=source.hexdigest() == answers.sha256)
            except _NotMade as reason:
                return reason.obstacle
        return _finished(MadeRows(file, rows.hexdigest(), factory.count(missing)))


def find_made(results: Path, job: str, sha256: str) -> Path | None:
    """The file of a job that has rows with this hash; None if there is none."""
    try:
        folder = job_folder(results, job) / FOLDER
        facts = sorted(folder.glob("*.json"))
    except (ResultsError, OSError):
        return None
    files = (one.with_suffix(".jsonl") for one in facts)
    return next((file for file in files if (made := _read(file)) is not None and made.sha256 == sha256), None)


@dataclass(frozen=True)
class _Answers:
    """The results that rows are made from."""

    folder: Path
    sha256: str
    size: int
    missing: int | None
    """Input rows without a result; None if the input is not known."""


class _NotMade(Exception):
    """The rows are not to be used."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.words)
        self.obstacle = obstacle


def _answers(results: Path, order: RowsOrder) -> _Answers | None:
    """The results of the other job's present work. Raises ResultsError if they are damaged."""
    folder = find_current(results, order.upstream)
    if folder is None:
        return None
    try:
        manifest = read_manifest(folder)
        check_size(folder, manifest)
        attempt = kept_of(folder, manifest).attempt
        answers = _Answers(
            folder, str(manifest["sha256"]), int(manifest.get("bytes", 0)), _missing(manifest["rows"]["missing"])
        )
    except FAULTS as error:
        raise ResultsError(f"the results of {order.upstream} are incomplete: {fault_words(error)}") from error
    is_of_work = order.digest is None or same_digest(order.digest, attempt.digest)
    return answers if is_of_work else None


def _missing(value: Json) -> int | None:
    return None if value is None else int(value)


def _name(order: RowsOrder, answers: _Answers) -> str:
    """The name of the file: everything that its rows follow from."""
    rules = order.rules
    parts = [
        _VERSION,
        answers.sha256,
        answers.missing,
        sorted(order.accepted),
        order.template.sha256,
        order.kind.value,
        None if rules.api is None else rules.api.value,
        rules.defaults,
        rules.is_google_model,
        order.line_bytes,
    ]
    return sha256_json(parts)[:32]


def _require(count: ChainCount, order: RowsOrder, *, is_whole: bool) -> None:
    if not is_whole:
        raise _NotMade(Obstacle(f"the results of {order.upstream} are not those that were collected", is_lasting=False))
    if not count.rows:
        raise _NotMade(Obstacle(f"no answer of {order.upstream} can be used", count=count))


def _facts_file(file: Path) -> Path:
    return file.with_suffix(".json")


def _copied(made: MadeRows, file: Path) -> MadeRows:
    """The same rows in the results folder."""
    make_folder(file.parent)
    with open_stream(made.path) as source, replace_file(file) as stream:
        copyfileobj(source, stream)
    return _finished(replace(made, path=file))


def _finished(made: MadeRows) -> MadeRows:
    """The rows, with the facts beside them that make the file valid."""
    _write_facts(made)
    _remove_old(made.path)
    return made


def _write_facts(made: MadeRows) -> None:
    facts = {"sha256": made.sha256, "bytes": made.path.stat().st_size, **asdict(made.count)}
    with replace_file(_facts_file(made.path)) as stream:
        stream.write(json.dumps(facts).encode("ascii"))


def _read(file: Path) -> MadeRows | None:
    """The file that was made before; None if it is not there, or not complete."""
    try:
        facts: Mapping[str, Json] = json.loads(read_start(_facts_file(file), MOST_BYTES))
        with open_stream(file) as stream:
            size = os.fstat(stream.fileno()).st_size
        examples = tuple(LeftOut(str(one["key"]), str(one["reason"])) for one in facts["examples"])
        count = ChainCount(int(facts["rows"]), int(facts["left_out"]), int(facts["missing"]), examples)
        return MadeRows(file, str(facts["sha256"]), count) if size == facts["bytes"] else None
    except FAULTS:
        return None


def _remove_old(file: Path) -> None:
    """Remove files of earlier answers that no process uses any more."""
    newest = file.stat().st_mtime
    for other in file.parent.iterdir():
        if newest - other.lstat().st_mtime > _KEPT:
            other.unlink()
