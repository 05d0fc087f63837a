"""The decision about a chain whose rows are awaited: its former attempt is kept until the new rows are known.

They may turn out to be the same, and then nothing is bought.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.other_jobs import wait_for_rows
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.view.subject import Subject


def follow_while_rows_are_awaited(subject: Subject, context: Context) -> Decision | None:
    """Follow the attempt that counts, whose rows were made from earlier answers; None for a job that has its rows."""
    desired = subject.manifest
    wait = wait_for_rows(desired, context.decided)
    if wait is None or desired.chain is None:
        return None
    decision = follow(subject, subject.counting, context)
    if decision.creates:
        # It is held back by `dependencies`, which gives the reason.
        return decision
    if decision.action.is_quiet:
        phase = Phase.BLOCKED if wait.is_blocked and subject.counting.attempt.has_ended else decision.phase
        decision = replace(decision, code=Reason.ROWS_AWAITED, phase=phase)
    words = f"{decision.reason}; {wait.words}"
    return replace(decision, reason=words, waits_for=(desired.chain.job,), blocked=wait.is_blocked)
