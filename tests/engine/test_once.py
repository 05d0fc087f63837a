"""Exactly once: whatever becomes of the create call, there is one remote job per attempt, and none is lost."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from batchctl.engine.steps.admitting import NotAdmittedError
from batchctl.model.attempts import Intent
from batchctl.model.errors import ReplyLost, Unauthenticated
from batchctl.model.stack import Limits
from tests.support.engine import MODEL, exit_codes, inline, job, live, made, phases, plan_of, results

GRACE = Limits().settle_grace.total_seconds()
CREATE = "batches.create"
LOST_REPLIES = [
    pytest.param({"kind": "cut", "when": "after"}, id="cut after"),
    pytest.param({"kind": "status", "status": 500, "when": "after"}, id="500 after"),
    pytest.param({"kind": "status", "status": 503, "when": "after"}, id="503 after"),
    pytest.param({"kind": "status", "status": 504, "when": "after"}, id="504 after"),
    pytest.param({"kind": "status", "status": 409, "when": "after"}, id="409 after"),
    pytest.param({"kind": "delay", "delay": "61s", "when": "after"}, id="time-out after"),
]
LOST_CALLS = [
    pytest.param({"kind": "cut", "when": "before"}, id="cut before"),
    pytest.param({"kind": "status", "status": 500, "when": "before"}, id="500 before"),
    pytest.param({"kind": "status", "status": 503, "when": "before"}, id="503 before"),
    pytest.param({"kind": "status", "status": 408, "when": "before"}, id="408 before"),
    pytest.param({"kind": "delay", "delay": "61s", "when": "before"}, id="time-out before"),
]
NOT_SENT = [
    pytest.param({"kind": "status", "status": 429}, id="429"),
    pytest.param({"kind": "status", "status": 429, "retryInfo": "43s"}, id="429 with a wait"),
    pytest.param({"kind": "status", "status": 401}, id="401"),
]
REFUSED = [pytest.param({"kind": "status", "status": status}, id=str(status)) for status in (400, 404, 422)]


def agrees(world, *names):
    """The state names every remote job that was made, and nothing else was made."""
    remotes = {one["mark"].key.job: one["name"] for one in world.here.jobs()}
    assert made(world.here) == {f"{name}@1.0": 1 for name in names}
    assert {name: world.attempt(name).remote for name in names} == remotes


@pytest.mark.parametrize("fault", LOST_REPLIES)
def test_a_lost_reply_is_found_again_by_its_mark(world, fault):
    world.here.faults({"method": CREATE, "count": 1, **fault})
    report = world.apply(job("a"), job("b"))
    agrees(world, "a", "b")
    assert results(report) == {"a": "done", "b": "done"}
    assert report.outcomes["a"].remote == world.attempt("a").remote
    assert world.here.calls(CREATE) == 2
    assert sum(world.clock.sleeps) < 2
    assert sorted(event for name in "ab" for event in world.events(name) if event in {"unanswered", "adopted"}) == [
        "adopted",
        "unanswered",
    ]


@pytest.mark.parametrize("fault", LOST_REPLIES)
def test_all_replies_lost_and_still_one_remote_job_each(world, fault):
    world.here.faults({"method": CREATE, **fault})
    names = [f"job-{number}" for number in range(12)]
    world.apply(*(job(name) for name in names))
    agrees(world, *names)
    assert world.here.calls(CREATE) == 12


@pytest.mark.parametrize("fault", LOST_CALLS)
def test_a_call_that_was_lost_on_its_way_is_sent_again_only_after_the_grace(world, fault):
    world.here.faults({"method": CREATE, "count": 1, **fault})
    begin = world.time.now()
    report = world.apply(job("a"))
    agrees(world, "a")
    assert results(report) == {"a": "done"}
    assert world.here.calls(CREATE) == 2
    assert (world.time.now() - begin).total_seconds() >= GRACE
    assert world.attempt("a").token == "token00001"
    assert [one["mark"].token for one in world.here.jobs()] == ["token00001"]


def test_a_call_that_is_lost_again_and_again_is_settled_each_time(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 3})
    begin = world.time.now()
    assert exit_codes(world.apply(job("a"))) == {1}
    world.watch(job("a"))
    agrees(world, "a")
    waited = (world.time.now() - begin).total_seconds()
    assert (world.here.calls(CREATE), waited >= 3 * GRACE) == (4, True)


def test_while_the_grace_runs_the_intent_stays_open_and_nothing_is_sent(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 1})
    first = world.one_pass(job("a"))
    assert isinstance(first.outcomes["a"].error, ReplyLost)
    assert world.attempt("a").intent == Intent(world.time.now())
    second = world.one_pass(job("a"))
    assert (results(second), plan_phase(second)) == ({"a": "pending"}, "Settling")
    looked = world.attempt("a").intent.first_look
    assert looked == world.time.now()
    world.time.sleep(GRACE - 1)
    third = world.one_pass(job("a"))
    assert (results(third), plan_phase(third)) == ({"a": "pending"}, "Settling")
    assert world.here.calls(CREATE) == 1
    world.time.sleep(1)
    assert results(world.one_pass(job("a"))) == {"a": "done"}
    assert world.here.calls(CREATE) == 2
    agrees(world, "a")


def plan_phase(report):
    (one,) = report.plan.jobs
    return str(one.phase)


def test_the_grace_does_not_run_while_the_list_cannot_be_read(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 1})
    world.one_pass(job("a"))
    world.here.faults({"method": "batches.list", "kind": "status", "status": 500})
    for _ in range(3):
        world.time.sleep(GRACE)
        blind = world.one_pass(job("a"))
        assert (results(blind), plan_phase(blind)) == ({"a": "pending"}, "Settling")
    assert world.attempt("a").intent.first_look is None
    world.here.faults()
    assert results(world.one_pass(job("a"))) == {"a": "pending"}
    assert world.here.calls(CREATE) == 1


@pytest.mark.parametrize("lag", ["60s", "170s"])
def test_a_list_that_lags_behind_a_lost_reply_makes_no_second_job(world, lag):
    world.here.faults(
        {"method": CREATE, "kind": "cut", "when": "after", "count": 1},
        {"method": "batches.list", "kind": "listLag", "delay": lag},
    )
    report = world.apply(job("a"))
    agrees(world, "a")
    assert results(report) == {"a": "done"}
    assert world.here.calls(CREATE) == 1
    assert sum(world.clock.sleeps) >= int(lag[:-1])


@pytest.mark.parametrize("jump", [timedelta(0), timedelta(hours=1)], ids=["", "and the local clock jumps"])
def test_a_grace_that_ran_out_during_a_look_is_not_over(world, jump):
    """The list's first page is from before the job showed; then the rest of the list took longer than the grace."""
    others = {"requests": [{"request": {"contents": [{"parts": [{"text": "theirs"}]}]}}]}
    body = {"batch": {"displayName": "not ours", "inputConfig": {"requests": others}}}
    world.here.api("POST", f"models/{MODEL}:batchGenerateContent", body)
    world.time.advance(timedelta(minutes=1))
    world.here.faults(
        {"method": CREATE, "kind": "cut", "when": "after", "count": 1},
        {"method": "batches.list", "kind": "listLag", "delay": "30s"},
        {"method": "batches.list", "kind": "emptyPage"},
    )
    pages = []

    def before(what, on):
        if what == "list" and len(world.clock.sleeps) == 1:
            world.local.skew = jump
        if what == "list" and len(world.clock.sleeps) == 2:
            pages.append(what)
            if len(pages) == 2:
                world.time.advance(timedelta(seconds=GRACE + 10))

    world.here.wire.before = before
    world.apply(job("a"))
    assert len(pages) >= 2
    assert world.attempt("a").remote in {one["name"] for one in world.here.jobs() if one["mark"]}
    assert made(world.here) == {"a@1.0": 1}


def test_an_empty_page_in_the_middle_of_the_list_hides_nothing(world):
    world.here.faults(
        {"method": CREATE, "kind": "cut", "when": "after"}, {"method": "batches.list", "kind": "emptyPage"}
    )
    names = ("a", "b", "c", "d")
    world.apply(*map(job, names))
    agrees(world, *names)


@pytest.mark.parametrize("fault", NOT_SENT)
def test_what_was_surely_not_processed_is_created_by_the_next_apply_with_the_same_token(world, fault):
    world.here.faults({"method": CREATE, **fault})
    report = world.apply(job("a"))
    # A quota is no failure: the job waits for it.
    expected = ("pending", NotAdmittedError) if fault["status"] == 429 else ("failed", Unauthenticated)
    assert results(report) == {"a": expected[0]}
    assert isinstance(report.outcomes["a"].error, expected[1])
    assert world.clock.sleeps == []
    attempt = world.attempt("a")
    assert (attempt.intent, attempt.remote, attempt.rejected, attempt.token) == (None, None, False, "token00001")
    assert attempt.error.code == fault["status"]
    calls = 1 if fault["status"] == 429 else 2
    assert (world.here.jobs(), world.here.calls(CREATE)) == ([], calls)
    world.here.faults()
    world.time.advance(timedelta(minutes=1))
    assert results(world.apply(job("a"))) == {"a": "done"}
    agrees(world, "a")
    assert world.attempt("a").token == "token00001"
    assert world.attempt("a").error is None


def test_no_connection_means_nothing_was_sent(world):
    def refuse(what, on):
        if what == "create":
            raise httpx.ConnectError("refused")

    world.here.wire.before = refuse
    report = world.apply(job("a"))
    assert report.outcomes["a"].error.code == "ConnectionFailed"
    assert (world.attempt("a").intent, world.events("a")[-2:]) == (None, ["not sent", "failed"])
    world.here.wire.before = lambda what, on: None
    world.apply(job("a"))
    agrees(world, "a")


@pytest.mark.parametrize("fault", REFUSED)
def test_what_was_refused_is_never_sent_again_until_the_work_changes(world, fault):
    world.here.faults({"method": CREATE, "count": 1, **fault})
    report = world.apply(job("a"))
    assert results(report) == {"a": "failed"}
    assert world.attempt("a").rejected
    assert world.attempt("a").error.code == fault["status"]
    for _ in range(3):
        world.time.sleep(3600)
        again = world.apply(job("a", labels={"cosmetic": "change"}))
        assert (results(again), phases(again)) == ({"a": "done"}, {"a": "Rejected"})
    assert world.here.calls(CREATE) == 1
    changed = world.apply(job("a", run_id="2"))
    assert results(changed) == {"a": "done"}
    assert made(world.here) == {"a@2.0": 1}


def test_a_watch_ends_with_a_rejected_job_as_failed(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 400, "count": 1})
    report = world.watch(job("a"), job("b"))
    assert sorted(phases(report).items()) in (
        [("a", "Rejected"), ("b", "Succeeded")],
        [("a", "Succeeded"), ("b", "Rejected")],
    )
    assert [one.phase for one in report.failed_jobs] == ["Rejected"]
    assert report.stopped is None


def test_work_that_changes_while_its_create_call_is_lost_is_settled_first(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 1})
    world.one_pass(job("a"))
    world.apply(job("a", run_id="2"))
    assert made(world.here) == {"a@2.0": 1}
    assert (world.attempt("a").intent, world.attempt("a").gone_time is None) == (None, False)


def test_a_removed_job_whose_create_call_was_lost_is_found_and_removed(world):
    world.here.rules({"match": {"displayName": "*/a@*"}, "fate": "stuck"})
    world.here.faults(
        {"method": CREATE, "kind": "cut", "when": "after", "count": 1},
        {"method": "batches.list", "kind": "listLag", "delay": "30s"},
    )
    world.one_pass(job("a"))
    world.one_pass(job("b"))
    report = world.watch(job("b"))
    assert phases(report) == {"b": "Succeeded"}
    assert live(world.here).keys() == {"b@1.0"}
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}
    assert world.recorded().jobs.keys() == {"b"}


def test_a_removed_job_whose_create_call_never_arrived_is_forgotten_after_the_grace(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 1})
    world.one_pass(job("a"))
    begin = world.time.now()
    report = world.apply(job("b"))
    assert results(report) == {"a": "done", "b": "done"}
    assert world.time.now() - begin >= timedelta(seconds=GRACE)
    assert (world.recorded().jobs.keys(), made(world.here)) == ({"b"}, {"b@1.0": 1})


def test_a_lost_create_is_settled_by_apply_while_other_jobs_run_on(world):
    world.here.rules({"match": {"displayName": "*/b@*"}, "fate": "stuck"})
    world.here.wire.before = lose_first("a@1.0")
    report = world.apply(job("a"), job("b"))
    assert results(report) == {"a": "done", "b": "done"}
    assert plan_of(report, "b").phase == "Waiting"
    assert (set(world.progress.waits), world.progress.phases[0]) == ({("a",)}, {"Settling"})
    agrees(world, "a", "b")


def lose_first(key):
    """Lets the first create call of an attempt get lost on its way."""
    lost = []

    def before(what, on):
        if (what, on) == ("create", key) and not lost:
            lost.append(on)
            raise httpx.ReadError("reset")

    return before


def test_the_state_lost_altogether_is_built_again_from_the_marks(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"), job("b"))
    for path in world.folder.glob("state.db*"):
        path.unlink()
    report = world.apply(job("a"), job("b"))
    agrees(world, "a", "b")
    assert {str(one.action) for one in report.plan.jobs} == {"adopt"}
    assert world.attempt("a").adopted
    assert world.attempt("a").digest == job("a").digest


def test_a_token_is_never_used_for_other_work(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 401, "count": 2})
    world.apply(job("a"))
    world.apply(job("a", inline("other")))
    assert [one["mark"].token for one in world.here.jobs()] == ["token00002"]
    assert made(world.here) == {"a@1.0": 1}
