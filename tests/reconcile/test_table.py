"""The rule table: its ids, the trail that each rule leaves, and the neighbours whose order decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.chain import Chain
from batchctl.model.cost.spending import SpendingLimits
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import MOST_ATTEMPTS, BrokenMark
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.locations import Location
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowWork
from batchctl.model.sources import AwaitedRows, LocalFile
from batchctl.model.stack import Limits, Moved
from batchctl.reconcile import Options, Scope, fold, plan
from batchctl.reconcile.rule import FirstRule, Rule, Trait
from batchctl.reconcile.table import FIRST_RULES, RULES, STACK_RULES
from batchctl.reconcile.view.subject import JobKind
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    STACK,
    Situation,
    attempt,
    collected,
    decide,
    digest,
    found,
    job,
    kept,
    look,
    one,
    row,
    seen,
    several,
    unanswered,
    with_rows,
)
from tests.support.values import replace

TABLES = {"FIRST_RULES": FIRST_RULES, "RULES": RULES, "STACK_RULES": STACK_RULES}
ALL_RULES = (*FIRST_RULES, *RULES, *STACK_RULES)
ONLY_A = Scope(names=frozenset({"a"}))
RETRY = Options(ONLY_A, retry=True)
CAREFUL = Options(consent=False)
FAILED, DONE = collected(1, "FAILED"), collected()
REFUSED = attempt(1, None, remote=None, rejected=True)
OTHER = collected(name="z", results="z/1")
"""Results of the same work under another name."""
TTL = {"ttl_after_finished": HOUR / 4}


def ordered(options: Options, record: RecordedAttempt) -> Plan:
    return replace(one(record), options=options).decide()


def with_broken_mark() -> Plan:
    shown = replace(found(), mark=None, broken=BrokenMark.find("[bc1 shop/a@1.0 0123456789ab tok"))
    return decide([job(), job("b", work="2")], [row(job(), attempt())], [look(shown)])


def with_taken_name() -> Plan:
    """`spec.moved` gives `b` the name of another job, and a new one does the same work."""
    stack = replace(STACK, moved=(Moved("b", "a", Location("batchctl.yaml")),))
    records = [attempt(), attempt(name="b")]
    jobs = {record.key.job: row(job(record.key.job), record) for record in records}
    looks = look(*(seen(record) for record in records))
    return plan(DesiredStack(stack, (job(), job("c"))), Recorded(jobs), {HERE: looks}, LOCAL)


def removed_pair() -> Plan:
    """Two jobs without a manifest, of which `b` depends on `a`."""
    records = [attempt(), attempt(name="b")]
    rows = [row(job(), records[0]), row(job("b", needs="a"), records[1])]
    return decide([], rows, [look(*(seen(record) for record in records))], Options(allow_empty=True))


def bounded_job(name: str = "a") -> DesiredJob:
    """A job with 100 tokens of input, and at most 100 of output."""
    source = LocalFile(Path("/s/rows.jsonl"), "0" * 64, 10, output_tokens=100)
    return replace(job(name, tokens=100), source=source)


def full_account(**changes: object) -> Plan:
    """A job that waits to be tried again, on an account with no capacity left."""
    wanted = replace(job(backoff_limit=1), **changes)
    record = row(job(backoff_limit=1), FAILED)
    limits = Limits(admission=AdmissionLimits(active=1))
    busy = attempt(name="b")
    return decide([wanted, job("b")], [record, row(job("b"), busy)], [look(seen(FAILED), seen(busy))], limits=limits)


def retry_after_a_failed_dependency() -> Plan:
    needed, wanted = job("b", work="2"), job(needs="b")
    failed = collected(name="b", state="FAILED", work="2")
    rows = [row(wanted, FAILED), row(needed, failed)]
    return decide([wanted, needed], rows, [look(seen(FAILED), seen(failed))], RETRY)


def chain_with_former_rows() -> Plan:
    """A job whose rows are made from the answers of another one, which runs again."""
    chain = replace(job(needs="b", work="2"), source=AwaitedRows(Chain("b", "0" * 64)))
    running = attempt(name="b")
    return decide([chain, job("b")], [row(chain, DONE), row(job("b"), running)], [look(seen(DONE), seen(running))])


def two_broken_copies() -> Plan:
    """The attempt that counts uses a copy that is not whole any more, nor are the results of the one before."""
    copy = collected(2, remote=None, results="a/2")
    return Situation(job(), row(job(), DONE, copy), look(seen(DONE)), inventory=kept(OTHER)).decide()


ALL_ANSWERED = RowWork(total=3, answered=3, to_send=0, retried=0, retryable=0)


def known_work_with_a_ledger() -> Plan:
    """Another job has results of the same work, and the job's own ledger has an answer for each row."""
    return Situation(job(), inventory=replace(kept(OTHER), rows={"a": ALL_ANSWERED})).decide()


PLANS: dict[str, Callable[[], Plan]] = {
    "cancel-command": lambda: ordered(Options(ONLY_A, cancel=True), attempt()),
    "retry-refused": lambda: ordered(RETRY, attempt()),
    "new": lambda: Situation(job()).decide(),
    "rerun-order": lambda: ordered(Options(rerun=frozenset({"a"})), DONE),
    "retry-order": lambda: ordered(RETRY, FAILED),
    "unsent": lambda: Situation(job(), row(job(), unanswered())).decide(),
    "same-work": lambda: one(attempt()).decide(),
    "awaited-rows": chain_with_former_rows,
    "changed-work": lambda: Situation(job(work="2"), row(job(), attempt()), look(found())).decide(),
    "removed": lambda: Situation(None, row(job(), attempt()), look(found())).decide(),
    "if-refused": lambda: Situation(None, row(job(), attempt()), look(found())).decide(),
    "known-work": lambda: Situation(job(), inventory=kept(OTHER)).decide(),
    "choose-rows": lambda: Situation(job(), inventory=with_rows(ALL_ANSWERED)).decide(),
    "restored-copy": two_broken_copies,
    "collected-again": lambda: replace(several(DONE, attempt(2)), inventory=kept()).decide(),
    "ttl": lambda: one(DONE, **TTL).decide(),
    "last-copy": lambda: replace(one(replace(DONE, results_lost=True), **TTL), inventory=kept()).decide(),
    "duplicates": lambda: Situation(job(), row(job(), attempt()), look(found(), found(suffix="-b"))).decide(),
    "incomplete-list": lambda: Situation(job(work="2"), row(job(), attempt()), look(found(), complete=False)).decide(),
    "attempt-number": lambda: one(collected(MOST_ATTEMPTS, "FAILED"), backoff_limit=1).decide(),
    "adoption": lambda: Situation(job(), look=look(found())).decide(),
    "found-results": lambda: Situation(job(), inventory=kept(DONE)).decide(),
    "record-attempts": lambda: one(attempt(), "SUCCEEDED").decide(),
    "record-manifest": lambda: Situation(job()).decide(),
    "record-orphan": lambda: Situation(look=look(found()), options=Options(prune_orphans=True)).decide(),
    "record-retry-order": lambda: ordered(RETRY, FAILED),
    "dependencies": lambda: decide([job(needs="b"), job("b", work="2")], [], [look()]),
    "removal-order": removed_pair,
    "damaged-marks": with_broken_mark,
    "name-clashes": with_taken_name,
    "likely-renames": lambda: decide([job("b")], [row(job(), attempt())], [look(found())]),
    "guards": lambda: Situation(job(), options=CAREFUL).decide(),
    "budget": lambda: decide([bounded_job()], [], [look()], limits=Limits(spending=SpendingLimits(tokens=199))),
    "admission": full_account,
    "settings": lambda: replace(one(attempt()), wanted=replace(job(), labels={"team": "x"})).decide(),
    "refused": lambda: Situation(job(), options=CAREFUL).decide(),
}
"""For each rule a plan that it changes."""


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_each_rule_that_changed_a_decision_is_in_its_trail(rule) -> None:
    made = PLANS[rule.id]()
    assert (rule.id, rule.does) in {(step.id, step.does) for decided in made.jobs for step in decided.trail}


def test_the_ids_are_unique_and_in_kebab_case() -> None:
    ids = [rule.id for rule in ALL_RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_each_rule_says_what_it_does_and_why_it_stands_there(rule) -> None:
    assert rule.does
    assert not rule.does.endswith(".")
    assert rule.why_here.endswith(".")


NEEDED: dict[tuple[str, Trait], Callable[[], Plan]] = {
    ("if-refused", Trait.ACTS): lambda: Situation(job(work="2"), row(job(), attempt()), look(found())).decide(),
    ("if-refused", Trait.EXCEPTIONAL): lambda: Situation(None, row(job(), attempt()), look(complete=False)).decide(),
    ("record-manifest", Trait.ACTS): lambda: one(FAILED, backoff_limit=1).decide(),
    ("record-manifest", Trait.UNRECORDED): PLANS["settings"],
}
"""For rules of several traits, a plan that the rule changes because of this one."""


@pytest.mark.parametrize(
    ("rule", "trait"),
    [
        pytest.param(rule, trait, id=f"{rule.id}, {trait}")
        for rule in (*FIRST_RULES, *RULES)
        for trait in sorted(rule.concerns or ())
    ],
)
def test_each_rule_is_for_jobs_with_each_of_its_traits(rule: FirstRule | Rule, trait: Trait, monkeypatch) -> None:
    """Without it, a decision differs from that of the whole table, which `conftest` compares it with."""
    make = NEEDED.get((rule.id, trait), PLANS[rule.id])
    fewer = replace(rule, concerns=rule.concerns - {trait})
    for name, rules in (("FIRST_RULES", FIRST_RULES), ("RULES", RULES)):
        monkeypatch.setattr(fold, name, tuple(fewer if one is rule else one for one in rules))
    with pytest.raises(AssertionError):
        make()


@pytest.mark.parametrize("kind", JobKind)
def test_the_first_rules_decide_about_every_kind_of_job(kind: JobKind) -> None:
    assert any(kind in rule.kinds for rule in FIRST_RULES)


def test_a_trail_has_the_order_of_the_table() -> None:
    order = {rule.id: place for place, rule in enumerate(ALL_RULES)}
    for made in (make() for make in PLANS.values()):
        for decided in made.jobs:
            places = [order[rule.id] for rule in decided.trail]
            assert places == sorted(set(places))
            assert decided.trail[0].id in {rule.id for rule in FIRST_RULES}


def test_a_rule_that_changes_nothing_leaves_no_trail() -> None:
    assert [rule.id for rule in one(attempt()).decide().jobs[0].trail] == ["same-work"]


def refused_retry_of_the_last_number() -> Plan:
    last = collected(MOST_ATTEMPTS, "FAILED")
    return Situation(job(backoff_limit=1), row(job(backoff_limit=1)), look(seen(last))).decide()


def adopted_with_results_of_another_attempt() -> Plan:
    return Situation(job(), row(job()), look(found(2)), inventory=kept(DONE)).decide()


def duplicate_on_a_page_that_failed() -> Plan:
    return Situation(job(), row(job(), attempt()), look(found(), found(suffix="-b"), complete=False)).decide()


def refused_create_before_another() -> Plan:
    """A protected job is not replaced, so it takes no capacity from `b`."""
    old, new = job(), job(work="2", protect=True)
    wanted = [new, job("b", work="3")]
    limits = Limits(admission=AdmissionLimits(active=1))
    return decide(wanted, [row(old, FAILED)], [look(seen(FAILED))], limits=limits)


def refused_create_that_needs_no_budget() -> Plan:
    """A protected job is not replaced, so `b` gets the whole budget."""
    old, new = job(), replace(bounded_job(), digest=digest("2"), lifecycle=Lifecycle(protect=True))
    limits = Limits(spending=SpendingLimits(tokens=200))
    return decide([new, bounded_job("b")], [row(old, FAILED)], [look(seen(FAILED))], limits=limits)


def create_without_a_budget_before_another() -> Plan:
    """Nothing bounds the output of `a`: it is refused, and takes no capacity from `b`."""
    limits = Limits(admission=AdmissionLimits(active=1), spending=SpendingLimits(tokens=200))
    return decide([job(tokens=100), bounded_job("b")], [], [look()], limits=limits)


SWAPPED: dict[tuple[str, str], Callable[[], Plan]] = {
    ("new", "rerun-order"): lambda: Situation(job()).decide(),
    ("retry-order", "unsent"): lambda: Situation(job(), row(job(), REFUSED), look(), RETRY).decide(),
    ("unsent", "same-work"): lambda: Situation(job(), row(job(), unanswered())).decide(),
    ("awaited-rows", "changed-work"): chain_with_former_rows,
    ("known-work", "choose-rows"): known_work_with_a_ledger,
    ("restored-copy", "collected-again"): two_broken_copies,
    ("ttl", "last-copy"): PLANS["last-copy"],
    ("duplicates", "incomplete-list"): duplicate_on_a_page_that_failed,
    ("attempt-number", "adoption"): refused_retry_of_the_last_number,
    ("adoption", "found-results"): adopted_with_results_of_another_attempt,
    ("record-attempts", "record-manifest"): lambda: Situation(job(), look=look(found())).decide(),
    ("record-retry-order", "dependencies"): retry_after_a_failed_dependency,
    ("name-clashes", "likely-renames"): with_taken_name,
    ("likely-renames", "guards"): PLANS["likely-renames"],
    ("guards", "budget"): refused_create_that_needs_no_budget,
    ("budget", "admission"): create_without_a_budget_before_another,
    ("admission", "settings"): lambda: full_account(labels={"team": "x"}),
}
"""Neighbours of the table, and a plan that is another one if they change places."""


INDEPENDENT = {
    ("cancel-command", "retry-refused"): "other kinds of jobs",
    ("retry-refused", "new"): "other kinds of jobs",
    ("rerun-order", "retry-order"): "each asks whether the other has given an order",
    ("same-work", "awaited-rows"): "the same work; other work",
    ("changed-work", "removed"): "other kinds of jobs",
    ("if-refused", "known-work"): "replacements and removals; creates and retries",
    ("choose-rows", "restored-copy"): "creates; waits",
    ("collected-again", "ttl"): "a delete collects for itself",
    ("last-copy", "duplicates"): "deletes; cancels",
    ("incomplete-list", "attempt-number"): "both end in no create",
    ("found-results", "record-attempts"): "the words; the record",
    ("record-manifest", "record-orphan"): "other kinds of jobs",
    ("record-orphan", "record-retry-order"): "other kinds of jobs",
    ("removal-order", "damaged-marks"): "removals; creates",
    ("damaged-marks", "name-clashes"): "a refusal beside a wait",
    ("settings", "refused"): "each asks whether the job is refused",
}
"""Neighbours that may change places, and what sets them apart. Their order is for the reader."""


def neighbours() -> Iterator[tuple[str, str]]:
    for rules in TABLES.values():
        yield from ((first.id, second.id) for first, second in pairwise(rules))


def test_of_all_neighbours_it_is_known_whether_their_order_decides() -> None:
    assert sorted([*SWAPPED, *INDEPENDENT]) == sorted(neighbours())


@pytest.mark.parametrize("pair", SWAPPED, ids=" and ".join)
def test_neighbours_that_change_places_make_another_plan(
    pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outcome(SWAPPED[pair])
    swap(pair, monkeypatch)
    assert outcome(SWAPPED[pair]) != before


@pytest.mark.no_cover
@pytest.mark.parametrize("pair", INDEPENDENT, ids=" and ".join)
def test_independent_neighbours_may_change_places(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = [outcome(make) for make in (*PLANS.values(), *SWAPPED.values())]
    swap(pair, monkeypatch)
    assert [outcome(make) for make in (*PLANS.values(), *SWAPPED.values())] == before


def swap(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rules in TABLES.items():
        ids = [rule.id for rule in rules]
        if pair[0] in ids:
            at = ids.index(pair[0])
            monkeypatch.setattr(fold, name, (*rules[:at], rules[at + 1], rules[at], *rules[at + 2 :]))


def outcome(make: Callable[[], Plan]) -> list[object]:
    """What a plan says of its jobs, but for their trails; the kind of error where there is none."""
    try:
        return [replace(decided, decision=replace(decided.decision, trail=())) for decided in make().jobs]
    except (AssertionError, StopIteration) as error:
        return [type(error)]
