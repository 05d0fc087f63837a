"""How things stand after a pass, and how the work of a refused change goes on over several passes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.loop.drive import Until
from batchctl.model.lifecycle import OnChange
from batchctl.model.states import Phase
from batchctl.reconcile import Options
from tests.support.engine import job, live, made, plan_of, results, run

STUCK = {"fate": "stuck"}
FAIL = {"fate": "fail"}
ONCE = Until(ended=True, once=True)
UNASKED = Options(consent=False)
HOUR = timedelta(hours=1)


def plan_after(report):
    """Action, phase and remote of each job as the report leaves it."""
    return {one.job: (str(one.action), str(one.phase), one.remote) for one in report.next_plan.jobs}


def test_what_was_created_is_seen_without_another_look(world):
    report = run(world, [job("a")], ONCE)
    assert plan_of(report, "a").phase is Phase.WAITING
    assert plan_after(report) == {"a": ("wait", "Active", world.attempt("a").remote)}
    assert world.here.calls("batches.list") == 1


def test_what_was_deleted_is_gone_and_no_orphan(world):
    world.watch(job("a"), job("b"))
    options = Options(allow_empty=True, prune_orphans=True)
    report = run(world, [job("b")], ONCE, options)
    assert plan_after(report).keys() == {"b"}
    assert report.next_plan.drift == ()


def test_what_was_replaced_is_the_new_attempt(world):
    world.watch(job("a"))
    report = run(world, [job("a", run_id="2")], ONCE)
    assert plan_after(report) == {"a": ("wait", "Active", world.attempt("a", 2).remote)}


def test_a_failure_counts_in_the_pass_that_finds_it_and_a_retry_does_not(world):
    world.here.rules(FAIL)
    world.apply(job("a"), job("b", backoff_limit=1))
    world.time.sleep(30)
    report = run(world, [job("a"), job("b", backoff_limit=1)], ONCE)
    assert [one.job for one in report.failed_jobs] == ["a"]
    assert plan_after(report)["b"][:2] == ("wait", "Active")


def test_a_phase_that_a_pass_brings_about_counts_as_reached(world):
    world.here.rules(STUCK)
    world.apply(job("a"))
    # In the next pass the old job has ended, and is replaced.
    report = run(world, [job("a", run_id="2")], Until(ended=True, phases={"a": Phase.CANCELLING}, timeout=HOUR))
    assert (report.missed, report.stopped) == ((), None)


@pytest.mark.parametrize("jobs", [[job("a", run_id="2")], []], ids=["changed", "removed"])
def test_the_old_work_is_followed_to_its_end(make_world, jobs):
    world = make_world()
    world.here.rules({"running": "5m"})
    world.apply(job("a"), job("b", suspend=True))
    report = world.watch(*jobs, job("b"), options=Options(consent=False))
    assert results(report)["a"] == "skipped"
    assert report.outcomes["a"].error.code == "ConsentNeeded"
    assert world.attempt("a").results is not None
    assert (made(world.here)["a@1.0"], live(world.here).keys() & {"a@2.0"}) == (1, set())
    assert world.here.calls("batches.cancel") + world.here.calls("batches.delete") == 0


def test_a_deadline_ends_the_old_work_though_its_change_is_refused(world):
    world.here.rules(STUCK)
    world.apply(job("a", pending_deadline=HOUR, on_change=OnChange.FAIL))
    report = world.watch(job("a", run_id="2", pending_deadline=HOUR, on_change=OnChange.FAIL))
    assert report.outcomes["a"].error.code == "OnChangeFail"
    assert (world.attempt("a").state, str(world.attempt("a").cancel_cause)) == ("JOB_STATE_CANCELLED", "deadline")
    assert plan_after(report)["a"][1] == "Failed"


def test_old_work_that_nobody_can_see_is_not_waited_for(world):
    world.here.rules(STUCK)
    world.apply(job("a", on_change=OnChange.FAIL))
    fault = {"method": "batches.list", "kind": "status", "status": 403, "when": "before"}
    happened = []

    def during(number):
        happened.append(number)
        world.here.faults(fault)

    changed = job("a", on_change=OnChange.FAIL, run_id="2")
    report = run(world, [changed], Until(ended=True, timeout=HOUR), during=during)
    assert (plan_after(report)["a"][1], report.stopped, happened) == ("Unknown", None, [1])


def test_the_results_of_old_work_may_come_late(world):
    world.apply(job("a"))
    world.time.sleep(30)
    world.block_results("a")
    report = world.watch(job("a", run_id="2"), options=UNASKED)
    assert results(report) == {"a": "failed"}
    world.unblock_results("a")
    assert results(world.watch(job("a", run_id="2"), options=UNASKED)) == {"a": "skipped"}
    assert world.attempt("a").results is not None
