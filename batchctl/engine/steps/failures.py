"""The failure of a call, in the terms of the decisions."""

from __future__ import annotations

from batchctl.model.errors import ApiError, BatchctlError, Effect
from batchctl.model.recorded import Operation
from batchctl.reconcile import Failure


def failure_of(operation: Operation, error: BatchctlError, *, is_own_input: bool = False) -> Failure:
    """The failure of one call."""
    return Failure(
        operation,
        error.code,
        error.message,
        error.hint,
        error.effect if isinstance(error, ApiError) else Effect.AMBIGUOUS,
        getattr(error, "http", None),
        is_own_input,
    )
