"""The decision about an attempt with a remote job.

Most of them are active. What decides about all others is imported for the first of these.
"""

from __future__ import annotations

from batchctl.model.decision import Decision
from batchctl.model.keys import same_digest
from batchctl.model.observed import Missing
from batchctl.reconcile.decide.active import decide_active
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase


def decide_same_work(subject: Subject, context: Context) -> Decision | None:
    """Follow the remote job of the current attempt, if it does the work that the manifest asks for."""
    view = subject.counting
    is_same = same_digest(view.attempt.digest, subject.manifest.digest)
    return follow(subject, view, context) if is_same else None


def follow(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """Follow the remote job to its end, whether or not its work is still wanted."""
    if view.parts:
        from batchctl.reconcile.decide.each_shard import follow_each_shard

        return follow_each_shard(subject, view, context)
    attempt, unseen, shown = view.attempt, find_unseen(view), view.shown
    if unseen is not None and (attempt.remote is None or not attempt.has_ended or isinstance(unseen, Missing)):
        return wait_to_see(current_phase(subject, view), unseen)
    if unseen is None and shown is not None and not attempt.has_ended:
        return decide_active(subject, view, shown, context)
    from batchctl.reconcile.decide import ended

    if unseen is not None:
        return ended.decide_unseen_end(subject, view, context, unseen)
    if shown is not None:
        return ended.decide_ended(subject, view, context)
    return ended.decide_gone(subject, view, context)
