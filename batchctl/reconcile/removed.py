"""The decision about a recorded job that no manifest asks for any more (`onRemove`)."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.desired import OnRemove
from batchctl.model.observed import Present, Unknown
from batchctl.model.plan import Action, Collect, Forget, RecordJob, Step
from batchctl.model.recorded import CancelCause, RecordedJob
from batchctl.model.states import Phase, is_active, is_terminal
from batchctl.reconcile.attach import AttemptView
from batchctl.reconcile.decision import (
    Context,
    Counted,
    Decision,
    Subject,
    end_steps,
    job_row_step,
    stop_steps,
    wait,
)
from batchctl.reconcile.heal import has_living_duplicate, heal
from batchctl.reconcile.partial import hold_back
from batchctl.reconcile.settle import settle


def decide_removed(subject: Subject, recorded: RecordedJob, context: Context) -> Decision:
    """What to do about a job that is recorded, not released, and not desired."""
    decision = hold_back(subject, heal(subject, _decide(subject, recorded, context)), context)
    seen = tuple(step for view in subject.views for step in view.steps)
    return replace(decision, base=(*job_row_step(recorded, subject.recorded), *seen, *decision.base))


def _decide(subject: Subject, recorded: RecordedJob, context: Context) -> Decision:
    for view in subject.views:
        if view.attempt.intent is not None:
            waiting = settle(view, context)
            if waiting is not None:
                return waiting
    remote = [view for view in subject.views if view.attempt.remote is not None]
    present = [view for view in remote if isinstance(view.presence, Present)]
    unknown = next((view.presence for view in remote if isinstance(view.presence, Unknown)), None)
    doubled = has_living_duplicate(subject.views)
    if not present and unknown is None and not doubled:
        return Decision(
            Action.FORGET, Phase.REMOVING, "no longer in a manifest, and nothing of it is left", (Forget(subject.name),)
        )
    if recorded.lifecycle.on_remove is OnRemove.KEEP:
        return _release(
            recorded, context, Action.FORGET, "no longer in a manifest; the remote job is kept (onRemove: keep)"
        )
    if unknown is not None:
        return wait(Phase.UNKNOWN, f"no longer in a manifest, but not known in this pass: {unknown.reason}")
    for view in present:
        state = view.attempt.state or ""
        if not is_active(state) and not is_terminal(state):
            return wait(
                Phase.UNKNOWN, f"no longer in a manifest, but the API says {state}: what that leads to is not known"
            )
    active = [view for view in present if is_active(view.attempt.state or "")]
    if active or doubled:
        return _stop(active, recorded, context)
    return _end(subject, present, recorded, context)


def _stop(active: list[AttemptView], recorded: RecordedJob, context: Context) -> Decision:
    """Cancel what still works; the rest follows when it has ended."""
    keeps = recorded.lifecycle.on_remove is OnRemove.CANCEL
    cancels = (step for view in active for step in stop_steps(view, context, CancelCause.REMOVE))
    begin: tuple[Step, ...] = ()
    if recorded.removing_time is None:
        begin = (RecordJob(replace(recorded, removing_time=context.now, attempts=())),)
    return Decision(
        Action.CANCEL if keeps else Action.DELETE,
        Phase.REMOVING,
        "no longer in a manifest; cancelling",
        (*begin, *cancels),
        unfinished=True,
        counted=Counted.DELETE,
        needs_consent=recorded.removing_time is None,
        ends_protected=True,
    )


def _end(subject: Subject, present: list[AttemptView], recorded: RecordedJob, context: Context) -> Decision:
    """All has ended: collect, then delete or let go."""
    if recorded.lifecycle.on_remove is OnRemove.CANCEL:
        collects = tuple(
            Collect(view.key, view.presence.job)
            for view in present
            if view.attempt.is_uncollected and isinstance(view.presence, Present)
        )
        words = "no longer in a manifest; ended and kept (onRemove: cancel)"
        return _release(recorded, context, Action.FORGET, words).before(*collects)
    discard = context.options.discard_results
    ends = (step for view in present for step in end_steps(view, discard_results=discard))
    return Decision(
        Action.DELETE,
        Phase.REMOVING,
        "no longer in a manifest",
        (*ends, Forget(subject.name)),
        counted=Counted.DELETE,
        needs_consent=recorded.removing_time is None,
        ends_protected=True,
    )


def _release(recorded: RecordedJob, context: Context, action: Action, words: str) -> Decision:
    step = RecordJob(replace(recorded, released_time=context.now, attempts=()))
    return Decision(
        action, Phase.REMOVING, words, (step,), needs_consent=recorded.removing_time is None, ends_protected=True
    )
