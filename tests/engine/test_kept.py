"""Collected results that somebody took away or damaged: a delete relies on what is on the disk, not on the record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest

from batchctl.engine.preview import preview
from batchctl.reconcile import Options
from tests.support.engine import job, made, phases, plan_of, results

DOWNLOAD = "files.download"
EMPTY = Options(allow_empty=True)
HOUR = timedelta(hours=1)


def rows_file(world, number=1):
    return world.results / world.attempt("a", number).results / "results.jsonl"


def take_away(world):
    shutil.rmtree(world.results)


def cut(world):
    path = rows_file(world)
    path.write_bytes(path.read_bytes()[:-1])


def swap(world):
    """What only the hash tells: as many bytes, and others."""
    path = rows_file(world)
    path.write_bytes(path.read_bytes().replace(b'"k1"', b'"kX"'))


def deleted(world):
    return [one["deleted"] for one in world.here.jobs()]


@pytest.mark.parametrize("damage", [take_away, cut])
@pytest.mark.parametrize("in_file", [False, True], ids=["inline", "file"])
def test_a_pass_brings_them_back(world, damage, in_file):
    wanted = job("a", world.write_rows("a.jsonl", "k1", "k2") if in_file else None)
    world.watch(wanted)
    before = world.result_rows("a")
    damage(world)
    with world.process() as tools:
        shown = preview(world.desired(wanted), Options(), tools).plan.jobs[0]
    assert (shown.action, "collected again" in shown.reason) == ("collect", True)
    report = world.apply(wanted)
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    assert world.result_rows("a") == before
    assert plan_of(world.apply(wanted), "a").action == "none"
    assert made(world.here) == {"a@1.0": 1}


@pytest.mark.parametrize("damage", [take_away, cut, swap])
@pytest.mark.parametrize("way", ["ttl", "removal", "replace"])
def test_they_are_collected_again_before_the_remote_job_is_deleted(world, damage: Callable[..., None], way: str):
    wanted = job("a", ttl_after_finished=HOUR)
    world.watch(wanted)
    before, file = world.result_rows("a"), rows_file(world)
    damage(world)
    if way == "ttl":
        world.time.sleep(7200)
        world.apply(wanted)
    elif way == "removal":
        world.apply(options=EMPTY)
    else:
        world.apply(job("a", run_id="2"))
    assert deleted(world)[0]
    assert file.read_bytes() == b"".join(_line(row) for row in before.values())


def _line(row):
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("damage", [take_away, swap])
def test_without_the_copy_at_the_api_nothing_is_deleted(world, damage: Callable[..., None]):
    wanted = job("a", world.write_rows("a.jsonl", "k1", "k2"))
    world.watch(wanted)
    damage(world)
    world.here.faults({"method": DOWNLOAD, "kind": "status", "when": "before", "status": 403})
    report = world.apply(options=EMPTY)
    assert results(report) == {"a": "pending"}
    assert deleted(world) == [False]
    discard = Options(allow_empty=True, discard_results=True)
    assert results(world.apply(options=discard)) == {"a": "done"}
    assert deleted(world) == [True]


def test_when_the_api_has_them_no_more_a_person_has_to_let_go(world):
    wanted = job("a", world.write_rows("a.jsonl", "k1", "k2"))
    world.watch(wanted)
    take_away(world)
    world.time.sleep(25 * 3600)
    world.here.faults({"method": DOWNLOAD, "kind": "status", "status": 403})
    assert results(world.apply(wanted)) == {"a": "failed"}
    attempt = world.attempt("a")
    assert (attempt.results_lost, attempt.results is not None) == (True, True)
    report = world.apply(options=EMPTY)
    assert (report.outcomes["a"].error.code, deleted(world)) == ("ResultsMissing", [False])
    assert report.outcomes["a"].error.exit_code == 6
    assert results(world.apply(options=Options(allow_empty=True, discard_results=True))) == {"a": "done"}
    assert deleted(world) == [True]


def test_results_that_are_given_up_take_no_last_trace_with_them(world):
    """In one pass: to be collected again, given up, and then not deleted."""
    wanted = job("a", world.write_rows("a.jsonl", "k1", "k2"))
    world.watch(wanted)
    take_away(world)
    world.time.sleep(25 * 3600)
    world.here.faults({"method": DOWNLOAD, "kind": "status", "status": 403})
    assert results(world.apply(options=EMPTY)) == {"a": "failed"}
    assert deleted(world) == [False]
    assert world.apply(options=EMPTY).outcomes["a"].error.code == "ResultsMissing"
    assert deleted(world) == [False]
