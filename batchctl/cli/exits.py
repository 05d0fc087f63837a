"""Exit codes: which one counts when several apply (design section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from batchctl.engine.drive import DriveReport


class Exit(IntEnum):
    """The exit codes that are no error's own."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    DRIFT = 3
    JOB_FAILED = 4


_PRECEDENCE = (130, 64, 65, 5, 6, 1, 4, 7, 3, 2)


def weightiest(codes: Iterable[int]) -> int:
    """The code that counts; 0 when there is none."""
    given = set(codes)
    return next((code for code in _PRECEDENCE if code in given), 0)


def exit_code(report: DriveReport, *, judged: bool) -> int:
    """The exit code of a run of passes. `judged`: whether jobs that ended failed count, as with `watch`."""
    codes = [outcome.error.exit_code for outcome in report.outcomes.values() if outcome.error is not None]
    codes += [error.exit_code for error in report.errors.values()]
    codes += [report.stopped.exit_code] if report.stopped else []
    codes += [Exit.JOB_FAILED] if judged and report.has_failed else []
    return weightiest(codes)
