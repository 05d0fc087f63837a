"""Makes the rows of chains from collected results, as files; finds those that were made before.

Commands that only read make temporary files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from weakref import finalize

from msgspec import Struct

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.canonical import RowsHasher
from batchctl.model.chain import ChainCount, Obstacle
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.keys import same_digest
from batchctl.model.ports.row_reader import MadeRows, RowsOrder
from batchctl.rows.chain_rows import RowFactory
from batchctl.rows.kept import FAULTS, check_size, fault_words, kept_of, read_manifest
from batchctl.rows.made_rows import copy_to, file_name, find_ordered, finish, mark_newest, read_made, rows_folder
from batchctl.rows.place import ResultsPlace
from batchctl.rows.read import find_current, read_results


class ChainFiles:
    """Makes the files, and finds those that were made before."""

    def __init__(self, activity: Activity = UNWATCHED, *, is_kept: bool = True) -> None:
        self._activity = activity
        self.is_kept = is_kept
        """False: new files are in a temporary folder, because commands that only read write no results."""
        self._temporary: Path | None = None

    def make(self, place: ResultsPlace, order: RowsOrder, *, afresh: bool = False) -> MadeRows | Obstacle | None:
        """See `RowReader`."""
        try:
            place.bring_rows(order.job)
            answers = _find_answers(place, order)
            if answers is None:
                return None
            return self._find_or_make(place, order, answers, afresh=afresh)
        except _NotThere as reason:
            # The rows stay the same until there are other answers.
            return find_ordered(place.root, order) or reason.obstacle
        except _NotMade as reason:
            return reason.obstacle
        except ResultsError as error:
            return Obstacle(error.message, is_lasting=False)
        except OSError as error:
            return Obstacle(f"the rows cannot be written: {fault_words(error)}", is_lasting=False)

    def _find_or_make(self, place: ResultsPlace, order: RowsOrder, answers: _Answers, *, afresh: bool) -> MadeRows:
        made = self._made(place, order, answers, afresh=afresh)
        if self.is_kept:
            place.keep_rows(order.job)
        return made

    def _made(self, place: ResultsPlace, order: RowsOrder, answers: _Answers, *, afresh: bool) -> MadeRows:
        name = file_name(order, [answers.sha256, answers.missing])
        file = rows_folder(place.root, order.job) / name
        made = None if afresh else read_made(file) or self._read_temporary(name)
        if made is None:
            place.bring_folder(answers.folder)
            return self._make(file if self.is_kept else self._temporary_folder() / name, order, answers)
        if not self.is_kept:
            return made
        if made.path != file:
            return copy_to(made, file)
        mark_newest(made, order)
        return made

    def _temporary_folder(self) -> Path:
        """A folder that is removed with this object, at the latest when the process ends."""
        if self._temporary is None:
            from shutil import rmtree
            from tempfile import mkdtemp

            folder = mkdtemp(prefix="batchctl-rows-")
            finalize(self, rmtree, folder, ignore_errors=True)
            self._temporary = Path(folder).resolve()
        return self._temporary

    def _read_temporary(self, name: str) -> MadeRows | None:
        return None if self._temporary is None else read_made(self._temporary / name)

    def _make(self, file: Path, order: RowsOrder, answers: _Answers) -> MadeRows:
        factory = RowFactory(order, is_input_known=answers.missing is not None)
        source, rows, missing = hashlib.sha256(), RowsHasher(), answers.missing or 0
        make_folder(file.parent)
        with (
            self._activity.running(f"{order.job}: making rows from {order.upstream}", answers.size) as flow,
            replace_file(file) as stream,
        ):

            def seen(line: bytes) -> None:
                source.update(line)
                flow.add(len(line))

            try:
                for result in read_results(answers.folder, seen):
                    made = factory.make(result)
                    if made is not None:
                        rows.add(made.row)
                        stream.write(made.line)
            except ResultsError as error:
                raise _NotThere(error.message) from error
            _require(factory.count(missing), order, is_whole=source.hexdigest() == answers.sha256)
        return finish(MadeRows(file, rows.hexdigest(), factory.count(missing)))


class _Answers(Struct, frozen=True):
    """The results that rows are made from."""

    folder: Path
    sha256: str
    size: int
    missing: int | None
    """Input rows without a result; None if the input is not known."""


class _NotThere(Exception):
    """The results that rows are made from are not there, or damaged."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words)
        self.obstacle = Obstacle(words, is_lasting=False) if words else None


class _NotMade(Exception):
    """The answers give no rows."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.words)
        self.obstacle = obstacle


def _find_answers(place: ResultsPlace, order: RowsOrder) -> _Answers | None:
    """The results of the other job's present work; None if there are those of other work. Raises _NotThere."""
    place.bring_facts(order.upstream)
    folder = find_current(place.root, order.upstream, place.files)
    if folder is None:
        raise _NotThere
    try:
        manifest = read_manifest(folder)
        check_size(folder, manifest, place.files)
        attempt = kept_of(folder, manifest).attempt
        answers = _Answers(
            folder, str(manifest["sha256"]), int(manifest.get("bytes", 0)), _missing(manifest["rows"]["missing"])
        )
    except FAULTS as error:
        raise _NotThere(f"the results of {order.upstream} are incomplete: {fault_words(error)}") from error
    is_of_work = order.digest is None or same_digest(order.digest, attempt.digest)
    return answers if is_of_work else None


def _missing(value: Json) -> int | None:
    return None if value is None else int(value)


def _require(count: ChainCount, order: RowsOrder, *, is_whole: bool) -> None:
    if not is_whole:
        raise _NotThere(f"the results of {order.upstream} are not those that were collected")
    if not count.rows:
        raise _NotMade(Obstacle(f"no answer of {order.upstream} can be used", count=count))
