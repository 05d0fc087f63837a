"""Why a job does not have an action: the rule in the way, and changes that lead to the action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchctl.model.actions import Action
from batchctl.model.admission import AdmissionLimits
from batchctl.model.keys import Api
from batchctl.model.lifecycle import OnChange
from batchctl.model.plan import Plan
from batchctl.model.row_settings import Canary
from batchctl.model.stack import Limits, ProviderConfig
from batchctl.model.why_not import Cause, WhyNot
from batchctl.reconcile import Options, Question, Scope, explain_why_not, planner
from batchctl.reconcile.why_not import answer
from tests.reconcile.test_budget import costing, usd
from tests.reconcile.test_budget import planned as buying
from tests.reconcile.test_reasons import stalled
from tests.reconcile.test_table import PLANS
from tests.support.decisions import (
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    Situation,
    attempt,
    collected,
    decide,
    job,
    look,
    one,
    row,
    seen,
    unanswered,
    vanished,
)
from tests.support.values import replace


def question_of(make: Callable[[], Plan]) -> Question:
    """The input of the plan that a function makes."""
    asked: list[tuple[Any, ...]] = []
    read = planner.read_context
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "read_context", lambda *given: asked.append(given) or read(*given))
        make()
    return Question(*asked[-1])


def ask(make: Callable[[], Plan], action: Action, name: str = "a") -> WhyNot:
    return explain_why_not(question_of(make), name, action)


def changes(answer: WhyNot) -> list[str]:
    return [" + ".join(one.words for one in way.changes) for way in answer.ways]


@pytest.mark.parametrize("rule", PLANS)
def test_the_course_of_a_decision_is_its_trail(rule: str) -> None:
    question = question_of(PLANS[rule])
    for planned in question.answer().jobs:
        stages = question.trace(planned.job)
        assert tuple(stage.rule for stage in stages) == planned.trail
        last = stages[-1]
        assert (last.decision.action, last.decision.reason) == (planned.action, planned.reason)
        assert next((stage.guard for stage in stages if stage.guard is not None), None) == planned.guard


@pytest.mark.no_cover
@pytest.mark.parametrize("rule", PLANS)
def test_each_way_leads_where_it_says(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every rule, and of every action together. The changes are made once more, by hand."""
    monkeypatch.setattr(answer, "MOST_WORK", 60)
    question = question_of(PLANS[rule])
    actions = [*Action]
    for planned in question.answer().jobs:
        levers = {lever.words: lever for lever in answer.find_levers(question, planned)}
        for action in actions[[*PLANS].index(rule) % 4 :: 4]:
            said = explain_why_not(question, planned.job, action)
            assert said.action is planned.action
            assert (said.cause is Cause.PLANNED) == (planned.action is action and planned.guard is None)
            for way in said.ways:
                changed = question
                for change in way.changes:
                    changed = levers[change.words].change(changed)
                (after,) = [job for job in changed.answer().jobs if job.job == planned.job]
                assert (after.action, after.guard) == (way.action, None)
                assert way.action is action or not said.is_exact
                assert way.stage.rule in after.trail


FAILED, DONE = collected(1, "FAILED"), collected()
LIMITED = Limits(admission=AdmissionLimits(active=1))
BUSY = attempt(name="b")


def full_account() -> Plan:
    return decide([job(), job("b")], [row(job("b"), BUSY)], [look(seen(BUSY))], limits=LIMITED)


def own_limit() -> Plan:
    provider = ProviderConfig("main", Api.GEMINI, admission=AdmissionLimits(active=1))
    return decide([job(), job("b")], [row(job("b"), BUSY)], [look(seen(BUSY))], providers=[provider])


def dependency(state: str) -> Plan:
    needed = attempt(name="b", state=state)
    return decide([job(needs="b"), job("b")], [row(job("b"), needed)], [look(seen(needed))])


def with_canary() -> Plan:
    return Situation(replace(job(suspend=True), canary=Canary(), adopt="batches/none")).decide()


def broken_pair() -> Plan:
    """Suspended twice."""
    return Situation(job(suspend=True), suspended=True).decide()


CASES: dict[str, tuple[Callable[[], Plan], Action, Cause, str, list[str]]] = {
    "no account": (
        lambda: Situation(job(), look=look(complete=False)).decide(),
        Action.CREATE,
        Cause.OTHER,
        "new",
        ["when its account can be read in full"],
    ),
    "a dependency": (
        lambda: dependency("RUNNING"),
        Action.CREATE,
        Cause.REPLACED,
        "dependencies",
        ["when b has succeeded"],
    ),
    "a dependency, and suspended": (
        lambda: decide([job(needs="b", suspend=True), job("b")], [], [look()]),
        Action.CREATE,
        Cause.OTHER,
        "new",
        ["when b has succeeded + lifecycle.suspend: false"],
    ),
    "no capacity": (
        full_account,
        Action.CREATE,
        Cause.REPLACED,
        "admission",
        ["higher limits.active, limits.enqueuedTokens and limits.createsPerMinute"],
    ),
    "no capacity of its own": (
        own_limit,
        Action.CREATE,
        Cause.REPLACED,
        "admission",
        ["higher limits.active, limits.enqueuedTokens and limits.createsPerMinute"],
    ),
    "over the budget": (
        lambda: buying(costing("a"), budget=usd("0.50")),
        Action.CREATE,
        Cause.REFUSED,
        "budget",
        ["--budget-increase with an amount"],
    ),
    "a budget without prices": (
        lambda: buying(costing("a"), budget=usd("5"), prices=None),
        Action.CREATE,
        Cause.REFUSED,
        "budget",
        ["--allow-unknown-cost"],
    ),
    "a queue that stalls": (
        stalled,
        Action.CREATE,
        Cause.REPLACED,
        "admission",
        ["limits.pauseWhenStalled: false"],
    ),
    "suspended": (
        lambda: Situation(job(suspend=True)).decide(),
        Action.CREATE,
        Cause.OTHER,
        "new",
        ["lifecycle.suspend: false"],
    ),
    "suspended twice": (
        broken_pair,
        Action.CREATE,
        Cause.OTHER,
        "new",
        ["lifecycle.suspend: false + spec.suspend: false"],
    ),
    "nothing to adopt": (
        with_canary,
        Action.CREATE,
        Cause.OTHER,
        "new",
        ["lifecycle.suspend: false + spec.adopt removed"],
    ),
    "a guard": (
        lambda: Situation(job(), options=Options(consent=False)).decide(),
        Action.CREATE,
        Cause.REFUSED,
        "guards",
        ["--yes"],
    ),
    "nothing in the way": (lambda: Situation(job()).decide(), Action.CREATE, Cause.PLANNED, "record-manifest", []),
    "too many": (
        lambda: Situation(job(), options=Options(max_create=0)).decide(),
        Action.CREATE,
        Cause.REFUSED,
        "guards",
        ["--max-create 1"],
    ),
    "back-off": (
        lambda: one(collected(1, "FAILED", end_time=NOW), backoff_limit=1).decide(),
        Action.RETRY,
        Cause.OTHER,
        "same-work",
        ["at 2026-11-22T12:00:", "--rerun a", "batchctl retry a"],
    ),
    "no retries left": (
        lambda: one(FAILED).decide(),
        Action.RETRY,
        Cause.OTHER,
        "same-work",
        ["--rerun a", "batchctl retry a", "batchctl retry a --rows all", "lifecycle.backoffLimit: 1"],
    ),
    "an end that is not retried": (
        lambda: one(collected(1, "CANCELLED"), backoff_limit=1).decide(),
        Action.RETRY,
        Cause.OTHER,
        "same-work",
        ["--rerun a", "batchctl retry a", "batchctl retry a --rows all", "lifecycle.retryOn with CANCELLED"],
    ),
    "no deadline": (
        lambda: one(attempt()).decide(),
        Action.COLLECT,
        Cause.OTHER,
        "same-work",
        ["when its remote job has succeeded", "when its remote job has failed", "when its remote job has expired"],
    ),
    "a deadline to come": (
        lambda: one(attempt(), active_deadline=2 * HOUR).decide(),
        Action.CANCEL,
        Cause.OTHER,
        "same-work",
        [
            "at 2026-11-22T13:00:00Z (deadline)",
            "batchctl cancel a",
        ],
    ),
    "a deadline that is over": (
        lambda: one(attempt(), active_deadline=MINUTE).decide(),
        Action.WAIT,
        Cause.OTHER,
        "same-work",
        ["lifecycle.activeDeadline: null"],
    ),
    "protected": (
        lambda: one(attempt(), protect=True).decide(),
        Action.DELETE,
        Cause.OTHER,
        "same-work",
        ["--allow-protected + batchctl destroy a"],
    ),
    "gone": (
        lambda: vanished(attempt()).decide(),
        Action.CREATE,
        Cause.OTHER,
        "same-work",
        ["lifecycle.onMissing: recreate"],
    ),
    "a change that is kept": (
        lambda: Situation(
            job(work="2", on_change=OnChange.KEEP), row(job(on_change=OnChange.KEEP), DONE), look(seen(DONE))
        ).decide(),
        Action.REPLACE,
        Cause.OTHER,
        "changed-work",
        ["lifecycle.onChange: replace"],
    ),
    "an order that is not there": (
        lambda: Situation(job(), options=Options(Scope(names=frozenset({"a"})))).decide(),
        Action.ADOPT,
        Cause.OTHER,
        "new",
        [],
    ),
    "another way to buy it": (
        lambda: one(DONE).decide(),
        Action.CREATE,
        Cause.OTHER,
        "same-work",
        ["--rerun a: retry"],
    ),
    "settling": (
        lambda: Situation(job(), row(job(), unanswered(first_look=LOCAL)), look()).decide(),
        Action.CREATE,
        Cause.OTHER,
        "unsent",
        ["at 2026-11-22T11:58:00Z (settling)"],
    ),
    "no manifest, kept results": (
        lambda: Situation(None, row(job(), DONE), look(seen(DONE))).decide(),
        Action.FORGET,
        Cause.OTHER,
        "removed",
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rule_in_the_way_and_what_leads_to_the_action(name: str) -> None:
    make, action, cause, rule, ways = CASES[name]
    said = ask(make, action)
    assert (said.cause, said.stage.rule.id) == (cause, rule), said
    shown = [
        words if said.is_exact else f"{words}: {way.action}"
        for words, way in zip(changes(said), said.ways, strict=True)
    ]
    assert len(shown) >= len(ways), shown
    assert [words for words in ways if not any(one.startswith(words) for one in shown)] == [], shown
    assert bool(shown) == bool(ways) or not said.is_exact, shown


@pytest.mark.parametrize(("most", "found"), [(10, []), (100_000, ["lifecycle.suspend: false + spec.suspend: false"])])
def test_pairs_are_tried_as_far_as_there_is_time(monkeypatch: pytest.MonkeyPatch, most: int, found: list[str]) -> None:
    monkeypatch.setattr(answer, "MOST_WORK", most)
    assert changes(ask(broken_pair, Action.CREATE)) == found
