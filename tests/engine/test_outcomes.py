"""What became of each job, put together over several passes."""

from __future__ import annotations

from datetime import timedelta

from batchctl.model.lifecycle import OnMissing
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import DriftKind
from tests.support.engine import job, made, phases, results

STUCK = {"fate": "stuck"}
FAIL = {"fate": "fail"}
CREATE = "batches.create"


def test_a_removal_is_pending_while_its_cancel_runs_and_done_in_the_end(world):
    world.here.rules({"fate": "cancelSlow", "running": "5m"})
    world.apply(job("a"))
    pending = world.apply(job("b"))
    assert results(pending) == {"a": "pending", "b": "done"}
    world.here.rules()
    done = world.watch(job("b"))
    assert results(done) == {"a": "done", "b": "done"}
    assert phases(done) == {"b": "Succeeded"}


def test_a_replacement_is_pending_while_its_old_job_ends_and_done_with_the_new(world):
    world.here.rules({"fate": "cancelSlow", "running": "5m"})
    world.apply(job("a"))
    world.here.rules()
    pending = world.apply(job("a", run_id="2"))
    assert results(pending) == {"a": "pending"}
    done = world.watch(job("a", run_id="2"))
    assert (results(done), phases(done)) == ({"a": "done"}, {"a": "Succeeded"})
    assert done.outcomes["a"].remote == world.attempt("a", 2).remote
    assert [str(one.action) for one in done.plan.jobs] == ["replace"]


def test_a_job_that_failed_first_and_recovers_is_done(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    report = world.watch(job("a"), job("b"))
    assert results(report) == {"a": "done", "b": "done"}
    assert set(phases(report).values()) == {"Succeeded"}
    assert {outcome.error for outcome in report.outcomes.values()} == {None}


def test_the_outcome_follows_the_remote_job_through_retries(world):
    world.here.rules({"match": {"displayName": "*@1.0 *"}, "fate": "fail"})
    report = world.watch(job("a", backoff_limit=1))
    assert phases(report) == {"a": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    assert report.outcomes["a"] == Outcome("a", Result.DONE, world.attempt("a", 2).remote)


def test_retries_end_at_the_limit_with_back_off_between(world):
    world.here.rules(FAIL)
    begin = world.time.now()
    report = world.watch(job("a", backoff_limit=3))
    assert (phases(report), made(world.here)) == ({"a": "Failed"}, {f"a@{number}.0": 1 for number in (1, 2, 3, 4)})
    assert world.time.now() - begin > timedelta(seconds=10 * 0.8 + 20 * 0.8 + 40 * 0.8)


def test_a_deadline_cancels_and_the_job_counts_as_failed(world):
    world.here.rules(
        {"match": {"displayName": "*/a@*"}, **STUCK}, {"match": {"displayName": "*/b@*"}, "running": "10h"}
    )
    report = world.watch(
        job("a", pending_deadline=timedelta(minutes=5)), job("b", active_deadline=timedelta(minutes=10))
    )
    assert (phases(report), results(report)) == ({"a": "Failed", "b": "Failed"}, {"a": "done", "b": "done"})
    assert world.time.now() - world.attempt("a").create_time < timedelta(minutes=15)


def test_a_job_that_somebody_else_deleted_is_missing(world):
    world.here.rules(STUCK)
    world.apply(job("a"), job("b", on_missing=OnMissing.RECREATE))
    world.here.rules()
    for name in "ab":
        world.here.api("DELETE", world.attempt(name).remote)
    report = world.watch(job("a"), job("b", on_missing=OnMissing.RECREATE))
    assert phases(report) == {"a": "Failed", "b": "Succeeded"}
    assert [(one.job, one.kind) for one in report.plan.drift] == [("a", DriftKind.MISSING), ("b", DriftKind.MISSING)]
    assert world.attempt("a").gone_time is not None
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "b@2.0": 1}


def test_a_time_to_live_deletes_the_collected_remote_job(world):
    one = job("a", ttl_after_finished=timedelta(hours=1))
    world.watch(one)
    assert not any(remote["deleted"] for remote in world.here.jobs())
    world.time.advance(timedelta(hours=2))
    report = world.watch(one)
    assert [remote["deleted"] for remote in world.here.jobs()] == [True]
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    assert world.result_rows("a").keys() == {"k1", "k2"}
    assert made(world.here) == {"a@1.0": 1}
