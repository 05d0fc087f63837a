"""The trail of a decision names the rules that changed it, and no other."""

from __future__ import annotations

import pytest

from batchctl.reconcile import fold
from batchctl.reconcile.rule import Rule, StackRule, Trait
from batchctl.reconcile.view.subject import JobKind
from tests.support.decisions import HOUR, Situation, attempt, job, one
from tests.support.values import replace


@pytest.mark.parametrize(("reason", "named"), [(None, False), ("changed", True)])
def test_a_rule_that_gives_an_equal_decision_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, reason: str | None, named: bool
) -> None:
    copies = Rule(
        "copies",
        frozenset(JobKind),
        frozenset({Trait.TTL}),
        "",
        "",
        lambda _, decision, __: replace(decision, reason=reason or decision.reason),
    )
    monkeypatch.setattr(fold, "RULES", (copies,))
    (planned,) = one(attempt(), ttl_after_finished=HOUR).decide().jobs
    assert ("copies" in [rule.id for rule in planned.trail]) is named


@pytest.mark.parametrize(("reason", "named"), [(None, False), ("changed", True)])
def test_a_rule_for_the_stack_that_gives_an_equal_decision_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, reason: str | None, named: bool
) -> None:
    copies = StackRule(
        "copies",
        "",
        "",
        lambda decisions, _: decisions.map(lambda _, decision: replace(decision, reason=reason or decision.reason)),
    )
    monkeypatch.setattr(fold, "STACK_RULES", (copies,))
    (planned,) = Situation(job()).decide().jobs
    assert ("copies" in [rule.id for rule in planned.trail]) is named
