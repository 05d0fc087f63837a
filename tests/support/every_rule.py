"""Compares each decision with that of the whole table: a rule that is left out would have changed nothing.

Rules are left out by the traits of a job (`reconcile.rule`). Here every rule runs for every job, in the order of the
table, and each decision on the way has to be the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchctl.model.decision import Decision, RuleApplied
from batchctl.reconcile import fold
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.rule import applied
from batchctl.reconcile.view.subject import Subject
from tests.support.values import replace

Versions = list[tuple[RuleApplied, Decision]]
_BY_TRAITS = fold.Rules.versions


def by_every_rule(rules: fold.Rules, subject: Subject, context: Context) -> Versions:
    """The versions of a decision if no rule is left out."""
    made = ((applied(rule), rule.decide(subject, context)) for rule in rules.first)
    step, decision = next((step, decision) for step, decision in made if decision is not None)
    decision = replace(decision, trail=(step,))
    versions = [(step, decision)]
    for rule in rules.others:
        after = rule.apply(subject, decision, context)
        if after != decision:
            decision = replace(after, trail=(*decision.trail, applied(rule)))
            versions.append((applied(rule), decision))
    return versions


def _compared(rules: fold.Rules, subject: Subject, context: Context) -> Versions:
    versions = _BY_TRAITS(rules, subject, context)
    assert versions == by_every_rule(rules, subject, context), subject.name
    return versions


@contextmanager
def every_decision_compared() -> Iterator[None]:
    """Within this, each decision about a job is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold.Rules, "versions", _compared)
        yield
