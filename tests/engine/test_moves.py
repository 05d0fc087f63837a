"""`spec.moved` as passes carry it out: record, results and marks of a job go on under its new name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.passes import run_pass
from batchctl.engine.preview import preview
from batchctl.model.errors import ResultsError
from batchctl.model.locations import Location
from batchctl.model.stack import Moved
from batchctl.reconcile import Options
from tests.support.engine import HERE, live, made, phases, results
from tests.support.engine import job as any_job
from tests.support.engine_boundaries import Crash

A_TO_B = (Moved("a", "b", Location("batchctl.yaml", 6, 5)),)
SLOW = {"pending": "1s", "running": "10m"}


def job(name, work="the same", **more):
    """A job whose work does not depend on its name."""
    return any_job(name, run_id=work, **more)


def test_a_rename_neither_cancels_nor_buys(world):
    world.here.rules(SLOW)
    world.apply(job("a"))
    report = world.apply(job("b"), moved=A_TO_B)
    assert (results(report), phases(report)) == ({"b": "pending"}, {"b": "Active"})
    assert (made(world.here), live(world.here).keys()) == ({"a@1.0": 1}, {"a@1.0"})
    assert (world.here.calls("batches.cancel"), world.here.calls("batches.delete")) == (0, 0)
    assert world.events("b")[-2:] == ["renamed", "recorded"]
    assert world.progress.steps == ["b: renamed, from a, by spec.moved"]
    assert phases(world.watch(job("b"), moved=A_TO_B)) == {"b": "Succeeded"}
    assert world.result_rows("b").keys() == {"k1", "k2"}


def test_it_is_harmless_when_it_is_repeated_and_when_the_entry_goes(world):
    world.watch(job("a"))
    world.apply(job("b"), moved=A_TO_B)
    before = (world.recorded(), world.events("b"))
    for moved in (A_TO_B, A_TO_B, ()):
        assert results(world.apply(job("b"), moved=moved)) == {"b": "done"}
        assert (world.recorded(), world.events("b")) == before
    assert made(world.here) == {"a@1.0": 1}


def test_a_preview_shows_the_job_under_its_new_name_and_writes_nothing(world):
    world.watch(job("a"))
    before = world.recorded()
    with world.process() as tools:
        seen = preview(world.desired(job("b"), moved=A_TO_B), Options(), tools)
    assert [(one.job, one.phase) for one in seen.plan.jobs] == [("b", "Succeeded")]
    assert world.recorded() == before
    assert (world.results / "a").is_dir()


def test_the_results_go_with_the_name(world):
    world.watch(job("a"))
    world.apply(job("b"), moved=A_TO_B)
    assert not (world.results / "a").exists()
    assert world.attempt("b").results.startswith("b/")
    assert (world.results / "b" / "current").resolve() == (world.results / world.attempt("b").results).resolve()


@pytest.mark.parametrize("crash_at", range(6))
def test_a_crash_at_any_boundary_is_gone_on_from(world, crash_at):
    world.watch(job("a"))
    world.boundaries.reset(crash_at)
    with pytest.raises(Crash):
        world.apply(job("b"), moved=A_TO_B)
    world.boundaries.reset()
    assert results(world.apply(job("b"), moved=A_TO_B)) == {"b": "done"}
    assert world.recorded().jobs.keys() == {"b"}
    assert (made(world.here), world.result_rows("b").keys()) == ({"a@1.0": 1}, {"k1", "k2"})


def test_a_folder_in_the_way_holds_back_this_job_alone(world):
    world.watch(job("a"))
    (world.results / "b").mkdir()
    (world.results / "b" / "mine").write_text("keep")
    report = world.apply(job("b"), job("c", "other"), moved=A_TO_B)
    assert results(report) == {"b": "failed", "c": "done"}
    assert isinstance(report.outcomes["b"].error, ResultsError)
    assert (world.recorded().jobs.keys(), made(world.here)) == ({"a", "c"}, {"a@1.0": 1, "c@1.0": 1})
    (world.results / "b" / "mine").unlink()
    (world.results / "b").rmdir()
    assert results(world.apply(job("b"), job("c", "other"), moved=A_TO_B))["b"] == "done"
    assert world.recorded().jobs.keys() == {"b", "c"}


def test_a_folder_in_the_way_of_a_chain_is_told_once(world):
    world.watch(job("a"))
    (world.results / "c").mkdir()
    chain = (*A_TO_B, Moved("b", "c", Location("batchctl.yaml", 7, 5)))
    assert results(world.apply(job("c"), moved=chain)) == {"c": "failed"}
    assert world.recorded().jobs.keys() == {"a"}
    (world.results / "c").rmdir()
    assert results(world.apply(job("c"), moved=chain)) == {"c": "done"}
    assert world.recorded().jobs["c"].row.former_names == ("a", "b")


def test_with_the_state_lost_the_job_is_adopted_under_its_new_name(world):
    world.here.rules(SLOW)
    world.apply(job("a"))
    (world.folder / "state.db").unlink()
    assert phases(world.apply(job("b"), moved=A_TO_B)) == {"b": "Active"}
    world.apply(job("b"), moved=A_TO_B)
    assert world.recorded().jobs["b"].row.former_names == ("a",)
    assert phases(world.watch(job("b"))) == {"b": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1}


def test_both_names_in_the_state_is_held_back_and_told(world):
    world.watch(job("a"))
    world.here.rules(SLOW)
    world.apply(job("a"), job("b", "other"))
    report = world.apply(job("b", "other"), moved=A_TO_B)
    assert results(report) == {"a": "skipped", "b": "pending"}
    assert report.outcomes["a"].error.code == "MovedTwice"
    assert "deleted" not in {one["state"] for one in world.here.jobs()}
    assert len(live(world.here)) == 2


def test_an_open_create_call_is_settled_under_the_new_name(world):
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    with world.process() as tools:
        run_pass(world.asks(job("a")), tools)
    assert world.attempt("a").intent is not None
    report = world.watch(job("b"), moved=A_TO_B)
    assert (phases(report), made(world.here)) == ({"b": "Succeeded"}, {"a@1.0": 1})


def test_a_new_attempt_after_the_rename_has_a_number_of_its_own(world):
    world.here.rules({"fate": "fail"})
    world.watch(job("a"))
    world.apply(job("b", backoff_limit=1), moved=A_TO_B)
    world.time.advance(timedelta(minutes=5))
    world.here.rules()
    report = world.watch(job("b", backoff_limit=1), moved=A_TO_B)
    assert (phases(report), made(world.here)) == ({"b": "Succeeded"}, {"a@1.0": 1, "b@2.0": 1})
    assert report.last.drift == ()
    assert HERE in {one.account for one in world.recorded().jobs["b"].attempts}
