"""Known work, end to end: whole results of the very digest are used, and nothing is bought twice without an order."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from batchctl.reconcile import Options
from tests.support.engine import inline, made, phases, plan_of, results
from tests.support.engine import job as any_job

EMPTY = Options(allow_empty=True)
HOUR = timedelta(hours=1)


def job(name, source=None, **more):
    """A job of the one work, unless its rows are others."""
    return any_job(name, source, run_id="same", **more)


def actions(report):
    return {one.job: str(one.action) for one in report.plan.jobs}


def creates(world):
    return world.here.calls("batches.create")


def gone_from_the_api(world):
    for one in world.here.jobs():
        world.here.call("DELETE", one["name"])


def forget_state(world):
    for file in world.folder.glob("state.db*"):
        file.unlink()


def removed_and_back(world):
    world.watch(options=EMPTY)
    return "a"


def state_forgot(world):
    world.watch(options=EMPTY)
    forget_state(world)
    return "a"


def renamed(world):
    return "z"


def same_work_beside_it(world):
    world.watch(job("a"), job("other", inline("k9")))
    return "z"


@pytest.mark.parametrize("way", [removed_and_back, state_forgot, renamed, same_work_beside_it])
def test_known_work_is_not_bought_again(world, way):
    world.watch(job("a"))
    before = world.result_rows("a")
    name = way(world)
    bought = creates(world)
    report = world.watch(job(name), options=EMPTY)
    assert actions(report)[name] == "reuse"
    assert phases(report)[name] == "Succeeded"
    assert world.result_rows(name) == before
    assert creates(world) == bought
    assert plan_of(world.apply(job(name)), name).action == "none"
    assert world.events(name)[-1] in {"reused", "forgotten"} or "reused" in world.events(name)


def test_a_reused_copy_stands_on_its_own(world):
    world.watch(job("a"))
    world.watch(job("z"), options=EMPTY)
    assert [one["deleted"] for one in world.here.jobs()] == [True]
    shutil.rmtree(world.results / "a")
    assert world.result_rows("z").keys() == {"k1", "k2"}
    assert phases(world.watch(job("z"))) == {"z": "Succeeded"}
    world.watch(options=EMPTY)
    assert actions(world.watch(job("z"))) == {"z": "reuse"}
    assert made(world.here) == {"a@1.0": 1}


def test_a_reused_copy_that_is_lost_is_made_again(world):
    world.watch(job("a"))
    world.watch(job("a"), job("z"))
    shutil.rmtree(world.results / "z")
    assert actions(world.watch(job("a"), job("z"))) == {"a": "none", "z": "reuse"}
    assert world.result_rows("z") == world.result_rows("a")


def test_results_that_are_not_whole_are_not_used(world):
    """What only the hash tells is found before anything relies on it."""
    world.watch(job("a"))
    rows = world.results / world.attempt("a").results / "results.jsonl"
    world.watch(options=EMPTY)
    rows.write_bytes(rows.read_bytes().replace(b'"k1"', b'"kX"'))
    report = world.watch(job("a"), job("z"), options=EMPTY)
    assert actions(report) == {"a": "create", "z": "create"}
    assert made(world.here) == {"a@1.0": 2, "z@1.0": 1}


def test_rerun_buys_once_and_over_all_passes_of_a_run(world):
    world.watch(job("a"))
    options = Options(rerun=frozenset("a"))
    report = world.watch(job("a"), options=options)
    assert (actions(report), phases(report)) == ({"a": "retry"}, {"a": "Succeeded"})
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    assert world.attempt("a", 2).results == f"a/{(world.results / 'a' / 'current').readlink()}"
    world.watch(options=EMPTY)
    world.watch(job("z"), options=Options(rerun=frozenset("z")))
    assert made(world.here)["z@1.0"] == 1


def test_a_rename_waits_for_results_that_are_at_the_api_yet(world):
    world.apply(job("a"))
    world.time.sleep(10)
    report = world.apply(job("z"))
    assert actions(report) == {"a": "delete", "z": "reuse"}
    assert results(report) == {"a": "done", "z": "done"}
    assert world.result_rows("z").keys() == {"k1", "k2"}
    assert made(world.here) == {"a@1.0": 1}
    assert plan_of(world.apply(job("z")), "z").action == "none"


def test_a_rename_of_what_runs_is_refused(world):
    world.here.rules({"pending": "0s", "running": "1h"})
    world.apply(job("a"))
    report = world.apply(job("z"))
    assert {name: outcome.error.code for name, outcome in report.outcomes.items()} == {
        "a": "LikelyRename",
        "z": "LikelyRename",
    }
    assert [one["state"] for one in world.here.jobs()] == ["BATCH_STATE_RUNNING"]
    world.apply(job("z"), options=Options(rename_as_new=True))
    assert made(world.here) == {"a@1.0": 1, "z@1.0": 1}


@pytest.mark.parametrize("when", ["before it ran", "while it ran", "before it was collected"])
@pytest.mark.parametrize("remote", ["there", "deleted"])
def test_a_restored_backup_neither_loses_nor_buys(world, when, remote):
    backup = world.folder / "backup.db"
    wanted = job("a", ttl_after_finished=HOUR)
    world.apply(job("first", inline("k9")))
    if when == "before it ran":
        world.state().copy_to(backup)
    world.apply(job("first", inline("k9")), wanted)
    if when == "while it ran":
        world.state().copy_to(backup)
    world.time.sleep(10)
    if when == "before it was collected":
        # A pass that collects nothing: the download fails.
        world.state().copy_to(backup)
    world.watch(job("first", inline("k9")), wanted)
    rows = world.result_rows("a")
    if remote == "deleted":
        world.time.sleep(7200)
        world.apply(job("first", inline("k9")), wanted)
        assert any(one["deleted"] for one in world.here.jobs())
    forget_state(world)
    shutil.copy(backup, world.folder / "state.db")
    world.time.sleep(600)
    report = world.watch(job("first", inline("k9")), wanted)
    assert phases(report) == {"a": "Succeeded", "first": "Succeeded"}
    world.time.sleep(600)
    assert phases(world.watch(job("first", inline("k9")), wanted)) == {"a": "Succeeded", "first": "Succeeded"}
    assert world.result_rows("a") == rows
    assert made(world.here) == {"a@1.0": 1, "first@1.0": 1}
