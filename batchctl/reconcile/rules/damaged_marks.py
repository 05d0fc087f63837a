"""Marks that cannot be read any more. Nothing is created on their account until they are repaired.

A job whose mark is cut or changed looks like somebody else's. Where a service does that to one job it may do it to any,
also to one whose create call was never answered: that call could not be found again, and would be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.keys import Account
from batchctl.model.observed import Observation, Observed, Present, RemoteJob
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.view.subject import Subject

_LONGEST = 120
"""Characters of a damaged mark that a reason shows."""


class Damage(Struct, frozen=True):
    """Why nothing may be created: on whole accounts, and for single jobs."""

    accounts: Mapping[Account, str] = field(default_factory=dict)
    jobs: Mapping[tuple[Account, str], str] = field(default_factory=dict)


def find_damage(stack: Stack, recorded: Recorded, observed: Observed) -> Damage:
    """Look for damaged marks on recorded jobs, and on others that a create call without an answer may have made.

    Any other may be a stranger's, or another stack's of the same name.
    """
    damaged = [(account, remote) for account, look in sorted(observed.items()) for remote in _damaged(look)]
    if not damaged:
        return Damage()
    attempts = [attempt for job in recorded.jobs.values() for attempt in job.attempts]
    ours = {(attempt.account, attempt.remote) for attempt in attempts}
    unanswered = sorted((attempt.account, attempt.key.job) for attempt in attempts if attempt.intent is not None)
    accounts: dict[Account, str] = {}
    jobs: dict[tuple[Account, str], str] = {}
    for account, remote in damaged:
        broken = remote.broken
        assert broken is not None
        if (account, remote.name) in ours:
            accounts.setdefault(account, _words(remote))
        elif broken.stack == stack.name:
            for place, job in unanswered:
                if place == account and broken.job in (None, job):
                    jobs.setdefault((place, job), _words(remote))
    return Damage(accounts, jobs)


def hold_for_damaged_marks(decisions: Decisions, context: Context) -> Decisions:
    """Create nothing, and stop nothing to be replaced, on an account whose marks may be damaged."""
    damage = find_damage(context.stack, context.recorded, context.observed)
    if not (damage.accounts or damage.jobs):
        return decisions
    return decisions.map(lambda subject, decision: _hold(subject, decision, damage))


def _hold(subject: Subject, decision: Decision, damage: Damage) -> Decision:
    if subject.desired is None or not (decision.creates or decision.action is Action.REPLACE):
        return decision
    account = subject.desired.account
    why = damage.accounts.get(account) or damage.jobs.get((account, subject.name))
    if why is None:
        return decision
    from batchctl.reconcile.rules.held_create import hold_create  # damage is rare

    held = hold_create(subject, decision, Reason.MARK_DAMAGED, f"nothing is created there: {why}")
    return held if decision.creates else replace(held, phase=decision.phase)


def _damaged(look: Observation) -> Iterator[RemoteJob]:
    yield from sorted((job for job in look.jobs if job.broken is not None), key=lambda job: job.name)
    checked = [there.job for _, there in sorted(look.checked.items()) if isinstance(there, Present)]
    yield from (job for job in checked if job.broken is not None)


def _words(remote: RemoteJob) -> str:
    assert remote.broken is not None
    text = remote.broken.text
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{remote.name} shows a damaged mark, {shown!r}; put its display name or labels back, or delete it"
