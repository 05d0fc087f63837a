"""The record after a call that went wrong: it is tried again until some time, or given up.

A refusal that may pass is not final: an API that was just enabled, a role that was just granted, a file that is still
processed. It is tried again for an hour, at once at first and then with longer and longer pauses; after that the
attempt is refused for good. Results that are refused, or are not there although rows were counted, are waited for as
long; then the attempt has ended without them, with the reason, so that the jobs that wait for it go on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.attempts import Operation, RecordedAttempt, Trouble
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import Effect
from batchctl.model.observed import Status
from batchctl.model.texts import cut
from batchctl.reconcile.calls.backoff import delay

PASSES_WITHIN = timedelta(hours=1)
"""Enabling an API and granting a role take minutes to be known everywhere, and so does a large file."""
COLLECTED_AFTER = timedelta(hours=1)
LEAST_TRIES = 3
"""Where a run comes once in a night, an hour alone would be one try."""
_LONGEST_HINT = 512

_PASSING = frozenset({
    ErrorCode.PERMISSION_DENIED,
    ErrorCode.SERVICE_DISABLED,
    ErrorCode.NOT_PROVISIONED,
    ErrorCode.INPUT_NOT_READY,
    ErrorCode.USER_PROJECT_MISSING,
    ErrorCode.NO_CREDIT,
})  # fmt: skip
"""Refusals that are not caused by the manifest: once fixed elsewhere, the same call succeeds."""


class Failure(Struct, frozen=True):
    """A call that went wrong."""

    operation: Operation
    code: str
    message: str
    hint: str = ""
    effect: Effect = Effect.AMBIGUOUS
    http: int | None = None
    is_own_input: bool = False
    """Whether the call named a file that batchctl had uploaded: what is not found may be that."""


def after_failure(attempt: RecordedAttempt, failure: Failure, now: datetime) -> RecordedAttempt:
    """The record after a call about an attempt went wrong. `now` is the provider's clock."""
    trouble = _note(attempt, failure, now)
    match failure.operation:
        case Operation.CREATE | Operation.UPLOAD:
            return _after_create(attempt, failure, trouble, now)
        case Operation.COLLECT:
            return _after_collect(attempt, failure, trouble, now)
        case Operation.CANCEL | Operation.DELETE:
            return replace(attempt, trouble=trouble)
        case _:
            assert_never(failure.operation)


def overcome(attempt: RecordedAttempt, *operations: Operation) -> RecordedAttempt:
    """The record once a call got through: what went wrong with these is over."""
    is_over = attempt.trouble is not None and attempt.trouble.operation in operations
    return replace(attempt, trouble=None) if is_over else attempt


def is_passing(failure: Failure) -> bool:
    """Whether a refusal may end without a change of the manifest."""
    if failure.code in _PASSING:
        return True
    return failure.code == ErrorCode.NOT_FOUND and failure.is_own_input


def _note(attempt: RecordedAttempt, failure: Failure, now: datetime) -> Trouble:
    before = attempt.trouble
    # An upload and the create call after it are one way to one end.
    goes_on = before is not None and _way(before.operation) == _way(failure.operation)
    first = before.first_time if before is not None and goes_on else now
    tries = before.tries + 1 if before is not None and goes_on else 1
    words, hint = cut(failure.message), cut(failure.hint, _LONGEST_HINT)
    return Trouble(failure.operation, failure.code, words, hint, first, now, tries, effect=failure.effect)


def _way(operation: Operation) -> Operation:
    return Operation.CREATE if operation is Operation.UPLOAD else operation


def _after_create(attempt: RecordedAttempt, failure: Failure, trouble: Trouble, now: datetime) -> RecordedAttempt:
    status = Status(failure.http, trouble.message)
    if failure.effect is Effect.AMBIGUOUS and failure.operation is Operation.CREATE:
        return replace(attempt, trouble=trouble)
    unsent = replace(attempt, intent=None, error=status, trouble=trouble)
    if failure.effect is not Effect.REFUSED:
        return unsent
    if is_passing(failure):
        if _is_over(trouble, trouble.tries, now):
            return replace(unsent, trouble=trouble, rejected=True)
        return replace(unsent, trouble=put_off(trouble, attempt.token))
    # An upload fails because of the way it is sent, unless the file itself was found to be wrong.
    is_final = failure.operation is Operation.CREATE or failure.code == ErrorCode.UPLOAD_FAILED
    return replace(unsent, rejected=is_final)


def _after_collect(attempt: RecordedAttempt, failure: Failure, trouble: Trouble, now: datetime) -> RecordedAttempt:
    if failure.code == ErrorCode.RESULTS_GONE:
        return replace(attempt, results_lost=True, trouble=trouble)
    if failure.code != ErrorCode.RESULTS_NOT_READY and failure.effect is not Effect.REFUSED:
        # A broken line or a full disk says nothing about the results.
        return replace(attempt, trouble=trouble)
    waits = replace(put_off(trouble, attempt.token), next_time=None)
    return replace(attempt, trouble=waits, results_lost=_is_over(trouble, trouble.tries, now))


def waits_for_all(attempt: RecordedAttempt, now: datetime) -> bool:
    """Whether results with fewer rows than the API counts are read again later. In the end, they are all there are.

    Rows that a file does not have yet would count as never answered, and might be bought again.
    """
    trouble = attempt.trouble
    if trouble is None or trouble.operation is not Operation.COLLECT or trouble.code != ErrorCode.RESULTS_NOT_READY:
        return True
    return not _is_over(trouble, trouble.tries + 1, now)


def _is_over(trouble: Trouble, tries: int, now: datetime) -> bool:
    """Whether what may pass by itself has been tried for long enough, and so many times, without success."""
    return now >= trouble.first_time + PASSES_WITHIN and tries >= LEAST_TRIES


def is_collection_due(attempt: RecordedAttempt, clock: datetime) -> bool:
    """Whether batchctl tries once more to collect results that were given up: a role may be granted late."""
    trouble = attempt.trouble
    if trouble is None or not attempt.results_lost or trouble.code == ErrorCode.RESULTS_GONE:
        return False
    return trouble.operation is Operation.COLLECT and clock - trouble.last_time >= COLLECTED_AFTER


def put_off(trouble: Trouble, seed: str) -> Trouble:
    """When it is tried again, and until when: the first time at once, then after a back-off."""
    until = trouble.first_time + PASSES_WITHIN
    if trouble.tries == 1:
        return replace(trouble, until=until)
    due = trouble.last_time + delay(trouble.tries - 1, seed)
    return replace(trouble, next_time=min(due, until) if trouble.last_time < until else due, until=until)
