"""Exit codes, and which one counts if several apply."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from batchctl.model.errors import BatchctlError


class Exit(IntEnum):
    """The exit codes that do not belong to an error."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    DRIFT = 3
    REFUSED = 6


_PRECEDENCE = (130, 64, 65, 5, 6, 1, 4, 7, 3, 2)


def weightiest(codes: Iterable[int]) -> int:
    """The code that counts; 0 for none."""
    given = set(codes)
    return next((code for code in _PRECEDENCE if code in given), 0)


def lightest_first(errors: Iterable[BatchctlError]) -> tuple[BatchctlError, ...]:
    """Errors in the order of their output: the last one decides the exit code."""
    return tuple(sorted(errors, key=lambda error: -_PRECEDENCE.index(error.exit_code)))
