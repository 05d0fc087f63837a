"""What is waited for, and what is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.loop.drive import Until
from batchctl.model.errors import PermissionDenied, ResultsError
from batchctl.model.lifecycle import OnRemove
from tests.support.engine import HERE, THERE, job, live, made, phases, results, run

STUCK = {"fate": "stuck"}
CREATE = "batches.create"
LIST = "batches.list"


def test_a_suspended_job_is_not_waited_for(world):
    report = world.watch(job("a", suspend=True), job("b"))
    assert phases(report) == {"a": "Waiting", "b": "Succeeded"}
    assert made(world.here) == {"b@1.0": 1}
    assert report.stopped is None


def test_a_suspended_stack_lets_what_runs_run_on(world):
    world.apply(job("a"))
    report = world.watch(job("a"), job("b"), suspend=True)
    assert phases(report) == {"a": "Succeeded", "b": "Waiting"}


def test_a_released_job_is_not_waited_for(world):
    world.here.rules(STUCK)
    world.apply(job("a", on_remove=OnRemove.KEEP))
    world.here.rules()
    report = world.watch(job("b"))
    assert phases(report) == {"b": "Succeeded"}
    assert live(world.here).keys() == {"a@1.0", "b@1.0"}
    assert (world.here.calls("batches.cancel"), world.here.calls("batches.delete")) == (0, 0)
    before = world.here.calls("batches.get")
    assert results(world.watch(job("b"))) == {"b": "done"}
    assert world.here.calls("batches.get") == before


def test_an_error_that_lasts_is_given_up_after_three_passes(world):
    world.apply(job("a"))
    world.block_results("a")
    world.here.rules({"match": {"displayName": "*/b@*"}, "running": "30m"})
    report = world.watch(job("a"), job("b"))
    assert (results(report), phases(report)) == ({"a": "failed", "b": "done"}, {"a": "Succeeded", "b": "Succeeded"})
    assert report.stopped is None


def test_an_error_that_lasts_alone_ends_the_watch_soon(world):
    world.apply(job("a"))
    world.block_results("a")
    report = world.watch(job("a"))
    assert isinstance(report.outcomes["a"].error, ResultsError)
    assert sum(1 for event in world.events("a") if event == "failed") == 3


def test_an_error_that_passes_is_waited_out_however_often_it_comes(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 12})
    report = world.watch(job("a"), timeout=timedelta(days=1))
    assert (phases(report), made(world.here)) == ({"a": "Succeeded"}, {"a@1.0": 1})
    assert world.here.calls(CREATE) == 13


def test_a_create_that_nobody_may_make_is_given_up(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 401})
    report = world.watch(job("a"))
    assert (results(report), world.here.calls(CREATE), report.stopped) == ({"a": "failed"}, 3 * 2, None)


def test_a_list_that_fails_for_a_while_is_waited_out(world):
    world.apply(job("a"))
    reads = []

    def during(number):
        reads.append(number)
        faults = [{"method": LIST, "kind": "status", "status": 503}] if number in range(2, 6) else []
        world.here.faults(*faults)

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert (phases(report), report.errors) == ({"a": "Succeeded"}, {})
    assert any("503" in warning for warning in world.progress.warnings)


def test_a_list_that_is_forbidden_from_now_on_ends_the_watch(world):
    world.here.rules(STUCK)

    def during(number):
        if number == 3:
            world.here.faults({"method": LIST, "kind": "status", "status": 403})

    report = run(world, [job("a")], Until(ended=True, timeout=timedelta(hours=1)), during=during)
    assert (phases(report), len(world.clock.sleeps), report.stopped) == ({"a": "Unknown"}, 3, None)
    assert isinstance(report.errors[HERE], PermissionDenied)


@pytest.mark.parametrize("ended", [False, True])
def test_a_create_that_can_never_be_settled_does_not_hold_the_command_for_ever(world, ended):
    world.here.faults({"method": CREATE, "kind": "cut", "when": "after"})

    def during(number):
        world.here.faults({"method": LIST, "kind": "status", "status": 403})

    report = run(world, [job("a")], Until(ended=ended, timeout=timedelta(hours=1)), during=during)
    assert (phases(report), report.stopped) == ({"a": "Settling"}, None)
    assert isinstance(report.errors[HERE], PermissionDenied)
    assert world.attempt("a").intent is not None


def test_an_account_that_is_closed_does_not_end_the_wait_for_another(make_world):
    world = make_world(accounts=(HERE, THERE))
    world.here.rules({"running": "10m"})
    jobs = [job("a"), job("b", account=THERE)]
    world.apply(*jobs)

    def during(number):
        world.services[THERE].faults({"method": LIST, "kind": "status", "status": 403})
        here = [{"method": LIST, "kind": "status", "status": 503}] if number == 3 else []
        world.here.faults(*here)

    report = run(world, jobs, Until(ended=True, timeout=timedelta(hours=1)), during=during)
    assert phases(report) == {"a": "Succeeded", "b": "Unknown"}
    assert report.stopped is None


def test_what_fails_before_a_create_call_is_not_waited_for_by_apply(world):
    """A server error while the old job's results are read says nothing of the create call that was to follow."""
    world.apply(job("a"))
    world.time.sleep(10)
    world.here.faults({"method": "batches.get", "kind": "status", "status": 500})
    report = world.apply(job("a", run_id="2"))
    assert (results(report), world.clock.sleeps, report.unanswered) == ({"a": "failed"}, [], frozenset())
    assert made(world.here) == {"a@1.0": 1}


def test_a_create_that_is_held_back_after_its_grace_is_not_waited_for(world):
    world.here.faults({"method": CREATE, "kind": "cut", "count": 1})
    world.one_pass(job("a"))
    report = world.apply(job("a", suspend=True))
    assert (phases(report), report.unanswered) == ({"a": "Waiting"}, {"a"})
    assert 180 <= sum(world.clock.sleeps) < 300
    assert phases(world.watch(job("a", suspend=True))) == {"a": "Waiting"}
    world.watch(job("a"))
    assert made(world.here) == {"a@1.0": 1}
