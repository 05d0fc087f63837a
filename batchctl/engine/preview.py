"""The plan that a pass would carry out: observe and decide, without the lock, and without the code that executes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from batchctl.engine.observe import observe
from batchctl.engine.tools import Tools
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, ResultsError
from batchctl.model.keys import Account
from batchctl.model.observed import Observed
from batchctl.model.observing import PassKind, PassWork
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options, Question, results_relied_on

Approve = Callable[[Plan], None]
"""Called before anything is done; raises GuardError when the plan is not the approved one."""


class Preview(Struct, frozen=True):
    """The plan that a pass would carry out: nothing is locked, nothing written."""

    plan: Plan
    recorded: Recorded
    errors: Mapping[Account, BatchctlError]

    @property
    def failures(self) -> tuple[BatchctlError, ...]:
        """The errors of accounts, and one if the results could not be read and a job waits for that."""
        problem = self.plan.results_problem
        return (*self.errors.values(), *([] if problem is None else [_results_unread(problem)]))


def _results_unread(problem: str) -> ResultsError:
    hint = "`batchctl doctor` shows what is missing; jobs that rely on the results wait until then"
    return ResultsError(f"the results cannot be read: {problem}", hint=hint)


def preview(desired: DesiredStack, options: Options, tools: Tools, recorded: Recorded | None = None) -> Preview:
    """Observe and plan, without the lock; `recorded` is the state if it was read before. Raises StateError."""
    with tools.activity.observing(PassWork(PassKind.LOOK)):
        recorded = tools.state.load() if recorded is None else recorded
        begun = tools.clock.now()
        look = observe(desired, recorded, tools, foreign=options.show_unmanaged)
        return Preview(decide(desired, recorded, look.observed, begun, options, tools), recorded, look.errors)


def decide(
    desired: DesiredStack, recorded: Recorded, observed: Observed, begun: datetime, options: Options, tools: Tools
) -> Plan:
    """The plan. Collected results that it relies on are read against their hash: incomplete ones change the plan.

    So do tokens that are counted for it.
    """
    checked: set[str] = set()
    while True:
        inventory = tools.look_at_results(desired, recorded, options)
        question = Question(desired, recorded, observed, begun, options, inventory)
        try:
            planned = question.answer()
        except Exception:
            tools.black_box(question, None, tools.warnings)
            raise
        unread = [path for path in results_relied_on(planned) if path not in checked]
        checked.update(unread)
        broken = [path for path in unread if not tools.is_whole(path)]
        if not broken:
            before, desired = desired, tools.with_samples(desired, planned, observed)
            if desired is not before:
                continue
            tools.black_box(question, planned, tools.warnings)
            return planned
