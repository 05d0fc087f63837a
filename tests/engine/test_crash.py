"""A process that dies at any moment: reruns converge, with at most one live job per attempt and nothing lost.

The moments are the boundaries of the kit: before and after each commit, each call, each write of results. One run
without a crash counts them; then each is the last moment of a process once, and a new process goes on.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.kinds import Kind
from batchctl.model.row_settings import Canary, MaxFailedRows
from batchctl.model.row_work import ShardLimits
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.engine import World, inline, job, live, made, phases
from tests.support.engine_boundaries import Crash
from tests.support.long_mode import effort
from tests.support.values import replace

SUCCEEDED = "BATCH_STATE_SUCCEEDED"


@dataclass
class Story:
    """What is asked for, one set of manifests after the other; the flag says whether to wait for the jobs' ends."""

    world: World
    stages: list[tuple[tuple[DesiredJob, ...], bool]]

    def play(self, crashes: list[int]) -> int:
        """Run all stages; process number i dies at boundary crashes[i]. Gives how many boundaries the last passed."""
        crashes = list(crashes)
        passed = 0
        for jobs, waits in self.stages:
            run = self.world.watch if waits else self.world.apply
            while True:
                left = crashes[0] - passed if crashes else None
                self.world.boundaries.reset(left)
                try:
                    run(*jobs, options=Options(allow_empty=True))
                except Crash:
                    crashes.pop(0)
                    passed = 0
                    self.world.time.sleep(5)
                    continue
                passed += len(self.world.boundaries.passed)
                break
        self.world.boundaries.reset()
        self.world.show_results()
        return passed


def creation(world: World) -> Story:
    """Three jobs: rows in the manifest, rows in a file, embeddings."""
    source = world.write_rows("b.jsonl", "k1", "k2", "k3")
    jobs = (job("a"), job("b", source), job("c", kind=Kind.EMBEDDINGS_BATCH_JOB))
    return Story(world, [(jobs, True)])


def change(world: World) -> Story:
    """While all work, one job is replaced and others are removed, one of them while its create call is settled."""
    world.here.rules({"match": {"displayName": "*/*@1.0 *"}, "pending": "1s", "running": "1h"})
    world.apply(job("a"), job("b"), job("c"))
    world.time.sleep(2)
    world.here.rules()
    return Story(world, [((job("a", run_id="2"), job("c"), job("d")), False), ((job("a", run_id="2"),), True)])


def rows(world: World) -> Story:
    """A canary, then all rows; then two of them change. Some rows fail the first time that they are sent."""
    share = {"share": 0.5, "by": "content", "times": 1, "error": {"code": 14, "message": "later"}}
    world.here.rules({"pending": "1s", "running": "1s", "rowOutcomes": [share]})
    stages: list[tuple[tuple[DesiredJob, ...], bool]] = []
    for changed in ("", "new "):
        keys = ("k1", "k2", f"{changed}k3", "k4", f"{changed}k5", "k6")
        wanted = job("a", inline(*keys), run_id="1", retry_on=frozenset({"ROWS"}))
        stages.append(((replace(wanted, canary=Canary(2, MaxFailedRows("100%"))),), True))
    return Story(world, stages)


def check_rows(world: World) -> None:
    record = world.here.control("GET", "rows")
    assert (record["distinct"], record["answered"], record["sentAfterAnswer"]) == (8, 8, 0)
    (ended,) = world.recorded().jobs.values()
    assert all(number == 1 for number in made(world.here).values())
    assert record["sent"] == sum(one["rows"] for one in world.here.jobs()) == 13
    assert ended.row.current == ended.attempts[-1].key.attempt
    found = results(world)
    rows = [json.loads(line) for line in found.splitlines()]
    assert [row["key"] for row in rows] == ["k1", "k2", "new k3", "k4", "new k5", "k6"]


def shards(world: World) -> Story:
    """A canary, then the other rows in shards, of which one expires; rows that fail are sent again in further shards."""
    share = {"share": 0.4, "by": "content", "times": 1, "error": {"code": 14, "message": "later"}}
    rule = {"pending": "1s", "running": "1s", "order": "shuffled", "rowOutcomes": [share]}
    world.here.rules({**rule, "match": {"displayName": "*@2.1 *"}, "fate": "expire", "done": 0.6}, rule)
    source = world.write_rows("rows.jsonl", *(f"k{number}" for number in range(12)))
    wanted = job("a", source, run_id="1", retry_on=frozenset({"ROWS"}))
    canary = Canary(2, MaxFailedRows("100%"))
    return Story(world, [((replace(wanted, canary=canary, sharding=ShardLimits(rows=4)),), True)])


def check_shards(world: World) -> None:
    record = world.here.control("GET", "rows")
    assert (record["distinct"], record["answered"], record["sentAfterAnswer"]) == (12, 12, 0)
    assert all(number == 1 for number in made(world.here).values())
    # A call without an answer is settled while the shards after it are created.
    assert sorted(one["rows"] for one in world.here.jobs()) == [2, 2, 3, 4, 4, 4]
    found = results(world)
    assert [json.loads(line)["key"] for line in found.splitlines()] == [f"k{number}" for number in range(12)]


def check_creation(world: World) -> None:
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "c@1.0": 1}
    assert [one["state"] for one in world.here.jobs()] == [SUCCEEDED] * 3
    for name, keys in {"a": {"k1", "k2"}, "b": {"k1", "k2", "k3"}, "c": {"k1", "k2"}}.items():
        attempt = world.attempt(name)
        (remote,) = [one for one in world.here.jobs() if one["mark"].key.job == name]
        assert (attempt.remote, attempt.state, attempt.intent) == (remote["name"], "JOB_STATE_SUCCEEDED", None)
        assert attempt.results is not None
        rows = world.result_rows(name)
        assert rows.keys() == keys
        assert all("response" in row for row in rows.values())


def check_change(world: World) -> None:
    jobs = world.here.jobs()
    assert set(made(world.here).values()) == {1}
    # Nothing of the removed jobs works on, and no result was deleted before it was collected.
    assert live(world.here).keys() == {"a@2.0"}
    assert world.recorded().jobs.keys() == {"a"}
    assert world.attempt("a", 2).results is not None
    assert world.result_rows("a").keys() == {"k1", "k2"}
    for one in jobs:
        if one["state"] == SUCCEEDED:
            assert (world.results / one["mark"].key.job).is_dir(), one
    assert all(one["deleted"] for one in jobs if one["mark"].key.job != "a")


def results(world: World) -> bytes:
    """The file that an undisturbed run ends with, byte for byte."""
    return (world.results / "a" / "current" / "results.jsonl").read_bytes()


STORIES = {
    "creation": (creation, check_creation),
    "change": (change, check_change),
    "rows": (rows, check_rows),
    "shards": (shards, check_shards),
}

PARTS = 4
"""Into which the moments are dealt out, so that several test processes can share them."""
STEP = PARTS * effort(5, 1)
"""In the gate every fifth run of moments; all of them in the long mode."""
LONGER = {"rows": effort(2, 1), "shards": effort(3, 1)}
"""Stories that cross more moments, of which the gate tries one of so many."""

SPARSER = effort(5, 1)
"""Results in a bucket cross more moments, most of them around the same writes."""


_UNDISTURBED: dict[tuple[str, int, bool], tuple[int, bytes]] = {}


def undisturbed(make_world, name, concurrency, *, in_bucket=False):
    """How many moments a run without a crash has, and the results that it ends with; each story is played once."""
    known = _UNDISTURBED.get((name, concurrency, in_bucket))
    if known is None:
        write, check = STORIES[name]
        world = make_world(limits=Limits(concurrency=concurrency), in_bucket=in_bucket)
        moments = write(world).play([])
        check(world)
        known = _UNDISTURBED[name, concurrency, in_bucket] = moments, results(world)
        world.close()
        shutil.rmtree(world.folder)
    return known


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("in_bucket", [False, True], ids=["folder", "bucket"])
def test_a_crash_at_each_moment_is_healed_by_the_next_run(make_world, name, part, in_bucket):
    write, check = STORIES[name]
    fields = {"limits": Limits(concurrency=1), "in_bucket": in_bucket}
    total, expected = undisturbed(make_world, name, 1, in_bucket=in_bucket)
    assert total > 40
    for moment in range(part, total, STEP * LONGER.get(name, 1) * (SPARSER if in_bucket else 1)):
        world = make_world(**fields)
        story = write(world)
        story.play([moment])
        where = f"crashed at moment {moment}"
        try:
            check(world)
            assert results(world) == expected
        except BaseException as error:
            error.add_note(where)
            raise
        world.close()
        shutil.rmtree(world.folder)


@pytest.mark.parametrize("seed", range(effort(4, 40)))
def test_crashes_again_and_again_are_healed_too(make_world, seed):
    dice = random.Random(seed)
    name = sorted(STORIES)[seed % 4]
    write, check = STORIES[name]
    _, expected = undisturbed(make_world, name, 3)
    world = make_world(limits=Limits(concurrency=3))
    write(world).play([dice.randrange(3, 40) for _ in range(6)])
    check(world)
    assert results(world) == expected


def test_a_dead_process_does_nothing_more(world):
    world.boundaries.reset(crash_at=10)
    with pytest.raises(Crash):
        world.watch(job("a"), job("b"), job("c"))
    calls, serial = world.here.control("GET", "requests"), world.recorded().serial
    with pytest.raises(Crash):
        world.watch(job("a"), job("b"), job("c"))
    assert (world.here.control("GET", "requests"), world.recorded().serial) == (calls, serial)
    world.boundaries.reset()
    report = world.watch(job("a"), job("b"), job("c"))
    assert set(phases(report).values()) == {"Succeeded"}
