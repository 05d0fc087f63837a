"""The failure of a call, in the terms of the decisions."""

from __future__ import annotations

from batchctl.model.attempts import Operation
from batchctl.model.errors import ApiError, BadRequest, BatchctlError, Effect, NotFound, PermissionDenied
from batchctl.reconcile import Failure

LASTING_REFUSALS = (BadRequest, NotFound, PermissionDenied)
"""Answers to a read that will not change: what else goes wrong may be better in the next pass."""


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
