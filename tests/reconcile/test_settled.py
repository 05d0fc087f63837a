"""Jobs about which nothing is new: no rule runs for them but the one that decides."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import Gone, Present
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import RowSettings
from batchctl.model.states import Phase
from batchctl.model.steps import Create, Note
from batchctl.reconcile.decide.decision import rest
from batchctl.reconcile.decide.steps import is_recorded, job_row
from batchctl.reconcile.rule import Trait, acts, traits_of
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.order import sort_by_needs
from batchctl.reconcile.view.subject import JobKind, Subject
from tests.support.decisions import (
    HOUR,
    NOW,
    THERE,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    unanswered,
)
from tests.support.values import field_names, replace

QUIET = rest(Phase.SUCCEEDED, Reason.SUCCEEDED, "succeeded")
DONE = collected()


def view(**changes: object) -> AttemptView:
    return replace(AttemptView(DONE, Present(seen(DONE))), **changes)


def subject(**changes: object) -> Subject:
    wanted = job()
    return replace(Subject("a", wanted, row(wanted, DONE), (view(),)), **changes)


SETTLED = subject()
ORDERED = replace(row(job(), DONE), row=replace(row(job(), DONE).row, retry_requested=NOW))
CASES: dict[str, tuple[Subject, Decision, set[Trait]]] = {
    "nothing is new": (SETTLED, QUIET, set()),
    "a step": (SETTLED, QUIET.before(Create(AttemptKey("a", 2))), {Trait.ACTS}),
    "a step of the record": (SETTLED, replace(QUIET, base=(Create(AttemptKey("a", 2)),)), {Trait.ACTS}),
    "a decision for its refusal": (SETTLED, replace(QUIET, if_refused=QUIET), {Trait.ACTS}),
    "an action without a step": (SETTLED, replace(QUIET, action=Action.REPLACE), {Trait.ACTS}),
    "removed": (subject(desired=None, kind=JobKind.REMOVED), QUIET, {Trait.EXCEPTIONAL}),
    "named by a command": (subject(kind=JobKind.CANCEL_COMMAND), QUIET, {Trait.EXCEPTIONAL}),
    "seen in another way": (subject(views=(view(note=Note.REFRESHED),)), QUIET, {Trait.NEWS}),
    "incomplete results": (subject(views=(view(missing="rows"),)), QUIET, {Trait.RESULTS}),
    "results to collect": (subject(views=(view(attempt=replace(DONE, results=None)),)), QUIET, {Trait.RESULTS}),
    "two remote jobs": (subject(views=(view(duplicates=(found(),)),)), QUIET, {Trait.SEVERAL}),
    "two attempts": (
        subject(views=(view(), view(attempt=collected(2))), recorded=row(job(), DONE, collected(2))),
        QUIET,
        {Trait.SEVERAL},
    ),
    "a time to live": (
        subject(desired=job(ttl_after_finished=HOUR), recorded=row(job(ttl_after_finished=HOUR), DONE)),
        QUIET,
        {Trait.TTL},
    ),
    "other labels": (subject(desired=replace(job(), labels={"team": "x"})), QUIET, {Trait.UNRECORDED}),
    "not in the state": (subject(recorded=None), QUIET, {Trait.UNRECORDED}),
    "ordered before": (subject(recorded=ORDERED), QUIET, {Trait.ORDERED}),
    "bought again": (replace(SETTLED, name="again", recorded=SETTLED.recorded), QUIET, {Trait.ORDERED}),
    "no attempt": (subject(recorded=row(job()), views=()), QUIET, {Trait.UNSENT}),
    "an attempt without a remote job": (
        subject(views=(view(attempt=unanswered(), presence=Gone()),)),
        QUIET,
        {Trait.UNSENT},
    ),
    "results of before": (
        subject(views=(view(attempt=replace(DONE, remote=None, state=None), presence=Gone()),)),
        QUIET,
        set(),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_traits_of_a_job(case: str) -> None:
    of, decision, expected = CASES[case]
    assert traits_of(of, {"again"}) == expected - {Trait.ACTS}
    assert acts(decision) == (Trait.ACTS in expected)


def test_an_attempt_at_work_has_no_results_to_collect() -> None:
    running = attempt()
    at_work = subject(recorded=row(job(), running), views=(view(attempt=running, presence=Present(seen(running))),))
    assert traits_of(at_work, set()) == set()


OTHER: dict[str, object] = {
    "kind": "EmbeddingsBatchJob",
    "provider": "other",
    "model": "other",
    "path": "other.yaml",
    "account": THERE,
    "lifecycle": Lifecycle(protect=True),
    "row_settings": RowSettings(reuse=False),
    "labels": {"team": "x"},
    "display_name": "other",
    "depends_on": ("b",),
    "priority": 7,
    "webhook": {"uri": "other"},
    "current": 2,
    "removing_time": NOW,
    "released_time": NOW,
}


@pytest.mark.parametrize("name", sorted(field_names(type(row(job(), DONE).row))))
def test_a_job_is_recorded_if_its_row_would_be_the_same(name: str) -> None:
    """Whichever field of the row differs; those that no manifest has are kept as they are."""
    wanted, recorded = job(), row(job(), DONE).row
    assert is_recorded(wanted, recorded, 1)
    assert job_row(wanted, recorded, 1) == recorded
    changed = replace(recorded, **{name: OTHER.get(name, getattr(recorded, name))})
    assert is_recorded(wanted, changed, 1) == (job_row(wanted, changed, 1) == changed) == (name not in OTHER)


def test_jobs_that_are_decided_alike_share_one_decision() -> None:
    jobs = [job(name) for name in "abc"]
    records = [attempt(name="a"), attempt(name="b"), collected(name="c")]
    rows = [row(wanted, record) for wanted, record in zip(jobs, records, strict=True)]
    first, second, third = decide(jobs, rows, [look(*map(seen, records))]).jobs
    assert first.decision is second.decision
    assert third.decision != first.decision


@given(st.dictionaries(st.sampled_from("abcdefg"), st.frozensets(st.sampled_from("abcdefgx"), max_size=3)))
def test_the_order_of_jobs_is_that_of_a_sorter_that_knows_them_all(needs: dict[str, frozenset[str]]) -> None:
    known = {name: {other for other in wanted if other in needs} for name, wanted in needs.items()}
    free = {name: wanted for name, wanted in known.items() if not _is_in_circle(name, known)}
    sorter = TopologicalSorter(free)
    sorter.prepare()
    names: list[str] = []
    while ready := sorter.get_ready():
        names.extend(sorted(ready))
        sorter.done(*ready)
    circles = sorted(known.keys() - free.keys())
    made = sort_by_needs(needs)
    assert (made.names, made.in_circles) == ((*names, *circles), frozenset(circles))


def _is_in_circle(name: str, needs: dict[str, set[str]]) -> bool:
    """Whether a job depends on itself, or on one that does."""

    def reach(start: str) -> set[str]:
        found: set[str] = set()
        left = [start]
        while left:
            for other in needs[left.pop()] - found:
                found.add(other)
                left.append(other)
        return found

    return any(one in reach(one) for one in {name, *reach(name)})
