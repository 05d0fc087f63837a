"""Follows each shard of an attempt; then merges their results, and decides about the job."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.steps import Collect
from batchctl.reconcile.calls.troubles import is_collection_due
from batchctl.reconcile.decide.active import decide_active
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, rest
from batchctl.reconcile.decide.ended import decide_ended, why_collect
from batchctl.reconcile.decide.shards import follow_shards, give_up_unsent, merge_when_collected
from batchctl.reconcile.decide.steps import collect_steps
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.decide.unsent import go_on_unsent
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.shards import is_settled
from batchctl.reconcile.view.subject import Subject, current_phase


def follow_each_shard(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The decision about an attempt with several shards."""
    subject, view, given_up = give_up_unsent(subject, view, context)
    if view.attempt.is_unsent and all(is_settled(part.attempt) for part in view.parts):
        words = f"{BY_ORDER} before a create call got through"
        return rest(current_phase(subject, view), Reason.CANCEL_ORDERED, words).before(*given_up)
    found = (_follow_shard(subject, part, context) for part in view.parts)
    decisions = [decision for decision in found if decision is not None]
    if decisions:
        decision = follow_shards(subject, view, decisions)
    else:
        decision = merge_when_collected(subject, view, context) or decide_ended(subject, view, context)
    return decision.before(*given_up)


def _follow_shard(subject: Subject, part: AttemptView, context: Context) -> Decision | None:
    """The decision about one shard; None if nothing more happens to it by itself."""
    attempt = part.attempt
    if attempt.is_unsent and not is_settled(attempt):
        decision = go_on_unsent(subject, part, context)
        return replace(decision, code=Reason.SHARDS_LEFT, reason="created in turn") if attempt.is_new else decision
    unseen = find_unseen(part)
    if unseen is not None:
        return wait_to_see(current_phase(subject, part), unseen)
    if part.shown is not None and not attempt.has_ended:
        return decide_active(subject, part, part.shown, context)
    collect = collect_steps(part)
    if part.shown is not None and is_collection_due(attempt, context.clock_of(attempt.account)):
        collect = (Collect(part.key, part.shown),)
    code, why = why_collect(part)
    return Decision(Action.COLLECT, current_phase(subject, part), code, why, collect) if collect else None
