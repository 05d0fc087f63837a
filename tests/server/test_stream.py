"""Server-sent events: every change once, whenever a client takes it, and nothing kept for one that sleeps."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime

import httpx
import pytest

from batchctl.model.errors import StateError
from batchctl.server.view import MOST_REMOVED, View
from tests.support.engine import job
from tests.support.patience import PATIENCE
from tests.support.values import replace
from tests.support.web import serving, snapshot_of


def publish(site, world, *jobs):
    one = snapshot_of(world, *jobs)
    site.feed.publish(lambda: one)


def test_a_client_gets_what_changed(world):
    with serving(world, snapshot_of(world, job("a"), job("b"))) as site, site.events() as messages:
        event, first, data = next(messages)
        assert (event, first, data["change"]) == ("change", f"{site.feed.epoch}-1", f"{site.feed.epoch}-1")
        assert (data["reset"], data["jobs"], data["summary"]["jobs"]) == (True, [], 2)
        world.apply(job("a"))
        publish(site, world, job("a"), job("c"))
        event, second, data = next(messages)
        assert (event, second, data["reset"]) == ("change", f"{site.feed.epoch}-2", False)
        assert [(one["job"], one["phase"]) for one in data["jobs"]] == [("a", "Active"), ("c", "Waiting")]
        assert data["removed"] == ["b"]
        assert data["jobs"] == site.get("/api/jobs")["items"]
        assert data["summary"] == site.get("/api/summary")


def test_a_client_that_comes_before_the_first_snapshot_waits_for_it(world):
    with serving(world, heartbeat=0.05) as site:
        with site.client.stream("GET", "/events") as answer:
            lines = answer.iter_lines()
            assert [next(lines) for _ in range(3)] == ["retry: 2000", "", ": "]
            publish(site, world, job("a"))
            assert next(line for line in lines if line.startswith("event")) == "event: change"
        assert site.warnings == []


def test_changes_of_a_sleeping_client_come_in_one_message(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        with site.events() as messages:
            _, seen, _ = next(messages)
        for name in "bcd":
            publish(site, world, job("a"), job(name))
        with site.events(seen) as messages:
            _, last, data = next(messages)
        assert (last, data["reset"]) == (f"{site.feed.epoch}-4", False)
        assert [one["job"] for one in data["jobs"]] == ["d"]
        assert set(data["removed"]) <= {"b", "c"}, "they came and went while it slept"


@pytest.mark.parametrize("last", ["nonsense", "0000-1", "{epoch}-99", "{epoch}-x", "{epoch}--1", f"{'9' * 400}"])
def test_an_unknown_id_begins_again(world, last):
    with (
        serving(world, snapshot_of(world, job("a"))) as site,
        site.events(last.format(epoch=site.feed.epoch)) as messages,
    ):
        assert next(messages)[2]["reset"] is True


def test_the_last_id_of_now_waits_for_news(world):
    with serving(world, snapshot_of(world, job("a"))) as site:
        seen = site.get("/api/summary")["change"]
        with site.events(seen) as messages:
            publish(site, world, job("a"), job("b"))
            _, last, data = next(messages)
        assert (last, [one["job"] for one in data["jobs"]]) == (f"{site.feed.epoch}-2", ["b"])


def test_many_changes_ask_for_a_new_reading(world):
    many = [job(f"job-{number}") for number in range(201)]
    with serving(world, snapshot_of(world, job("a"))) as site, site.events() as messages:
        next(messages)
        publish(site, world, job("a"), *many[:199])
        assert (data := next(messages)[2])["reset"] is False
        assert len(data["jobs"]) == 200
        publish(site, world, *(replace(one, labels={"x": "y"}) for one in many))
        assert (data := next(messages)[2])["reset"] is True
        assert data["jobs"] == []


def test_a_quiet_stream_shows_that_it_lives(world):
    with (
        serving(world, snapshot_of(world, job("a")), heartbeat=0.05) as site,
        site.client.stream("GET", "/events") as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        assert next(line for line in lines if line.startswith(":")) == ": "


def test_work_under_way_is_shown_when_it_changes(world):
    work = {"what": "a: upload", "amount": "1.0 MB of 2.0 MB, 1.0 MB/s", "done": 10**6, "total": 2 * 10**6}
    with serving(world, snapshot_of(world, job("a")), heartbeat=0.02) as site, site.events() as messages:
        next(messages)
        site.surroundings.work = [work]
        assert next(messages) == ("activity", "", {"busy": [work], "nextPass": None})
        site.surroundings.work = []
        assert next(messages) == ("activity", "", {"busy": [], "nextPass": None})
        site.surroundings.due = datetime(2026, 1, 1, tzinfo=UTC)
        assert next(messages) == ("activity", "", {"busy": [], "nextPass": "2026-01-01T00:00:00Z"})


def test_a_look_that_fails_is_shown_once(world):
    with serving(world, snapshot_of(world, job("a")), heartbeat=0.02) as site, site.events() as messages:
        next(messages)
        site.surroundings.failure = StateError("the state is damaged")
        while not site.warnings:
            time.sleep(0.01)
        site.surroundings.failure = None
        publish(site, world, job("b"))
        assert next(messages)[0] == "change"
        assert site.warnings == ["the web page: the state is damaged"]


def test_the_end_is_said(world):
    said = []

    def read(url):
        with httpx.stream("GET", f"{url}/events", timeout=PATIENCE) as answer:
            said.extend(line for line in answer.iter_lines() if line.startswith("event"))

    with serving(world, snapshot_of(world, job("a"))) as site:
        reader = threading.Thread(target=read, args=(site.url,))
        reader.start()
        while not said:
            time.sleep(0.01)
    reader.join(PATIENCE)
    assert said == ["event: change", "event: bye"]


def test_the_number_of_streams_is_limited(world, monkeypatch):
    monkeypatch.setattr("batchctl.server.app.MOST_CLIENTS", 2)
    with serving(world, snapshot_of(world, job("a"))) as site, site.events() as one, site.events() as two:
        next(one), next(two)
        assert site.error("/events") == (503, "PageNotReady")
        assert site.client.get("/api/summary").status_code == 200


def test_a_stream_that_ends_makes_room(world, monkeypatch):
    monkeypatch.setattr("batchctl.server.app.MOST_CLIENTS", 1)
    with serving(world, snapshot_of(world, job("a")), heartbeat=0.05) as site:
        for _ in range(3):
            deadline = time.monotonic() + PATIENCE
            while True:
                with site.client.stream("GET", "/events") as answer:
                    if answer.status_code == 200:
                        break
                assert time.monotonic() < deadline


def test_nothing_grows_for_a_client_that_does_not_read(world):
    """Thousands of changes while a connected client takes no byte: no queue, and no more memory than for one."""
    snapshots = [
        snapshot_of(world, *(job(f"job-{number}", labels={"turn": str(turn)}) for number in range(20)))
        for turn in range(2)
    ]
    with serving(world, snapshots[0]) as site:
        sleeper = socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2])))
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sleeper.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def turn(times):
            for number in range(times):
                site.feed.publish(lambda one=snapshots[number % 2]: one)
                site.get("/api/summary")

        turn(100)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            turn(300)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        sleeper.close()
        # A message has 20 kB and more: 300 in a queue would be 6 MB.
        assert grown < 1_000_000


def test_removed_jobs_are_remembered_up_to_a_number(world):
    few = View(snapshot_of(world, *(job(f"a-{number}") for number in range(10))), "e", 1, None)
    many = View(snapshot_of(world, *(job(f"b-{number}") for number in range(MOST_REMOVED))), "e", 2, few)
    none = View(snapshot_of(world), "e", 3, many)
    assert (few.since(1).jobs, few.since(1).is_known) == ((), True)
    assert set(many.since(1).removed) == {f"a-{number}" for number in range(10)}
    assert len(none.since(2).removed) == MOST_REMOVED
    assert none.since(1).is_known is False
    assert none.since(3) == few.since(1)
