"""The decision about an attempt with several shards: each is followed on its own, and none holds up another.

Only when all of them have ended and are collected, their results are merged, and the job is judged as a whole.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.reasons import Reason
from batchctl.model.sources import AwaitedRows
from batchctl.model.states import Phase
from batchctl.model.steps import Merge, RecordAttempt, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import create_agreed
from batchctl.reconcile.decide.row_choice import own_choice
from batchctl.reconcile.decide.unanswered import abandon, settle
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.shards import combine_views, is_settled
from batchctl.reconcile.view.subject import Subject, current_phase

_LEADING = (Action.CREATE, Action.CANCEL, Action.COLLECT, Action.WAIT)
"""The action of the job is the first of these that a shard needs."""


def combine_decisions(subject: Subject, view: AttemptView, decisions: list[Decision]) -> Decision:
    """One decision with the steps of all shards that need some."""
    lead = min(decisions, key=lambda decision: (_LEADING.index(decision.action), not _is_open(decision)))
    creates, others = _split([step for decision in decisions for step in decision.steps])
    timers = [decision for decision in decisions if decision.next_time is not None]
    first = min(timers, key=lambda decision: (not _is_open(decision), decision.next_time), default=lead)
    return replace(
        lead,
        phase=_phase(subject, view, decisions),
        reason=f"{progress_words(view)}; {lead.reason}",
        # What a full queue holds back is the creates alone.
        base=others if creates else (),
        steps=creates or others,
        unfinished=any(decision.unfinished for decision in decisions) or bool(creates),
        next_time=first.next_time,
        timer=first.timer,
        unseen=any(decision.unseen for decision in decisions),
        needs_consent=False,
        counted=None,
        current=None,
    )


def _is_open(decision: Decision) -> bool:
    """Whether a create call has no answer, or a remote job is missing: a command waits until that is settled."""
    return decision.phase is Phase.SETTLING or decision.timer is Timer.MISSING


def _phase(subject: Subject, view: AttemptView, decisions: list[Decision]) -> Phase:
    if any(decision.phase is Phase.SETTLING for decision in decisions):
        return Phase.SETTLING
    return Phase.WAITING if view.attempt.is_unsent else current_phase(subject, view)


def give_up_unsent(
    subject: Subject, view: AttemptView, context: Context
) -> tuple[Subject, AttemptView, tuple[RecordAttempt, ...]]:
    """The job and its attempt without the shards that are not sent any more, and their records.

    `batchctl cancel` stopped them, or their rows are in no manifest any more. A create call without an answer is waited
    for first, because its remote job may exist.
    """
    is_awaited = subject.desired is not None and isinstance(subject.desired.source, AwaitedRows)
    if not subject.is_cancel_requested and (is_awaited or subject.asks_for(view.attempt)):
        return subject, view, ()
    steps = {part.key: abandon(part.attempt, context) for part in view.parts if _is_given_up(part, context)}
    views = [replace(one, attempt=steps[one.key].attempt) if one.key in steps else one for one in subject.views]
    parts = [one for one in views if one.key.attempt == view.key.attempt]
    return replace(subject, views=tuple(views)), combine_views(parts), tuple(steps.values())


def _is_given_up(part: AttemptView, context: Context) -> bool:
    attempt = part.attempt
    if not attempt.is_unsent or is_settled(attempt):
        return False
    return attempt.intent is None or settle(Phase.SETTLING, part, context) is None


def send_missing_shards(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Send the rows of shards that were never created; None if there are none.

    A state that was lost or rebuilt does not know them, and a change of the manifest that was taken back gave them up.
    """
    sent = view.attempt.sent
    if sent is None or not view.has_results or subject.is_cancel_requested:
        return None
    missing = sent.shards - sum(not (part.attempt.is_unsent and part.attempt.is_gone) for part in view.shards)
    if missing <= 0 or not subject.asks_for(view.attempt):
        return None
    words = f"{missing} of {sent.shards} shards {'was' if missing == 1 else 'were'} never created: their rows are sent"
    return create_agreed(subject.next_key, Reason.SHARDS_LEFT, words, is_suspended=context.is_suspended(subject))


def follow_shards(subject: Subject, view: AttemptView, decisions: list[Decision]) -> Decision:
    """The decision about shards of which some need something: the merge comes behind the last collections.

    A shard that has not ended has a decision of its own, so if all are collections, these are the last.
    """
    decision = combine_decisions(subject, view, decisions)
    is_last = all(one.action is Action.COLLECT for one in decisions)
    if not is_last or not subject.asks_for(view.attempt):
        return decision
    return replace(decision, steps=(*decision.steps, _merge(subject, view)))


def merge_when_collected(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Merge the results of all shards; None if that is done, or there are none.

    Merged results are not replaced by worse ones, should results of shards have been removed since.
    """
    first = view.parts[0].attempt
    is_worse = first.merged is not None and any(part.missing is not None for part in view.parts)
    has_any = any(part.has_results for part in view.parts)
    if not has_any or is_worse or _is_kept(first, context) or not subject.asks_for(view.attempt):
        return None
    words = f"{progress_words(view)}; their results are merged"
    steps = (_merge(subject, view),)
    return Decision(Action.COLLECT, current_phase(subject, view), Reason.NOT_COLLECTED, words, steps, unfinished=True)


def _merge(subject: Subject, view: AttemptView) -> Merge:
    assert view.attempt.state is not None, "shards have ended"
    return Merge(view.parts[0].key, own_choice(subject), view.attempt.state)


def _is_kept(first: RecordedAttempt, context: Context) -> bool:
    """Whether the merged results are in the results folder."""
    if first.merged is None:
        return False
    inventory = context.inventory
    return inventory is None or inventory.problem is not None or first.merged.path in inventory.kept


def progress_words(view: AttemptView) -> str:
    """`4 of 7 shards have ended, 2 are active, 1 is not created yet`."""
    attempts = [part.attempt for part in view.parts]
    ended, active = sum(map(is_settled, attempts)), sum(one.is_active for one in attempts)
    waiting = sum(one.is_unsent and not is_settled(one) for one in attempts)
    parts = [f"{ended} of {len(attempts)} shards {'has' if ended == 1 else 'have'} ended"]
    parts += [f"{active} {'is' if active == 1 else 'are'} active"] if active else []
    parts += [f"{waiting} {'is' if waiting == 1 else 'are'} not created yet"] if waiting else []
    return ", ".join(parts)


def _split(steps: list[Step]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    return tuple(step for step in steps if step.buys), tuple(step for step in steps if not step.buys)
