"""The provider's clock: one wrong `Date` header ends nothing, and a clock that has moved is believed in the same pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from batchctl.model.lifecycle import OnMissing
from tests.support.engine import job, live, made

HOUR = timedelta(hours=1)
FAR = timedelta(hours=48)


def wrong(world, *offsets: timedelta, what: str = "list") -> None:
    """Let the next answers to a kind of call have a `Date` that is off; all further ones are right."""
    left = list(offsets)

    def dated(called: str, date: str | None) -> str | None:
        if date is None or called != what or not left:
            return date
        return format_datetime(parsedate_to_datetime(date).astimezone(UTC) + left.pop(0), usegmt=True)

    world.here.wire.dated = dated


@pytest.fixture
def running(world):
    """A world with one job that runs for hours."""
    world.here.rules({"match": {}, "running": "90h"})
    return world


def lists(world) -> int:
    return world.here.calls("batches.list")


def test_one_wrong_date_passes_no_deadline(running):
    wanted = job("a", active_deadline=3 * HOUR)
    running.apply(wanted)
    running.time.sleep(60)
    running.one_pass(wanted)
    before = lists(running)
    wrong(running, FAR)
    report = running.one_pass(wanted)
    assert str(report.plan.jobs[0].phase) == "Active"
    assert lists(running) - before == 2, "one more look, at the clock alone"
    assert running.here.calls("batches.cancel") == 0
    assert running.progress.warnings == []


def test_a_clock_that_has_moved_is_believed_in_one_pass(running):
    wanted = job("a", active_deadline=3 * HOUR)
    running.apply(wanted)
    running.time.sleep(60)
    running.one_pass(wanted)
    running.here.control("POST", "clock", {"advance": "5h"})
    running.one_pass(wanted)
    assert running.here.calls("batches.cancel") == 1
    assert "differs from this machine's by 18000 s" in running.progress.warnings[0]


@pytest.mark.parametrize("offsets", [(FAR, 2 * FAR), (FAR, -FAR)], ids=["further ahead", "far behind"])
def test_two_wrong_dates_that_differ_pass_no_deadline_either(running, offsets):
    wanted = job("a", active_deadline=3 * HOUR)
    running.apply(wanted)
    running.time.sleep(60)
    running.one_pass(wanted)
    wrong(running, *offsets)
    running.one_pass(wanted)
    assert running.here.calls("batches.cancel") == 0
    assert any("no other reply confirms" in warning for warning in running.progress.warnings)


def test_a_second_look_that_fails_confirms_nothing(running):
    wanted = job("a", active_deadline=3 * HOUR)
    running.apply(wanted)
    running.time.sleep(60)
    running.one_pass(wanted)
    wrong(running, FAR)
    asked = []

    def fail_the_second(what: str, _on: str) -> None:
        asked.append(what)
        if asked.count("list") == 2:
            running.here.faults({"method": "batches.list", "kind": "status", "status": 403})

    running.here.wire.before = fail_the_second
    running.one_pass(wanted)
    assert running.here.calls("batches.cancel") == 0
    assert asked.count("list") == 2


def test_one_wrong_date_deletes_nothing(world):
    wanted = job("a", ttl_after_finished=timedelta(days=1))
    world.watch(wanted)
    wrong(world, FAR)
    world.one_pass(wanted)
    assert world.here.calls("batches.delete") == 0
    assert len(live(world.here)) == 1


def test_one_wrong_date_ends_no_grace(world):
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    world.one_pass(job("a"))
    world.here.faults({"method": "batches.list", "kind": "listLag", "delay": "1h"})
    for _ in range(3):
        wrong(world, FAR)
        world.one_pass(job("a"))
    assert made(world.here) == {"a@1.0": 1}


def test_one_wrong_date_confirms_no_absence(running):
    wanted = job("a", on_missing=OnMissing.RECREATE)
    running.apply(wanted)
    running.here.faults(
        {"method": "batches.list", "kind": "listLag", "delay": "1h"},
        {"method": "batches.get", "kind": "status", "status": 404},
    )
    for _ in range(3):
        wrong(running, FAR)
        running.one_pass(wanted)
    assert made(running.here) == {"a@1.0": 1}


def test_one_wrong_date_writes_no_results_off(world):
    world.apply(job("a"))
    world.time.sleep(60)
    world.here.faults({"method": "batches.get", "kind": "status", "status": 404})
    wrong(world, 40 * FAR, what="get")
    world.one_pass(job("a"))
    assert world.attempt("a").results_lost is False
    world.here.faults()
    world.watch(job("a"))
    assert world.attempt("a").results


def test_what_is_written_down_with_a_wrong_date_is_not_in_the_future(running):
    wrong(running, FAR, FAR, what="create")
    running.apply(job("a"))
    made_at = running.attempt("a").create_time
    assert made_at is not None
    assert made_at < datetime(2026, 11, 22, 13, tzinfo=UTC)
