"""The rows of a job while an attempt chooses among them. Those at Cloud Storage are listed as they are read.

Rows in the manifest and in local files are part of the digest, so a new attempt for the same work has the same rows.
A source at Cloud Storage may be overwritten: its rows are compared with the list of the attempts before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeAlias

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.ports.inputs import InputEncoder, InputRow, SourceFile
from batchctl.rows.input_list import read_input_list, sum_of, write_input_list
from batchctl.rows.whole_input import WholeInput

Compared: TypeAlias = tuple[str, tuple[SourceFile, ...], ResultsError | None]
"""The digest of a work, the files that its rows were read from, and why they cannot be sent; None: they can."""


class SourceRows(ExitStack):
    """The rows of one job. `files` are those at Cloud Storage that have them; empty for other sources."""

    def __init__(self, root: Path, job: DesiredJob, inputs: InputEncoder, compared: dict[str, Compared]) -> None:
        """`compared`: the files that were read before, by job. Raises ApiError."""
        super().__init__()
        self._root = root
        self._job = job
        self._inputs = inputs
        self._compared = compared
        self.files: tuple[SourceFile, ...] = inputs.files(job)
        self._whole: WholeInput | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def rows(self, *, is_renewed: bool = False, ahead: bool = False) -> Iterable[InputRow]:
        """All rows; `ahead` as in `InputEncoder`. Raises ResultsError and ApiError.

        Files that cannot be sent are not read again, unless their rows may be others than those before (`is_renewed`).
        """
        known = self._known()
        error = None if known is None else known[2]
        if error is not None and not (is_renewed and error.code == ErrorCode.SOURCE_CHANGED):
            raise error
        try:
            rows = rows_of(self._job, self._inputs, ahead=ahead)
        except ResultsError as error:
            self._note(error if error.code == ErrorCode.INVALID_INPUT else None)
            raise
        if not self.files:
            return rows
        aside = tempfile.TemporaryFile(prefix="batchctl-")  # noqa: SIM115  closed with the rows
        self._whole = WholeInput(self.enter_context(aside))
        return self._whole.added(rows)

    def keep(self, *, is_renewed: bool) -> None:
        """Write the list of the rows that were read, durably. Unless `is_renewed`, they have to be those before."""
        if self._whole is not None:
            if not is_renewed:
                self._compare(self._whole)
            write_input_list(self._root, self._job.name, self._job.digest, self._whole, self.files)
            self._note(None)

    def check_same(self) -> None:
        """Raise ResultsError if the rows at Cloud Storage are not those that the attempt has chosen from."""
        known = self._known()
        if self.files and (known is None or known[2] is not None):
            for _ in self.rows():
                pass
            assert self._whole is not None
            self._compare(self._whole)
            self._note(None)

    def _known(self) -> Compared | None:
        """The outcome of an earlier read of the same files."""
        found = self._compared.get(self._job.name)
        return found if found is not None and found[:2] == (self._job.digest, self.files) else None

    def _note(self, error: ResultsError | None) -> None:
        if self.files:
            self._compared[self._job.name] = self._job.digest, self.files, error

    def _compare(self, whole: WholeInput) -> None:
        listed = read_input_list(self._root, self._job.name, self._job.digest)
        if listed is None or listed.sha256 == sum_of(whole):
            return
        before = {row.fingerprint for row in listed.rows()}
        changed = sum(row.fingerprint not in before for row in whole.rows())
        names = ", ".join(file.name for file in self.files[:3])
        words = "rows have other keys, or another order"
        if changed:
            words = f"{changed:,} of {len(whole):,} rows {'is' if changed == 1 else 'are'} new"
        elif len(whole) != listed.count:
            words = f"it has {len(whole):,} rows in place of {listed.count:,}"
        error = ResultsError(
            f"{self._job.name}: {names} was overwritten since its rows were sent: {words}. Nothing was bought",
            code=ErrorCode.SOURCE_CHANGED,
            hint="write new rows under another name and name it in src: rows with a good answer are not bought again;"
            f" or restore the object; or buy all rows again with `batchctl apply --rerun {self._job.name}`",
        )
        self._note(error)
        raise error


def rows_of(job: DesiredJob, inputs: InputEncoder, *, ahead: bool = False) -> Iterable[InputRow]:
    """The rows of a job. Raises ResultsError, also if batchctl does not have them, and ApiError."""
    rows = inputs.rows(job, ahead=ahead)
    if rows is None:
        raise ResultsError(
            f"batchctl does not have the rows of {job.name}",
            code=ErrorCode.INPUT_CHANGED,
            hint="give the manifest its rows, or a local file",
        )
    return rows
