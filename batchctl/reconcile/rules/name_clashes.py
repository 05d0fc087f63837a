"""Renames of `spec.moved` to a name that another recorded job has: which job is meant is not known."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Guard
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions


def refuse_name_clashes(decisions: Decisions, context: Context) -> Decisions:
    """Refuse every action about a job whose new name is taken."""
    held = {}
    for name in context.clashes.keys() & decisions.jobs.keys():
        subject, decision = decisions.jobs[name]
        message = f"spec.moved says that {name} is {context.clashes[name]} now, and the state has jobs of both names"
        guard = Guard(ErrorCode.MOVED_TWICE, message, "take the entry out of spec.moved: then the old job is removed")
        held[name] = (subject, replace(decision, refusal=guard, if_refused=None))
    return decisions.with_jobs(held)
