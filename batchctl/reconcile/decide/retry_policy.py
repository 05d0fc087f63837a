"""Whether and when a failed attempt is followed by another (`backoffLimit`, `retryOn`)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.keys import same_digest
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.reasons import Reason
from batchctl.model.states import BAD_STATES, GOOD_STATES, JobState
from batchctl.reconcile.calls.backoff import delay
from batchctl.reconcile.decide.decision import BY_ORDER
from batchctl.reconcile.view.endings import has_succeeded, has_too_many_failed, is_unplaced, was_cancelled


class Verdict(Struct, frozen=True):
    """The answer to a failure. `due` is set when another attempt is allowed."""

    due: datetime | None
    code: Reason
    words: str


def failure_name(attempt: RecordedAttempt) -> str:
    """The name under which `retryOn` knows how an attempt ended.

    A deadline's cancel counts as FAILED, and so does a job without a good row, or with too many bad ones.
    """
    if was_cancelled(attempt, CancelCause.DEADLINE) or (attempt.state in GOOD_STATES and not has_succeeded(attempt)):
        return "FAILED"
    return attempt.state_name


def judge(
    attempt: RecordedAttempt, attempts: tuple[RecordedAttempt, ...], lifecycle: Lifecycle, *, cancelled_by_user: bool
) -> Verdict:
    """Whether a terminal attempt that is no full success is tried again.

    Attempts that were stopped to be replaced or removed are no failures.
    """
    name = failure_name(attempt)
    if is_unplaced(attempt):
        return Verdict(None, Reason.UNPLACED, "batchctl does not buy it again by itself")
    if has_too_many_failed(attempt) and attempt.state_name not in lifecycle.retry_on:
        words = f"maxFailedRows is {_shown(lifecycle)}; batchctl does not buy its good rows again by itself"
        return Verdict(None, Reason.MAX_FAILED_ROWS, words)
    if cancelled_by_user:
        return Verdict(None, Reason.CANCEL_ORDERED, f"{BY_ORDER}; never retried")
    if name not in lifecycle.retry_on:
        return Verdict(None, Reason.NOT_RETRIED, f"{name} is not in retryOn")
    failures = sum(1 for other in attempts if _is_failure(other) and same_digest(other.digest, attempt.digest))
    if failures > lifecycle.backoff_limit:
        limit = lifecycle.backoff_limit
        words = "backoffLimit is 0" if limit == 0 else f"backoffLimit {limit} is reached"
        return Verdict(None, Reason.BACKOFF_LIMIT, words)
    ended = attempt.end_time or attempt.cancel_time or attempt.create_time
    assert ended is not None
    words = f"retry {failures} of {lifecycle.backoff_limit}"
    return Verdict(ended + delay(failures, attempt.token), Reason.ATTEMPT_FAILED, words)


def _shown(lifecycle: Lifecycle) -> str:
    return "" if lifecycle.max_failed_rows is None else lifecycle.max_failed_rows.text


def _is_failure(attempt: RecordedAttempt) -> bool:
    if was_cancelled(attempt, CancelCause.REPLACE, CancelCause.REMOVE):
        return False
    if attempt.state in GOOD_STATES:
        return attempt.state == JobState.PARTIALLY_SUCCEEDED or not has_succeeded(attempt)
    return attempt.state in BAD_STATES or was_cancelled(attempt, CancelCause.DEADLINE)
