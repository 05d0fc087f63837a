"""The content of the results folder: the fourth view beside desired, recorded and observed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.row_work import RowWork


class KeptResults(Struct, frozen=True):
    """One collected folder."""

    attempt: RecordedAttempt
    """The attempt when it was collected, under the name of its folder."""
    written_for: str
    """The job that it was collected for; another name if the job was renamed later."""
    stack: str
    uid: str
    """The short form."""


class Inventory(Struct, frozen=True):
    """All collected folders. Paths are relative to the results folder, as in `RecordedAttempt.results`."""

    kept: Mapping[str, KeptResults] = field(default_factory=dict)
    """The complete ones, by path. Only names, manifests and sizes are checked."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """The incomplete ones, with the reason."""
    rows: Mapping[str, RowWork] = field(default_factory=dict)
    """The rows of jobs compared with their ledgers, by job: of those whose next attempt depends on it."""
    problem: str | None = None
    """Why the folder could not be read; None if it was. A missing folder counts as empty."""

    def why_not_whole(self, attempt: RecordedAttempt) -> str | None:
        """Why an attempt's collected results are not usable; None if they are, or were never collected."""
        if attempt.results is None or self.problem is not None:
            return None
        found = self.kept.get(attempt.results)
        if found is None:
            return self.faults.get(attempt.results, "the folder is missing")
        return None if found.attempt.remote == attempt.remote else "the folder holds the results of another remote job"
