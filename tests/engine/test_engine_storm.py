"""Everything goes wrong at once, by seeds: in the end all is right, and nothing was bought twice.

A third of all calls fail in one way or another; lists lag, tear and show stale numbers. The clock is a fake one, so
hours pass in a second.
"""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from engine_kit import MODEL, inline, job, live, made, phases
from engine_parts import Crash
from long_mode import effort

from batchctl.model.desired import Kind, Limits
from batchctl.model.errors import BatchctlError
from batchctl.reconcile import Options

SEEDS = range(effort(1, 60))


def weather(seed: int) -> list[dict]:
    """Thirty calls of a hundred fail: before their effect, after it, or late."""
    kinds = [
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "cut", "when": "before"},
        {"kind": "cut", "when": "after"},
        {"kind": "delay", "delay": "61s", "when": "after"},
        {"kind": "delay", "delay": "3s", "when": "before"},
    ]
    share = 1 - 0.7 ** (1 / len(kinds))
    random.Random(seed).shuffle(kinds)
    odd = [
        {"method": "batches.list", "kind": "emptyPage", "probability": 0.3, "seed": seed},
        {"method": "batches.list", "kind": "listLag", "delay": "90s", "probability": 0.3, "seed": seed},
        {"kind": "staleStats", "probability": 0.3, "seed": seed},
    ]
    return [{**kind, "probability": share, "seed": seed * 100 + number} for number, kind in enumerate(kinds)] + odd


def forty(world, dice, run_id=None):
    """Forty jobs of all kinds of input."""
    jobs = []
    for number in range(40):
        name, keys = f"job-{number:02}", [f"k{count}" for count in range(dice.randrange(1, 5))]
        kind = dice.choice(list(Kind))
        source = inline(*keys, kind=kind)
        if dice.random() < 0.3:
            source = world.write_rows(f"{name}.jsonl", *keys, kind=kind)
        jobs.append(job(name, source, kind=kind, run_id=run_id, backoff_limit=2))
    return jobs


def foreign(world):
    """Jobs of somebody else, among ours."""
    requests = {"requests": [{"request": {"contents": [{"parts": [{"text": "mine"}]}]}, "metadata": {"key": "k1"}}]}
    for number in range(5):
        body = {"batch": {"displayName": f"not yours {number}", "inputConfig": {"requests": requests}}}
        world.here.api("POST", f"models/{MODEL}:batchGenerateContent", body)


def endure(world, jobs, **options):
    """Run until one run comes through to its end; a command that fails is run again, as people do."""
    for _ in range(30):
        report = world.watch(*jobs, timeout=None, options=Options(**options))
        if not report.errors and all(outcome.error is None for outcome in report.outcomes.values()):
            return report
    raise AssertionError("it never comes to rest")


def audit(world, wanted):
    """What must be true at rest, whatever happened before."""
    ours = [one for one in world.here.jobs() if one["mark"]]
    # Nothing was sent twice: the API kept all it took, and the grace outlasts its lag.
    assert set(Counter(one["mark"].token for one in ours).values()) == {1}
    # A job that was forgotten and is wanted again counts its attempts from 1 again; all others have one job each.
    assert {key for key, count in made(world.here).items() if count > 1 and key.split("@")[0][-1] != "6"} == set()
    assert {key for key, names in live(world.here).items() if len(names) > 1} == set()
    working = [one["displayName"] for one in ours if one["state"] in {"BATCH_STATE_PENDING", "BATCH_STATE_RUNNING"}]
    assert working == []
    # Nobody else's jobs were touched.
    others = [one for one in world.here.jobs() if not one["mark"]]
    assert [(one["state"], one["deleted"]) for one in others] == [("BATCH_STATE_SUCCEEDED", False)] * 5
    # The record is what the API says.
    recorded = world.recorded()
    assert recorded.jobs.keys() == {one.name for one in wanted}
    by_name = {one["name"]: one for one in ours}
    for name, row in recorded.jobs.items():
        assert all(attempt.intent is None for attempt in row.attempts), name
        (current,) = [attempt for attempt in row.attempts if attempt.key.attempt == row.current]
        assert by_name[current.remote]["mark"].token == current.token
        assert (current.state, current.results is not None) == ("JOB_STATE_SUCCEEDED", True)
        assert {attempt.remote for attempt in row.attempts} >= {
            one["name"] for one in ours if one["mark"].key.job == name and not one["deleted"]
        }
    check_results(world, wanted)


def check_results(world, wanted):
    for one in wanted:
        rows = world.result_rows(one.name)
        assert len(rows) == one.tree["source"]["rows"]
        manifest = json.loads((world.results / one.name / "current" / "manifest.json").read_text())
        assert manifest["digest"] == one.digest


@pytest.mark.parametrize("seed", SEEDS)
def test_forty_jobs_in_bad_weather(make_world, seed):
    world = make_world(limits=Limits(concurrency=4, max_delete=40, max_replace=40))
    foreign(world)
    jobs = forty(world, random.Random(seed))
    world.here.faults(*weather(seed))
    report = endure(world, jobs)
    world.here.faults()
    assert set(phases(report).values()) == {"Succeeded"}
    audit(world, jobs)
    assert made(world.here).keys() == {f"{one.name}@1.0" for one in jobs}


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_of_mind_and_crashes_in_bad_weather(make_world, seed):
    """Some jobs change while they work, some are removed, some fail and are retried, and the process dies at times."""
    dice = random.Random(seed)
    world = make_world(limits=Limits(concurrency=4, max_delete=40, max_replace=40))
    foreign(world)
    world.here.rules(
        {"match": {"displayName": "*5@1.0 *"}, "fate": "fail"},
        {"match": {"displayName": "*6@1.0 *"}, "pending": "1s", "running": "20m"},
    )
    first = forty(world, dice)
    second = [one for one in forty(world, dice, run_id="2") if not one.name.endswith("6")]
    world.here.faults(*weather(seed))
    for _ in range(4):
        world.boundaries.reset(crash_at=dice.randrange(40, 200))
        try:
            world.watch(*dice.choice([first, second]))
        except (Crash, BatchctlError):
            world.time.sleep(dice.randrange(60))
    world.boundaries.reset()
    report = endure(world, second)
    world.here.faults()
    assert set(phases(report).values()) == {"Succeeded"}
    audit(world, second)
