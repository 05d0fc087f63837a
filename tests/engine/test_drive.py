"""Passes in a row: when they end, and how they are stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.passes import run_pass
from batchctl.model.errors import (
    LockedError,
    StoppedError,
    TimeUpError,
)
from batchctl.model.outcome import Result
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.engine import HERE, job, made, phases, results, run
from tests.support.values import replace

STUCK = {"fate": "stuck"}
LIST = "batches.list"


def test_apply_ends_with_jobs_active(world):
    report = world.apply(job("a"), job("b"))
    assert (world.clock.sleeps, report.stopped, report.failed_jobs, report.errors) == ([], None, (), {})
    assert results(report) == {"a": "done", "b": "done"}
    again = world.apply(job("a"), job("b"))
    assert (world.clock.sleeps, results(again), phases(again)) == (
        [],
        {"a": "pending", "b": "pending"},
        {"a": "Active", "b": "Active"},
    )


def test_wait_goes_on_until_all_have_ended_and_are_collected(world):
    world.here.rules(
        {"match": {"displayName": "*/b@*"}, "fate": "fail"}, {"match": {"displayName": "*/c@*"}, "running": "1h"}
    )
    begin = world.time.now()
    report = world.watch(job("a"), job("b"), job("c"))
    assert phases(report) == {"a": "Succeeded", "b": "Failed", "c": "Succeeded"}
    assert [one.job for one in report.failed_jobs] == ["b"]
    assert results(report) == {"a": "done", "b": "done", "c": "done"}
    assert all(world.attempt(name).results is not None for name in "ac")
    assert timedelta(hours=1) < world.time.now() - begin < timedelta(hours=1, minutes=2)
    assert report.stopped is None


def test_no_pass_follows_the_one_that_collects_the_last_results(world):
    world.apply(job("a"), job("b"))
    world.time.advance(timedelta(minutes=1))
    report = world.watch(job("a"), job("b"))
    assert (phases(report), world.clock.sleeps) == ({"a": "Succeeded", "b": "Succeeded"}, [])
    assert all(world.attempt(name).results is not None for name in "ab")


def test_a_pass_follows_where_the_results_lead_to_more_work(world):
    world.apply(job("a"))
    world.time.advance(timedelta(minutes=1))
    report = world.watch(job("a"), replace(job("b"), depends_on=("a",)))
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}


def test_watch_on_what_has_ended_is_one_look(world):
    world.watch(job("a"))
    before = world.here.calls(LIST)
    world.watch(job("a"))
    assert (world.clock.sleeps, world.here.calls(LIST) - before) == ([], 1)


def test_the_time_is_up(world):
    world.here.rules(STUCK)
    begin = world.time.now()
    names = [f"job-{number}" for number in range(7)]
    report = world.watch(*map(job, names), timeout=timedelta(minutes=10))
    assert isinstance(report.stopped, TimeUpError)
    assert "job-0, job-1, job-2, job-3, job-4 …" in report.stopped.message
    assert "job-5" not in report.stopped.message
    assert timedelta(minutes=10) <= world.time.now() - begin <= timedelta(minutes=10, seconds=5)
    assert set(phases(report).values()) == {"Active"}


def test_the_time_limit_says_nothing_where_all_have_ended(world):
    report = world.watch(job("a"), timeout=timedelta(minutes=10))
    assert report.stopped is None


def test_a_time_limit_of_nothing_still_makes_one_pass(world):
    report = world.watch(job("a"), timeout=timedelta(0))
    assert isinstance(report.stopped, TimeUpError)
    assert (made(world.here), world.clock.sleeps) == ({"a@1.0": 1}, [])


def test_once_is_one_pass(world):
    report = run(world, [job("a")], Until(ended=True, once=True))
    assert (world.clock.sleeps, phases(report), results(report)) == ([], {"a": "Waiting"}, {"a": "done"})
    assert len(world.progress.plans) == 1


def test_forever_goes_on_after_all_have_ended_until_it_is_stopped(world):
    def during(number):
        if number == 60:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True, forever=True), during=during)
    assert isinstance(report.stopped, StoppedError)
    assert report.stopped.exit_code == 130
    assert (len(world.clock.sleeps), phases(report)) == (60, {"a": "Succeeded"})
    assert world.clock.sleeps[-1] == 60
    assert world.progress.waits[-1] == ()


def test_forever_outlasts_a_first_pass_that_can_read_nothing(world):
    world.here.faults({"method": LIST, "kind": "status", "status": 403, "count": 1})

    def during(number):
        if number == 30:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True, forever=True), during=during)
    assert phases(report) == {"a": "Succeeded"}


def test_forever_ends_when_its_time_is_up(world):
    report = run(world, [job("a")], Until(ended=True, forever=True, timeout=timedelta(hours=1)))
    assert isinstance(report.stopped, TimeUpError)


@pytest.mark.parametrize("status", [403, 500])
def test_a_first_pass_that_can_read_nothing_ends_at_once(world, status):
    world.here.faults({"method": LIST, "kind": "status", "status": status})
    report = world.watch(job("a"))
    assert (world.clock.sleeps, phases(report), results(report)) == ([], {"a": "Unknown"}, {"a": "pending"})
    assert report.errors[HERE].http == status
    assert report.plan.problems.keys() == {HERE}
    assert made(world.here) == {}


def test_nothing_to_do_is_one_look_at_nothing(world):
    report = world.watch()
    assert (report.plan.jobs, world.clock.sleeps, world.here.control("GET", "requests")["total"]) == ((), [], 0)


def test_a_stop_during_a_sleep_ends_in_order(world):
    world.here.rules(STUCK)

    def during(number):
        if number == 4:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert isinstance(report.stopped, StoppedError)
    assert (len(world.clock.sleeps), phases(report)) == (4, {"a": "Active"})


def test_a_stop_before_the_first_pass_begins_nothing(world):
    with world.process() as tools:
        world.clock.stop()
        report = drive(Around(lambda: world.desired(job("a"))), Options(), Until(ended=True), tools)
    assert (results(report), made(world.here)) == ({"a": "skipped"}, {})
    assert isinstance(report.stopped, StoppedError)


@pytest.mark.parametrize("once", [False, True])
def test_a_stop_while_calls_are_in_flight_finishes_them_and_begins_no_more(make_world, once):
    world = make_world(limits=Limits(concurrency=2))
    names = [f"job-{number}" for number in range(6)]

    def before(what, on):
        if what == "create":
            world.clock.stop()

    world.here.wire.before = before
    report = run(world, list(map(job, names)), Until(ended=True, once=once))
    done = {name for name, result in results(report).items() if result == "done"}
    assert 1 <= len(done) <= 2
    assert {result for name, result in results(report).items() if name not in done} <= {"pending", "skipped"}
    assert made(world.here) == {f"{name}@1.0": 1 for name in done}
    assert {name: world.attempt(name).remote for name in done} == {
        one["mark"].key.job: one["name"] for one in world.here.jobs()
    }
    assert isinstance(report.stopped, StoppedError)
    assert world.clock.sleeps == []


def test_a_stop_in_the_middle_of_a_job_leaves_its_further_steps(world):
    world.apply(job("a"))
    world.time.sleep(10)

    def before(what, on):
        if what == "get":
            world.clock.stop()

    world.here.wire.before = before
    report = run(world, [job("b")], Until(ended=False))
    assert (report.outcomes["a"].result, report.outcomes["a"].error) == (Result.PENDING, None)
    assert world.attempt("a").results is not None
    assert (world.here.calls("batches.delete"), isinstance(report.stopped, StoppedError)) == (0, True)
    world.here.wire.before = lambda what, on: None
    assert results(world.apply(job("b")))["a"] == "done"
    assert world.recorded().jobs.keys() == {"b"}


def test_a_stop_during_an_upload_does_not_let_the_create_call_begin(world):
    def before(what, on):
        if what == "upload":
            world.clock.stop()

    world.here.wire.before = before
    source = world.write_rows("a.jsonl", "k1")
    report = run(world, [job("a", source)], Until(ended=True))
    assert (report.outcomes["a"].result, report.outcomes["a"].error) == (Result.PENDING, None)
    assert (made(world.here), len(world.recorded().files), world.recorded().jobs["a"].attempts) == ({}, 1, ())
    world.here.wire.before = lambda what, on: None
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}
    assert world.here.calls("files.create") == 1


def test_a_state_that_is_locked_at_first_is_an_error(world):
    with world.state().lock(), pytest.raises(LockedError):
        world.watch(job("a"))
    assert world.here.control("GET", "requests")["total"] == 0


def test_a_state_that_is_locked_between_passes_is_tried_again(world):
    held = []

    def during(number):
        if number == 2:
            held.append(world.state().lock())
        if number == 5:
            held.pop().__exit__(None, None, None)

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    told = [warning for warning in world.progress.warnings if "locked" in warning or "again" in warning]
    assert [warning.endswith(words) for warning, words in zip(told, ("trying again", "be made again"), strict=True)]


def test_each_pass_is_told_with_its_plan_and_whom_it_waits_for(world):
    world.watch(job("a"), job("b", suspend=True))
    assert len(world.progress.plans) == len(world.clock.sleeps) + 1
    assert set(world.progress.waits) == {("a",)}
    # From the first wait on: the pass before it has created the job.
    assert world.progress.phases == [{"Active"}] * len(world.clock.sleeps)


def test_a_pass_reports_what_it_looked_at(world):
    with world.process() as tools:
        done = run_pass(world.asks(job("a")), tools)
    assert (done.accounts, done.errors, done.plan.stack) == ({HERE}, {}, "shop")
    assert done.unanswered == frozenset()


def test_a_witness_is_shown_each_pass_at_its_end(world):
    seen = []
    with world.process() as tools:
        report = drive(
            Around(lambda: world.desired(job("a")), witness=seen.append), Options(), Until(ended=True), tools
        )
    assert len(seen) == len(world.progress.plans) > 1
    assert seen[0].plan is world.progress.plans[0]
    assert seen[-1].after.recorded.jobs == world.recorded().jobs
    assert {one.job: str(one.phase) for one in seen[-1].after.next_plan.jobs} == phases(report)


def test_what_is_done_before_a_pause_is_a_part_of_it(world):
    given = []

    def pausing(seconds):
        given.append(seconds)
        world.time.sleep(0.25)

    with world.process() as tools:
        around = Around(lambda: world.desired(job("a")), pausing=pausing)
        drive(around, Options(), Until(ended=True), tools)
    assert given
    assert world.clock.sleeps == pytest.approx([seconds - 0.25 for seconds in given])
