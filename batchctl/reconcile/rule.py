"""One row of the rule table, see `table`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from msgspec import Struct

from batchctl.model.decision import Decision, RuleApplied
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.view.subject import JobKind, Subject


class FirstRule(Struct, frozen=True):
    """A rule that makes the decision about a job, or leaves it to the next one."""

    id: str
    kinds: frozenset[JobKind]
    """The jobs to which it applies."""
    does: str
    why_here: str
    """Why it comes before the next rule."""
    decide: Callable[[Subject, Context], Decision | None]


class Rule(Struct, frozen=True):
    """A rule that adjusts the decision about a job."""

    id: str
    kinds: frozenset[JobKind]
    """The jobs to which it applies."""
    does: str
    why_here: str
    """Why it comes after the one before it."""
    apply: Callable[[Subject, Decision, Context], Decision]


class StackRule(Struct, frozen=True):
    """A rule that adjusts decisions in the light of all others."""

    id: str
    does: str
    why_here: str
    """Why it comes after the one before it."""
    apply: Callable[[Decisions, Context], Decisions]


@cache
def _applied(name: str, does: str) -> RuleApplied:
    return RuleApplied(name, does)


def applied(rule: FirstRule | Rule | StackRule) -> RuleApplied:
    """The rule in a decision's trail."""
    return _applied(rule.id, rule.does)
