"""What lies in the results folder, as one look found it: the fourth view beside desired, recorded and observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchctl.model.recorded import RecordedAttempt


@dataclass(frozen=True)
class KeptResults:
    """One collected folder."""

    attempt: RecordedAttempt
    """As it was when it was collected, under the name of the folder that it lies in."""
    written_for: str
    """The job that it was collected for: another one when the job was renamed since."""
    stack: str
    uid: str
    """The short form."""


@dataclass(frozen=True)
class Inventory:
    """All collected folders. Paths are relative to the results folder, as in `RecordedAttempt.results`."""

    kept: Mapping[str, KeptResults] = field(default_factory=dict)
    """Those that look whole, by path."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Those that do not, with the reason."""
    problem: str | None = None
    """Why the folder could not be looked at; None when it could. A folder that is not there yet is an empty one."""

    def why_not_whole(self, attempt: RecordedAttempt) -> str | None:
        """Why an attempt's collected results cannot be counted on; None when they can, or were never collected."""
        if attempt.results is None or self.problem is not None:
            return None
        found = self.kept.get(attempt.results)
        if found is None:
            return self.faults.get(attempt.results, "the folder is missing")
        return None if found.attempt.remote == attempt.remote else "the folder holds the results of another remote job"
