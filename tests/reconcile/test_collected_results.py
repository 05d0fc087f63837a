"""Collected results that are not in the results folder any more: brought back while the API has them, never given up."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import Operation, RecordedAttempt, Trouble
from batchctl.model.inventory import Inventory
from batchctl.model.lifecycle import OnChange, OnRemove
from batchctl.model.observed import Present, RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import RowWork
from batchctl.model.sources import InlineRows, RemoteSource, RequestRow
from batchctl.model.steps import Collect, Create, Delete
from batchctl.reconcile import Options, results_relied_on
from batchctl.reconcile.decide.retry_order import why_no_new_attempt
from batchctl.reconcile.view.attempt_view import AttemptView
from tests.support.decisions import (
    HOUR,
    MINUTE,
    NOW,
    Situation,
    attempt,
    collected,
    decide,
    job,
    kept,
    look,
    one,
    row,
    seen,
    several,
    show,
    vanished,
)
from tests.support.values import replace

PART = RowCounts(10, 7, 3)
DONE = collected(1, end_time=NOW - HOUR)
FAILED = attempt(1, "FAILED", results="a/1")
DAMAGED = Inventory(faults={"a/1": "results.jsonl is missing"})
OTHERS = kept(replace(DONE, remote="batches/other"))
NO_MORE = replace(DONE, results_lost=True)
TTL = {"ttl_after_finished": MINUTE}
DISCARD = Options(discard_results=True)
EMPTY = Options(allow_empty=True)
REMOVED = Situation(None, row(job(), DONE), look(seen(DONE)), EMPTY)
CHANGED = Situation(job(work="2"), row(job(), DONE), look(seen(DONE)))


@pytest.mark.parametrize(
    ("situation", "inventory", "expected"),
    [
        pytest.param(one(DONE), kept(DONE), "none Succeeded", id="whole"),
        pytest.param(one(DONE), None, "none Succeeded", id="nobody looked"),
        pytest.param(one(DONE), Inventory(problem="no access"), "none Succeeded", id="the folder cannot be read"),
        pytest.param(one(DONE), kept(), "collect Succeeded | collect a@1.0", id="missing"),
        pytest.param(one(DONE), DAMAGED, "collect Succeeded | collect a@1.0", id="damaged"),
        pytest.param(one(DONE), OTHERS, "collect Succeeded | collect a@1.0", id="another job's results there"),
        pytest.param(one(FAILED), kept(), "collect Failed | collect a@1.0", id="of a failed attempt, too"),
        pytest.param(
            one(FAILED, backoff_limit=1),
            kept(),
            "retry Waiting | collect a@1.0 | record job a@2 | create a@2.0",
            id="before a retry",
        ),
        pytest.param(
            vanished(DONE), kept(), "none Succeeded | record a@1.0 gone | ~ Vanished", id="gone: used long ago"
        ),
        pytest.param(
            replace(one(DONE), look=look(complete=False)), kept(), "none Succeeded", id="not seen: nothing is known"
        ),
        pytest.param(one(NO_MORE), kept(), "none ResultsLost", id="the API has them no more"),
        pytest.param(
            several(DONE, attempt(2)), kept(), "collect Active | collect a@1.0", id="of an attempt before this one"
        ),
        pytest.param(
            several(replace(DONE, results="a/1"), attempt(2, "SUCCEEDED")),
            kept(),
            "collect Succeeded | collect a@1.0 | collect a@2.0",
            id="of two attempts",
        ),
        pytest.param(one(DONE, **TTL), kept(DONE), "delete Succeeded | delete a@1.0", id="ttl over"),
        pytest.param(
            one(DONE, **TTL), kept(), "delete Succeeded | collect a@1.0 | delete a@1.0", id="ttl over: collected first"
        ),
        pytest.param(
            replace(one(DONE, **TTL), options=DISCARD),
            kept(),
            "delete Succeeded | delete a@1.0",
            id="ttl over: given up by the flag",
        ),
        pytest.param(
            one(NO_MORE, **TTL),
            kept(),
            "delete ResultsLost | ! ResultsMissing",
            id="ttl over: no last trace is deleted",
        ),
        pytest.param(
            replace(one(NO_MORE, **TTL), options=DISCARD),
            kept(),
            "delete ResultsLost | delete a@1.0",
            id="ttl over: let go",
        ),
        pytest.param(
            REMOVED, kept(), "delete Succeeded consent | collect a@1.0 | delete a@1.0 | forget a", id="removed"
        ),
        pytest.param(
            replace(REMOVED, options=replace(EMPTY, discard_results=True)),
            kept(),
            "delete Succeeded consent | delete a@1.0 | forget a",
            id="let go",
        ),
        pytest.param(
            replace(REMOVED, record=row(job(), NO_MORE)),
            kept(),
            "delete ResultsLost consent | ! ResultsMissing",
            id="removed: no last trace is deleted",
        ),
        pytest.param(
            replace(REMOVED, record=row(job(on_remove=OnRemove.CANCEL), DONE)),
            kept(),
            "forget Succeeded consent | collect a@1.0 | record job a@1 released",
            id="let go of by onRemove",
        ),
        pytest.param(
            CHANGED,
            kept(),
            "replace Succeeded consent | collect a@1.0 | delete a@1.0 | record job a@2 | create a@2.0",
            id="replaced",
        ),
        pytest.param(
            replace(CHANGED, record=row(job(), NO_MORE)),
            kept(),
            "replace ResultsLost consent | ! ResultsMissing",
            id="replaced: no last trace is deleted",
        ),
        pytest.param(
            Situation(
                job(),
                row(job(work="2"), DONE, attempt(2, work="2")),
                look(seen(attempt(2, work="2")), gone=["batches/a-1"]),
            ),
            kept(),
            "replace Active unfinished consent | record a@1.0 gone | cancel a@2.0 replace",
            id="changed back: what is not here is not used again",
        ),
    ],
)
def test_what_is_done_about_them(situation: Situation, inventory: Inventory | None, expected: str) -> None:
    assert show(replace(situation, inventory=inventory).decide()) == expected


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (
            one(DONE),
            "succeeded; its results are incomplete in the results folder (results.jsonl is missing): collected again",
        ),
        (
            vanished(DONE),
            "succeeded; its remote job is gone, and its results are incomplete here: results.jsonl is missing",
        ),
        (
            one(NO_MORE),
            "it succeeded, but its results are incomplete in the results folder (results.jsonl is missing), and the API no longer has them",
        ),
        (
            several(DONE, attempt(2)),
            "running; the results of attempt 1 are incomplete in the results folder: collected again",
        ),
    ],
)
def test_it_says_so(situation: Situation, words: str) -> None:
    (decided,) = replace(situation, inventory=DAMAGED).decide().jobs
    assert decided.reason == words


def test_a_refused_removal_deletes_no_last_trace_either() -> None:
    """What is done meanwhile is held to the same."""
    record = row(job(**TTL), NO_MORE)
    refused = replace(REMOVED, record=record, options=Options(consent=False, allow_empty=True), inventory=kept())
    assert show(refused.decide()) == "delete ResultsLost consent | ! ResultsMissing"
    held = replace(refused, wanted=job(work="2", on_change=OnChange.FAIL, **TTL))
    assert show(held.decide()) == "replace ResultsLost | record job a@1 | ! OnChangeFail"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (one(DONE, **TTL), "wait Succeeded"),
        (REMOVED, "wait Succeeded"),
        (Situation(job()), "wait Waiting"),
        (one(attempt(1), active_deadline=MINUTE), "cancel Active unfinished | cancel a@1.0 deadline"),
        (one(attempt(1, "SUCCEEDED")), "collect Succeeded | collect a@1.0"),
    ],
)
def test_a_folder_that_cannot_be_read_holds_back_what_relies_on_it(situation: Situation, expected: str) -> None:
    made = replace(situation, inventory=Inventory(problem="results: Permission denied")).decide()
    assert show(made) == expected
    words = "not done before the collected results can be read: results: Permission denied"
    assert made.jobs[0].reason.endswith(words) is expected.startswith("wait")
    assert made.unread == ((("results", "results: Permission denied"),) if expected.startswith("wait") else ())


def test_the_guard_names_the_way_out() -> None:
    (decided,) = replace(one(NO_MORE, **TTL), inventory=DAMAGED).decide().jobs
    assert decided.guard is not None
    assert decided.guard.way_out == "--discard-results"
    assert "attempt 1 are incomplete in the results folder (results.jsonl is missing)" in decided.guard.message


def test_a_plan_tells_on_which_results_its_deletes_rely() -> None:
    done, fresh = collected(1, end_time=NOW - HOUR), collected(2, end_time=NOW - HOUR)
    wanted = job(**TTL)
    made = decide([wanted], [row(wanted, done, fresh)], [look(seen(done), seen(fresh))], inventory=kept(done, fresh))
    assert results_relied_on(made) == ("a/1", "a/2")
    made = decide([wanted], [row(wanted, done, fresh)], [look(seen(done), seen(fresh))], inventory=kept(done))
    assert results_relied_on(made) == ("a/1",)
    assert [step.results for step in made.jobs[0].steps if isinstance(step, Delete)] == ["a/1", None]


def test_what_was_lost_can_be_bought_again_by_order() -> None:
    view = AttemptView(NO_MORE, Present(seen(DONE)), missing="gone")
    assert why_no_new_attempt(view, job(), None) is None
    assert why_no_new_attempt(replace(view, missing=None), job(), None) is not None


EARLIER = attempt(1, "SUCCEEDED", end_time=NOW - HOUR)
FULL = attempt(2, "SUCCEEDED", rows=PART, results="a/2", end_time=NOW - HOUR)


def earlier(first: RecordedAttempt = EARLIER, last: RecordedAttempt = FULL, **fields: object) -> Situation:
    """Two attempts at the API, of which the results folder has the later one."""
    wanted = replace(job(), **{"source": InlineRows((RequestRow(None, {}),) * 10), **fields})
    every = (first, last)
    return Situation(wanted, row(wanted, *every), look(*map(seen, every)), inventory=kept(last))


LATER = Trouble(Operation.COLLECT, "PermissionDenied", "no", "", NOW - HOUR, NOW - HOUR, next_time=NOW + HOUR)
DUE = replace(LATER, next_time=NOW - MINUTE)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (earlier(), True),
        (earlier(last=attempt(2)), True),
        (earlier(replace(EARLIER, trouble=DUE)), True),
        (earlier(replace(EARLIER, trouble=replace(DUE, next_time=None))), True),
        (earlier(replace(EARLIER, state="JOB_STATE_EXPIRED")), True),
        (earlier(replace(EARLIER, trouble=LATER)), False),
        (earlier(replace(EARLIER, state="JOB_STATE_FAILED")), False),
        (earlier(replace(EARLIER, digest="d1:0")), False),
        (earlier(row_settings=RowSettings(reuse=False)), False),
        (earlier(source=RemoteSource(("gs://a/b",))), False),
        (replace(earlier(), options=DISCARD), False),
        (replace(earlier(), wanted=None, options=Options(max_delete=0)), False),
    ],
    ids=[
        "the later one is here",
        "the later one works",
        "it failed before, and is due again",
        "it failed before",
        "expired",
        "it failed a moment ago",
        "failed as a whole",
        "other work",
        "rows.reuse is false",
        "rows that batchctl does not send",
        "--discard-results",
        "no manifest, and a guard",
    ],
)
def test_earlier_attempts_that_were_never_collected(made: Situation, *, expected: bool) -> None:
    """As after a loss of the state and the results folder: their answers count for the job."""
    (plan,) = made.decide().jobs
    found = [step.key.attempt for step in plan.steps if isinstance(step, Collect)]
    assert (1 in found) is expected
    assert ("the results of attempt 1 are not collected yet" in plan.reason) is expected


def test_they_are_collected_before_rows_are_sent_again() -> None:
    made = earlier()
    assert made.wanted is not None
    wanted = replace(made.wanted, lifecycle=replace(made.wanted.lifecycle, retry_on=frozenset({"ROWS"})))
    inventory = replace(kept(FULL), rows={"a": RowWork(10, 7, 3, 3, 3)})
    (plan,) = replace(made, wanted=wanted, inventory=inventory).decide().jobs
    assert plan.code is Reason.ROWS_RETRIED
    assert [type(step) for step in plan.steps if isinstance(step, Collect | Create)] == [Collect, Create]
