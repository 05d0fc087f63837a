"""One pass: observe, plan, execute. The lock is held for its length and never while sleeping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from batchctl.engine.execute import execute
from batchctl.engine.journal import Journal
from batchctl.engine.observe import observe
from batchctl.engine.tools import Tools
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account
from batchctl.model.outcome import Outcome
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options, plan

Approve = Callable[[Plan], None]
"""Asked before anything is done; raises GuardError when the plan is not what was agreed to."""


@dataclass(frozen=True)
class Preview:
    """What a pass would do: nothing is locked, nothing written."""

    plan: Plan
    recorded: Recorded
    errors: Mapping[Account, BatchctlError]


@dataclass(frozen=True)
class PassReport:
    """What a pass did."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    accounts: frozenset[Account] = frozenset()
    """All that were looked at."""
    errors: Mapping[Account, BatchctlError] = field(default_factory=dict)
    """Those that could not be read in full, with the reason."""
    unanswered: frozenset[str] = frozenset()
    """Jobs that the pass leaves with a create call of which nobody knows the outcome."""


def preview(desired: DesiredStack, options: Options, tools: Tools) -> Preview:
    """Observe and plan, without the lock. Raises StateError."""
    recorded = tools.state.load()
    look = observe(desired, recorded, tools, foreign=options.show_unmanaged)
    return Preview(plan(desired, recorded, look.observed, tools.clock.now(), options), recorded, look.errors)


def run_pass(
    desired: DesiredStack,
    options: Options,
    tools: Tools,
    approve: Approve | None = None,
    only: frozenset[str] | None = None,
) -> PassReport:
    """Observe, plan and execute under the lock. Raises LockedError, StateError and what `approve` raises.

    `only` leaves all jobs but these; unlike a scope it changes nothing in what is decided and guarded.
    """
    with tools.state.lock() as session:
        recorded = session.load()
        look = observe(desired, recorded, tools, foreign=options.show_unmanaged)
        planned = plan(desired, recorded, look.observed, tools.clock.now(), options)
        if only is not None:
            planned = replace(planned, jobs=tuple(job for job in planned.jobs if job.job in only))
        if approve is not None:
            approve(planned)
        tools.progress.planned(planned)
        journal = Journal(session, recorded, tools.clock)
        outcomes = execute(planned, desired, journal, tools)
        unanswered = frozenset(key.job for key, attempt in journal.attempts.items() if attempt.intent is not None)
    return PassReport(planned, outcomes, frozenset(look.observed), look.errors, unanswered)
