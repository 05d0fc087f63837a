"""Says what failed in a pass, or could not be done yet; of one job not the same in pass after pass."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.engine.warnings import LastSaid
from batchctl.model.codes import ErrorCode
from batchctl.model.outcome import Outcome, Result
from batchctl.model.ports.surroundings import Progress


class FailureNews:
    """Of one run of passes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said = LastSaid()
        """By job, while something is wrong with its action."""

    def report(self, outcomes: Mapping[str, Outcome]) -> None:
        """Say what is new in the outcomes of a pass."""
        for name, outcome in outcomes.items():
            words = _words(outcome)
            if not words:
                self._said.forget(name)
            elif self._said.is_news(name, words):
                self._progress.step(name, words)


def _words(outcome: Outcome) -> str:
    """The problem; empty where there is none."""
    error = outcome.error
    if error is None or outcome.result not in {Result.FAILED, Result.PENDING}:
        return ""
    lead = "failed" if outcome.result is Result.FAILED else "not yet"
    code = "" if error.code == ErrorCode.NOT_YET else f"{error.code}: "
    return f"{lead}: {code}{error.message}"
