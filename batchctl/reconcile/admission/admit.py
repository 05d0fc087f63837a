"""The rule that lets create calls through. Where none is planned there is no queue, and nothing of it is imported."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from batchctl.reconcile.admission.sizes import with_rows_to_buy
from batchctl.reconcile.admission.usage import find_live
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions


def admit(decisions: Decisions, context: Context) -> Decisions:
    """Let as many create calls through as there is capacity for. What a guard refuses takes none."""
    waiting = {
        name: with_rows_to_buy(subject.desired, decision, context.rows_of(subject))
        for name, subject, decision in decisions.of_moving()
        if subject.desired is not None and decision.creates and name not in decisions.guards
    }
    # A call whose grace is over has most likely made nothing; if it is sent again, that is counted.
    seen = find_live(context.desired, context.recorded, context.observed)
    live = [one for one in seen if one.is_sure or one.job not in waiting]
    if waiting:
        from batchctl.reconcile.admission.queue import let_in

        decisions = let_in(decisions, waiting, live, context)
    return replace(decisions, live=Counter(one.key for one in live))
