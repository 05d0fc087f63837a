"""Jobs and shards that went missing before they ended are made again (`onMissing: recreate`).

That happens a few times, after longer and longer pauses.
Without a limit, a fault that makes jobs vanish, or seem to, would have the same work bought over and over.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.keys import same_digest
from batchctl.model.lifecycle import OnMissing
from batchctl.model.reasons import Reason
from batchctl.model.states import JobState, Phase
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import create, rest, wait
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase

MOST_RECREATED = 3
"""The number of times that missing work is created again without a command."""


def recreate(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """Replace an attempt whose remote job is confirmed gone, and had not ended. The policy is the consent.

    The first new attempt is made at once; each further one after a pause that doubles, from twice the grace.
    """
    attempt = view.attempt
    same = (other for other in subject.attempts if same_digest(other.attempt.digest, attempt.digest))
    times = sum(1 for one in same if one.key == attempt.key or any(_was_given_up(part.attempt) for part in one.shards))
    if times > MOST_RECREATED:
        words = f"it went missing {times} times before it ended, and onMissing: recreate allows {MOST_RECREATED}"
        return rest(
            current_phase(subject, view), Reason.RECREATE_LIMIT, f"{words}; `batchctl retry` makes another attempt"
        )
    gone = max(part.attempt.gone_time for part in view.shards if part.attempt.gone_time is not None)
    pause = context.stack.limits.settle_grace * 2 ** (times - 1) if times > 1 else timedelta()
    left = gone + pause - context.now
    words = "it went missing before it ended (onMissing: recreate)"
    if left > timedelta():
        clock = context.clock_of(attempt.account)
        reason = f"{words}; attempt {times} of {MOST_RECREATED} after a pause"
        return wait(Phase.WAITING, Reason.BACK_OFF, reason, clock + left, Timer.BACKOFF)
    made = create(subject.next_key, Reason.MISSING, words, is_suspended=context.is_suspended(subject))
    return replace(made, needs_consent=False)


def recreate_shards(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Send the rows of shards that went missing before they ended; None if there are none, or the policy forbids it."""
    is_wanted = view.parts and subject.asks_for(view.attempt)
    if not is_wanted or subject.is_cancel_requested or subject.lifecycle.on_missing is not OnMissing.RECREATE:
        return None
    are_missing = any(part.attempt.gone_time is not None and _was_given_up(part.attempt) for part in view.parts)
    return recreate(subject, view, context) if are_missing else None


def _was_given_up(attempt: RecordedAttempt) -> bool:
    """Whether an earlier attempt went missing before it ended; it may have been found since, and be cancelled."""
    if attempt.remote is None or attempt.cancel_cause is not None:
        return False
    return not attempt.has_ended or attempt.state == JobState.CANCELLED
