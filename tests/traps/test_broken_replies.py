"""Broken replies hurt nobody: three jobs, what is answered about one is broken, in every call that there is.

The emulator knows the truth and counts what is sent. BATCHCTL_LONG=1 in the environment tries many times more.
"""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchctl.model.lifecycle import OnMissing
from tests.support.broken_replies import MISSING, PLACES, VALUES, WHOLE, as_reply, put
from tests.support.engine import inline, job, made, phases, results
from tests.support.long_mode import effort
from tests.support.trap_stories import TwistedWorld, operations, own_answer, told

PATIENT = {
    "pending_deadline": timedelta(days=1),
    "active_deadline": timedelta(days=1),
    "ttl_after_finished": timedelta(days=7),
    "on_missing": OnMissing.RECREATE,
    "backoff_limit": 3,
    "retry_on": frozenset({"FAILED", "EXPIRED", "CANCELLED"}),
}
"""All that could make batchctl act on what a broken reply seems to say."""
MANY = effort(1, 20)
EVERY = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
AT_ONE_PLACE = st.tuples(st.sampled_from(PLACES), st.sampled_from(sorted(VALUES)))
AS_A_WHOLE = st.sampled_from(sorted(WHOLE))
LONG = {"pending": "0s", "running": "20m"}


@contextmanager
def new_world():
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="batchctl-broken-", dir=place) as folder:
        world = TwistedWorld(Path(folder) / "world")
        try:
            yield world
        finally:
            world.close()


def three(*names):
    return [job(name, inline("k1", "k2"), **PATIENT) for name in names or ("a", "b", "c")]


def spoil(asked, breakage, remote=None):
    """The broken answer. At one place: of the job that is hit, or of the one job that is shown."""
    if isinstance(breakage, str):
        return WHOLE[breakage](asked.answer())
    value = asked.json()
    for operation in operations(value):
        if remote is None or operation["name"] == remote:
            put(operation, breakage[0], VALUES[breakage[1]])
    return as_reply(value)


def end_well(world):
    """No reply is broken any more, and all jobs come to their end."""
    world.line.twist = lambda asked: None
    world.time.advance(timedelta(hours=1))


def check_right(world, *names):
    """At rest everything is as it should be: each job made once, its results its own, and nothing else touched."""
    assert made(world.here) == Counter(f"{name}@1.0" for name in names)
    for name in names:
        rows = world.result_rows(name)
        assert rows.keys() == {"k1", "k2"}
        assert all(own_answer(world, row) for row in rows.values())
    check_state(world)


def check_state(world):
    """What is written down can be read again, and no text in it can play with a terminal."""
    for recorded in world.recorded().jobs.values():
        for attempt in recorded.attempts:
            said = attempt.error.message if attempt.error else ""
            assert not [char for char in said if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}]
            str(attempt).encode()


@settings(max_examples=8 * MANY, **EVERY)
@given(breakage=AT_ONE_PLACE, has_ended=st.booleans())
@example(breakage=(("metadata", "createTime"), "beginning of time"), has_ended=False)
@example(breakage=(("metadata", "createTime"), "end of time"), has_ended=False)
@example(breakage=(("metadata", "endTime"), "beginning of time"), has_ended=True)
@example(breakage=(("metadata", "endTime"), "end of time"), has_ended=True)
def test_one_job_in_a_list(breakage, has_ended):
    with new_world() as world:
        world.here.rules(*[{"match": {"displayName": "*/a@*"}}] * has_ended, LONG)
        world.apply(*three())
        remote = world.attempt("a").remote
        before = world.writes()
        world.line.twist = lambda asked: spoil(asked, breakage, remote) if asked.what == "list" else None
        for _ in range(3):
            world.time.sleep(60)
            report = world.one_pass(*three("a", "b"))
            seen = {one.job: str(one.phase) for one in report.plan.jobs}
            assert seen["a"] in {"Unknown", "Active", "Succeeded"}
            check_state(world)
        sent = world.writes() - before
        allowed = {
            f"{what} {one['name']}"
            for one in world.here.jobs()
            if one["mark"].key.job == "c"
            for what in ("cancel", "delete")
        }
        assert sent.keys() <= allowed
        if report.errors:
            assert (sent, seen) == ({}, {"a": "Unknown", "b": "Unknown", "c": "Unknown"})
        else:
            assert seen["b"] == "Active"
            assert sent.keys() == allowed
        end_well(world)
        assert set(results(world.watch(*three("a", "b"))).values()) == {"done"}
        assert {one["mark"].key.job for one in world.here.jobs() if one["deleted"]} == {"c"}
        check_right_but(world, "a", "b", gone="c")


def check_right_but(world, *names, gone):
    assert made(world.here) == Counter(f"{name}@1.0" for name in (*names, gone))
    for name in names:
        assert world.result_rows(name).keys() == {"k1", "k2"}
    assert world.recorded().jobs.keys() == set(names)


@pytest.mark.parametrize("breakage", WHOLE)
def test_a_list_that_is_broken_as_a_whole_stops_everything_there(breakage):
    with new_world() as world:
        world.here.rules({"match": {"displayName": "*/a@*"}}, LONG)
        world.apply(*three("a", "b"))
        world.time.sleep(60)
        before = world.writes()
        world.line.twist = lambda asked: spoil(asked, breakage) if asked.what == "list" else None
        report = world.one_pass(*three("a", "c"))
        assert len(report.errors) == 1
        assert {one.job: str(one.phase) for one in report.plan.jobs}.keys() == {"a", "b", "c"}
        assert not {str(one.phase) for one in report.plan.jobs} & {"Succeeded", "Failed", "Removing"}
        assert world.writes() == before
        assert {one.name for one in world.results.glob("*/*")} <= {"sent"}
        assert world.line.twisted > 0
        end_well(world)
        world.watch(*three("a", "b"))
        check_right(world, "a", "b")


UNREADABLE = [
    (place, name)
    for place in (("metadata",), ("metadata", "displayName"))
    for name, value in VALUES.items()
    if not isinstance(value, str) and (place == ("metadata",) or value not in (None, MISSING))
]
"""What leaves open whose job it is. A name that is missing, or other text, is that of somebody else's job."""


@pytest.mark.parametrize("breakage", UNREADABLE, ids=str)
def test_a_job_of_which_nobody_can_say_whose_it_is_may_be_the_one_that_is_looked_for(breakage):
    """A create call was done and its answer lost: as long as the list cannot be read in full, it is not sent again."""
    with new_world() as world:
        jobs = three("a", "b")
        world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
        world.one_pass(jobs[0])
        (one,) = world.here.jobs()
        world.line.twist = lambda asked: spoil(asked, breakage, one["name"]) if asked.what in {"list", "get"} else None
        for _ in range(4):
            world.time.advance(timedelta(minutes=5))
            world.one_pass(*jobs)
        assert world.writes()["create a@1.0"] == 1
        end_well(world)
        world.watch(*jobs)
        check_right(world, "a", "b")


@settings(max_examples=5 * MANY, **EVERY)
@given(breakage=AT_ONE_PLACE | AS_A_WHOLE, is_missing=st.sampled_from(list(OnMissing)))
def test_a_get(breakage, is_missing):
    """Asked for where the list lacks a job. Only the API's own 404 says that it is gone."""
    with new_world() as world:
        world.here.rules(LONG)
        jobs = [job("a", on_missing=is_missing), *three("b", "c")]
        world.apply(*jobs)
        remote = world.attempt("a").remote
        before = world.writes()

        def twist(asked):
            if asked.what == "list":
                return told({"operations": [one for one in operations(asked.json()) if one["name"] != remote]})
            return spoil(asked, breakage) if asked.what == "get" else None

        world.line.twist = twist
        for _ in range(2):
            world.time.sleep(30)
            report = world.one_pass(*jobs)
            assert {one.job: str(one.phase) for one in report.plan.jobs if one.job != "a"} == {
                "b": "Active",
                "c": "Active",
            }
            assert str(report.plan.jobs[0].phase) in {"Unknown", "Active"}
            check_state(world)
        assert world.writes() == before
        end_well(world)
        world.watch(*jobs)
        check_right(world, "a", "b", "c")


@settings(max_examples=5 * MANY, **EVERY)
@given(breakage=AT_ONE_PLACE | AS_A_WHOLE)
def test_a_create(breakage):
    """The job is made, and what is answered is broken: found by its mark, it is not made again."""
    with new_world() as world:
        world.line.twist = lambda asked: (
            spoil(asked, breakage) if (asked.what, asked.on) == ("create", "b@1.0") else None
        )
        report = world.watch(*three())
        check_state(world)
        assert set(phases(report).values()) == {"Succeeded"}
        assert world.line.twisted == 1
        check_right(world, "a", "b", "c")


def test_a_create_that_is_answered_with_another_job():
    """Taken at its word, that job would pass for a second one of the attempt, and be cancelled."""
    with new_world() as world:
        world.here.rules(LONG)
        world.apply(*three("a"))
        other = world.here.api("GET", world.attempt("a").remote)
        world.line.twist = lambda asked: (asked.answer(), told(other))[1] if asked.what == "create" else None
        world.apply(*three("a", "b"))
        world.watch(*three("a", "b"))
        assert world.line.twisted == 1
        assert world.attempt("b").remote != world.attempt("a").remote
        assert world.writes() == {"create a@1.0": 1, "create b@1.0": 1}
        check_right(world, "a", "b")


@settings(max_examples=5 * MANY, **EVERY)
@given(breakage=AS_A_WHOLE, what=st.sampled_from(["cancel", "delete"]), has_effect=st.booleans())
def test_a_cancel_or_a_delete(breakage, what, has_effect):
    """With its effect or without: in the end the job is gone over there, and only that one."""
    with new_world() as world:
        world.here.rules(LONG)
        world.apply(*three())
        remote = world.attempt("a").remote

        def twist(asked):
            if (asked.what, asked.on) != (what, remote) or world.line.twisted >= 2:
                return None
            return spoil(asked, breakage) if has_effect else WHOLE[breakage](told({}))

        world.line.twist = twist
        world.one_pass(*three("b", "c"))
        world.time.advance(timedelta(hours=1))
        report = world.watch(*three("b", "c"))
        world.apply(*three("b", "c"))
        assert world.line.twisted > 0
        assert {name: phase for name, phase in phases(report).items() if name != "a"} == {
            "b": "Succeeded",
            "c": "Succeeded",
        }
        assert [one["mark"].key.job for one in world.here.jobs() if one["deleted"]] == ["a"]
        assert {call.partition(" ")[2] for call in world.writes() if not call.startswith("create")} == {remote}
        check_right_but(world, "b", "c", gone="a")


ITEMS = [
    *VALUES.values(),
    {"response": 5, "metadata": {"key": "k1"}},
    {"error": [], "metadata": "k1"},
    {"response": {"text": "\ud800\x00", "big": 10**400, "huge": "@1e400@"}, "metadata": {"key": "k1"}},
    {"error": {"code": 2**80, "message": ["\x1b"]}, "metadata": {"key": ["k1"], "index": "-1"}},
]


@settings(max_examples=5 * MANY, **EVERY)
@given(breakage=AS_A_WHOLE | st.integers(0, len(ITEMS) - 1) | AT_ONE_PLACE, in_file=st.booleans())
def test_results(breakage, in_file):
    """Results are whole, or not there: what is kept is what the API said, and nothing is bought again for it."""
    with new_world() as world:
        source = world.write_rows("rows.jsonl", "k1", "k2") if in_file else inline("k1", "k2")
        jobs = [job("a", source), *three("b", "c")]
        world.apply(*jobs)
        remote = world.attempt("a").remote

        def twist(asked):
            is_results = asked.what == "get" and "output" in asked.fields and asked.on == remote
            if isinstance(breakage, str) and asked.what == "download" and asked.answer().status_code == 200:
                return WHOLE[breakage](asked.answer())
            return broken_results(asked, breakage) if is_results else None

        world.line.twist = twist
        world.time.sleep(10)
        for _ in range(2):
            report = world.one_pass(*jobs)
        assert {name: found for name, found in results(report).items() if name != "a"} == {"b": "done", "c": "done"}
        assert results(report)["a"] in {"done", "failed", "pending"}
        check_state(world)
        end_well(world)
        report = world.watch(*jobs)
        assert phases(report)["a"] in {"Succeeded", "Failed"}
        assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "c@1.0": 1}
        (path,) = world.results.glob("a/[0-9a-f]*-1/results.jsonl")
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert isinstance(breakage, int) or {row["key"] for row in rows} >= {"k1", "k2"}
        for name in ("b", "c"):
            assert all(own_answer(world, row) for row in world.result_rows(name).values())


def broken_results(asked, breakage):
    if not isinstance(breakage, int):
        return spoil(asked, breakage)
    value = asked.json()
    output = value.get("metadata", {}).get("output", {})
    if "inlinedResponses" not in output:
        return None
    items = output["inlinedResponses"]["inlinedResponses"]
    items[0:1] = [] if ITEMS[breakage] is MISSING else [ITEMS[breakage]]
    return as_reply(value)
