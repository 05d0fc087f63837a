"""On an account whose list is incomplete, batchctl only records what it saw and collects results.

The page that failed could show a higher attempt, a second remote job, or the success that makes a retry a second bill.
"""

from __future__ import annotations

from collections.abc import Iterable

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.steps import Collect, Create, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.subject import Subject

_UNREAD, _UNSEEN = "the list is complete", "the collected results can be read"


def wait_for_full_lists(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision, or a wait in its place when it acts on an account that was not read in full."""
    if_refused = () if decision.if_refused is None else decision.if_refused.steps
    acts = [step for step in (*decision.base, *decision.steps, *if_refused) if step.needs_complete_list]
    unread, unseen = _problem(subject, context), _blindness(acts, context)
    problem = unread or unseen
    if problem is None or all(_is_unsent(step, subject) for step in acts):
        return decision
    steps = tuple(step for step in decision.steps if step.is_harmless)
    collects = any(isinstance(step, Collect) for step in steps)
    return Decision(
        Action.COLLECT if collects else Action.WAIT,
        decision.phase,
        Reason.NOT_COLLECTED if collects else Reason.UNSEEN,
        f"{decision.reason}; not done before {_UNREAD if unread else _UNSEEN}: {problem}",
        steps,
        changes=decision.changes,
        unseen=True,
    )


def _problem(subject: Subject, context: Context) -> str | None:
    recorded = subject.recorded.attempts if subject.recorded is not None else ()
    attempts = (*recorded, *(view.attempt for view in subject.views))
    needed = {attempt.account for attempt in attempts if not attempt.is_gone}
    if subject.desired is not None:
        needed.add(subject.desired.account)
    elif subject.recorded is not None and subject.recorded.row.account in context.observed:
        needed.add(subject.recorded.row.account)
    for account in sorted(needed):
        observation = context.observed.get(account)
        if observation is None:
            return f"{account} was not read"
        if not observation.complete:
            return observation.problem
    return None


def _blindness(acts: Iterable[Step], context: Context) -> str | None:
    """Why the collected results are not known, where the steps depend on them."""
    problem = None if context.inventory is None else context.inventory.problem
    return problem if any(step.needs_results_folder for step in acts) else None


def _is_unsent(step: Step, subject: Subject) -> bool:
    """Whether a step creates an attempt whose call surely did not get through: no page can hold it."""
    attempts = {view.key: view.attempt for view in subject.views}
    if not isinstance(step, Create) or step.key not in attempts:
        return False
    return attempts[step.key].intent is None
