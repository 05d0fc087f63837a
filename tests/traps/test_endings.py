"""Traps of the reference in how jobs end: cancels, deletes, failures, and what vanishes by itself."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta

import pytest

from batchctl.emulator.settings import Settings
from batchctl.model.lifecycle import OnMissing
from batchctl.reconcile import Options
from tests.support.engine import inline, job, phases, results
from tests.support.trap_stories import on_operations, refused, told

STUCK = {"match": {"displayName": "*/a@*"}, "fate": "stuck"}
RUNS_LONG = {"match": {"displayName": "*/a@*"}, "pending": "0s", "running": "10m"}
GIVES_UP_NEVER = {"backoff_limit": 5, "retry_on": frozenset({"FAILED", "EXPIRED", "CANCELLED"})}
shown = on_operations("list", "get")


def remote_state(world, name="a"):
    """State and whether deleted, of the one remote job of a job."""
    (found,) = [one for one in world.here.jobs() if one["mark"] and one["mark"].key.job == name]
    return found["state"].removeprefix("BATCH_STATE_"), found["deleted"]


def cancelled_shown_as_failed(operation):
    if operation["metadata"]["state"] == "BATCH_STATE_CANCELLED":
        operation["metadata"]["state"] = "BATCH_STATE_FAILED"
        operation["error"] = {"code": 1, "message": "cancelled", "details": [{"@type": "x", "n": [1]}]}


def cancel_without_effect(asked):
    return told({}) if asked.what == "cancel" else None


@pytest.mark.parametrize(
    ("cancel_refused", "delete_refused", "forbidden"), list(itertools.product([False, True], repeat=3))
)
def test_removal_under_every_switch(make_world, cancel_refused, delete_refused, forbidden):
    """1.6, 9: one works and is cancelled, waited for and deleted; one has ended, and its results are collected first."""
    world = make_world(settings=Settings(cancel_finished_refused=cancel_refused, delete_active_refused=delete_refused))
    foreign = world.make_foreign()
    world.here.rules(RUNS_LONG)
    world.apply(job("a"), job("ended"), job("stays"))
    world.time.sleep(10)
    faults = [{"method": "batches.get", "kind": "forbiddenAfterDelete"}] if forbidden else []
    world.here.faults(*faults)
    report = world.watch(job("stays"))
    assert (results(report), world.recorded().jobs.keys()) == (
        dict.fromkeys(("a", "ended", "stays"), "done"),
        {"stays"},
    )
    assert (remote_state(world), remote_state(world, "ended")) == (("CANCELLED", True), ("SUCCEEDED", True))
    assert world.result_rows("ended").keys() == {"k1", "k2"}
    sent = Counter(call.split()[0] for call in world.writes())
    assert sent == {"create": 3, "cancel": 1, "delete": 2}
    assert results(world.apply(job("stays"))) == {"stays": "done"}
    assert Counter(call.split()[0] for call in world.writes()) == sent
    assert foreign in [one["name"] for one in world.here.jobs() if not one["deleted"]]


def test_no_delete_is_ever_sent_to_a_job_that_works(world):
    """1.6: whether that stops the job, or is refused, nobody knows."""
    world.here.rules({**RUNS_LONG, "fate": "cancelSlow", "running": "5m"})
    world.apply(job("a"), job("b"))
    world.time.sleep(1)
    states = []
    world.here.wire.before = lambda what, on: states.append(remote_state(world)[0]) if what == "delete" else None
    world.watch(job("b"))
    assert (states, remote_state(world)) == (["CANCELLED"], ("CANCELLED", True))


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_cancel_that_comes_too_late(make_world, is_refused):
    """9: the job ends between the look and the cancel; it is a success, collected before it goes."""
    world = make_world(settings=Settings(cancel_finished_refused=is_refused))
    world.apply(job("a"), job("b"))
    world.here.wire.before = lambda what, on: world.time.sleep(10) if what == "cancel" else None
    report = world.watch(job("b"))
    assert (results(report), remote_state(world)) == ({"a": "done", "b": "done"}, ("SUCCEEDED", True))
    assert world.result_rows("a").keys() == {"k1", "k2"}


@pytest.mark.parametrize("twist", [None, shown(cancelled_shown_as_failed)], ids=["CANCELLED", "FAILED"])
@pytest.mark.parametrize("on_purpose", ["removed", "replaced", "cancelled"])
def test_the_state_after_our_cancel_is_nobodys_failure(world, twist, on_purpose):
    """1.6: straight after a cancel a job may show as FAILED. Though failures are tried again here, this one is not."""
    world.here.rules(RUNS_LONG)
    first, other = job("a", **GIVES_UP_NEVER), job("b")
    world.apply(first, other)
    world.time.sleep(1)
    world.line.twist = twist or world.line.twist
    if on_purpose == "cancelled":
        world.apply(first, other, options=Options(cancel=True))
    wanted = {"removed": [], "replaced": [job("a", run_id="2", **GIVES_UP_NEVER)], "cancelled": [first]}[on_purpose]
    report = world.watch(*wanted, other)
    assert on_purpose != "cancelled" or phases(report)["a"] in {"Cancelled", "Failed"}
    world.time.advance(timedelta(hours=5))
    world.apply(*wanted, other)
    made = {call: count for call, count in world.writes().items() if call.startswith("create a")}
    assert made == {"create a@1.0": 1, **({"create a@2.0": 1} if on_purpose == "replaced" else {})}


@pytest.mark.parametrize("on_purpose", ["removed", "replaced", "cancelled"])
def test_a_job_that_succeeds_after_our_cancel_is_a_success(world, on_purpose):
    """1.4, 5: best effort means that it may have no effect. The results are kept, and not paid for again."""
    world.apply(job("a"), job("b"))
    world.line.twist = cancel_without_effect
    if on_purpose == "cancelled":
        world.apply(job("a"), job("b"), options=Options(cancel=True))
        report = world.watch(job("a"), job("b"))
        assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
        assert world.writes()["create a@1.0"] == 1
    else:
        jobs = [job("a", run_id="2")] if on_purpose == "replaced" else []
        report = world.watch(*jobs, job("b"))
        assert set(results(report).values()) == {"done"}
    (attempt_1,) = world.results.glob("a/*-1/results.jsonl")
    assert attempt_1.read_text().count('"candidates"') == 2
    assert world.line.twisted >= 1


def test_a_cancelled_job_keeps_its_partial_output(world):
    """1.4: what was answered by then was paid for."""
    world.here.rules(RUNS_LONG)
    keys = tuple(f"k{number}" for number in range(10))
    world.apply(job("a", inline(*keys)), job("b"))
    world.time.sleep(300)
    report = world.watch(job("b"))
    assert results(report) == {"a": "done", "b": "done"}
    (lines,) = world.results.glob("a/*/results.jsonl")
    kept = lines.read_text().count('"candidates"')
    assert 4 <= kept <= 6
    assert remote_state(world) == ("CANCELLED", True)


@pytest.mark.parametrize("is_forbidden", [False, True], ids=["404", "403"])
@pytest.mark.parametrize("on_missing", list(OnMissing))
def test_a_job_that_somebody_deleted(world, is_forbidden, on_missing):
    """1.6: 404 says that it is gone, 403 says nothing at all; only the first is acted on, as the manifest says."""
    world.here.rules(RUNS_LONG)
    jobs = [job("a", on_missing=on_missing), job("b")]
    world.apply(*jobs)
    world.here.api("DELETE", world.attempt("a").remote)
    faults = [{"method": "batches.get", "kind": "forbiddenAfterDelete"}] if is_forbidden else []
    world.here.faults(*faults)
    report = world.watch(*jobs, timeout=timedelta(minutes=30))
    recreated = on_missing is OnMissing.RECREATE and not is_forbidden
    assert world.writes()["create a@2.0"] == int(recreated)
    expected = "Unknown" if is_forbidden else ("Succeeded" if recreated else "Failed")
    assert phases(report) == {"a": expected, "b": "Succeeded"}
    assert world.writes()["create a@1.0"] == 1


@pytest.mark.parametrize("is_forbidden", [False, True], ids=["404", "403"])
def test_a_job_that_ended_and_vanished_is_not_bought_again(world, is_forbidden):
    """10: results go after six weeks, entries of the list after nobody knows how long."""
    jobs = [job("a", on_missing=OnMissing.RECREATE), job("b")]
    world.watch(*jobs)
    for one in world.here.jobs():
        world.here.api("DELETE", one["name"])
    faults = [{"method": "batches.get", "kind": "forbiddenAfterDelete"}] if is_forbidden else []
    world.here.faults(*faults)
    report = world.watch(*jobs)
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert world.writes() == {"create a@1.0": 1, "create b@1.0": 1}


def test_a_job_that_never_begins_to_run_is_waited_for_until_it_expires(world):
    """13: jobs stuck for days, and jobs that expire unserved."""
    world.here.rules(STUCK)
    for _ in range(2):
        report = world.watch(job("a"), job("b"), timeout=timedelta(minutes=5))
        assert (phases(report), str(report.stopped.code)) == ({"a": "Active", "b": "Succeeded"}, "TimeUp")
        world.time.advance(timedelta(hours=30))
    report = world.watch(job("a"), job("b"))
    assert phases(report) == {"a": "Expired", "b": "Succeeded"}
    assert world.writes() == {"create a@1.0": 1, "create b@1.0": 1}


@pytest.mark.parametrize(
    "error",
    [
        {"code": 8, "message": "Enqueued token quota exceeded", "details": [{"@type": "x", "links": [{}]}]},
        {"code": 13, "message": "Batch x failed without error."},
        {"code": "13", "message": None, "details": {"not": "a list"}},
        {},
    ],
    ids=["quota, object details", "no reason", "odd types", "empty"],
)
def test_a_failed_job_says_why_and_spoils_no_list(world, error):
    """1.4, 6.6: one failed job with details that are objects breaks a whole listing elsewhere."""
    world.here.rules({"match": {"displayName": "*/a@*"}, "fate": "fail"})

    def failing(operation):
        if "error" in operation:
            operation["error"] = error

    world.line.twist = shown(failing)
    report = world.watch(job("a"), job("b"))
    assert phases(report) == {"a": "Failed", "b": "Succeeded"}
    assert (error.get("message") or "") in world.attempt("a").error.message
    assert world.writes() == {"create a@1.0": 1, "create b@1.0": 1}


def test_a_refusal_of_the_cancel_that_is_no_word_on_the_job_is_reported(world):
    """9: any other refusal of a cancel is an error of that job alone, and the cancel is not taken for sent."""
    world.here.rules(RUNS_LONG)
    world.apply(job("a"), job("b"))
    world.line.twist = lambda asked: refused(403, "PERMISSION_DENIED") if asked.what == "cancel" else None
    report = world.apply(job("b"))
    assert results(report)["a"] == "failed"
    assert (world.attempt("a").cancel_time, remote_state(world)[1]) == (None, False)
    world.line.twist = lambda asked: None
    assert results(world.watch(job("b"))) == {"a": "done", "b": "done"}
