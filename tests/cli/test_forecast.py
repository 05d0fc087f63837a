"""When jobs end, over the emulator with both clocks moved: what is said agrees with the emulator's own times."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder

PAST = [f"past-{number:02}" for number in range(1, 11)]
MINUTE = timedelta(minutes=1)
STUCK = {"match": {"displayName": "*/stuck*"}, "fate": "stuck"}


class World:
    """Ten jobs of three rows that waited two minutes and ran 11 to 20."""

    def __init__(self, stack: StackFolder, cli: Cli, service: Service, passed: list[float]) -> None:
        self.stack, self.cli, self.service, self._passed = stack, cli, service, passed
        rules: list[dict[str, Any]] = [
            {"match": {"displayName": f"*/{name}@*"}, "pending": "2m", "running": f"{number}m"}
            for number, name in enumerate(PAST, start=11)
        ]
        service.rules(*rules, STUCK, {"pending": "2m", "running": "30m"})
        for name in PAST:
            stack.write_job(name)
        # A look when they have begun, and one when they have ended.
        for minutes in (0, 2, 20):
            self.pass_time(minutes)
            assert cli("apply", "--yes").code == 0
        assert {job["phase"] for job in self.status()["jobs"]} == {"Succeeded"}

    def pass_time(self, minutes: int) -> None:
        self._passed.append(60 * minutes)
        self.service.advance(f"{minutes}m")

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.cli("status", "-o", "json").out)
        return document

    def forecast(self, name: str) -> Any:
        return next(job["forecast"] for job in self.status()["jobs"] if job["job"] == name)


@pytest.fixture
def world(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> World:
    return World(stack, cli, service, quick)


def whole_times(service: Service) -> list[float]:
    """The time from creation to end of each of the emulator's jobs, in seconds, by its own record."""
    times = [
        (datetime.fromisoformat(job["endTime"]) - datetime.fromisoformat(job["createTime"])).total_seconds()
        for job in service.jobs()
        if job.get("endTime")
    ]
    return sorted(times)


def test_a_forecast_agrees_with_the_emulators_own_times(world: World) -> None:
    whole = whole_times(world.service)
    assert [round(one / 60) for one in whole] == list(range(13, 23))
    world.stack.write_job("next")
    world.cli("apply", "--yes")
    (made,) = world.service.of("next")
    created = datetime.fromisoformat(made["createTime"])

    found = world.forecast("next")
    assert (found["samples"], found["size"], found["unknown"]) == (10, "1 to 9 rows", None)
    # Gemini does not report starts: the look that came after two minutes counts.
    assert 118 <= found["pending"]["p50"] <= 180
    ends = [datetime.fromisoformat(found["end"][name]) for name in ("p50", "p90")]
    expected = [created + timedelta(seconds=whole[place]) for place in (4, 8)]
    assert all(abs(one - other) <= timedelta(seconds=1) for one, other in zip(ends, expected, strict=True))

    world.pass_time(20)
    # Two others took longer than it has so far, too few to say anything; it was seen running for the first time now.
    later = world.forecast("next")
    run = datetime.fromisoformat(later["end"]["p50"]) - (created + 20 * MINUTE)
    assert abs(run - 15 * MINUTE) <= MINUTE
    world.cli("apply", "--yes")
    world.pass_time(30)
    assert world.forecast("next") is None


def test_the_words_of_status_describe_and_explain(world: World) -> None:
    world.stack.write_job("next")
    world.cli("apply", "--yes")
    wide = world.cli("status", "-o", "wide").out
    assert "ENDS" in wide
    assert "The last job ends about " in wide
    assert "in nine of ten cases by" in wide
    assert "Ends:" in world.cli("describe", "next").out
    explained = world.cli("explain", "next").out
    assert "as 10 attempts with 1 to 9 rows" in explained


def test_without_history_the_end_is_unknown(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(LONG)
    stack.write_job("first")
    cli("apply", "--yes")
    document = json.loads(cli("status", "-o", "json").out)
    (job,) = document["jobs"]
    assert (job["forecast"]["end"], job["forecast"]["pending"], job["forecast"]["running"]) == (None, None, None)
    assert job["forecast"]["unknown"].startswith("history has 0 of at least 5 attempts of gemini-2.5-flash")
    assert document["forecast"] == {"end": None, "unknown": ["first"], "stuck": []}
    ran = cli("status", "-o", "wide")
    assert " ? " in ran.out
    assert "The last job ends" not in ran.out
    assert "Ends:     unknown: history has 0 of at least 5" in cli("explain", "first", "-v").out
    assert "Ends:" not in cli("explain", "first").out


def test_a_job_that_never_begins_is_stuck(world: World) -> None:
    world.stack.write_job("stuck")
    world.cli("apply", "--yes")
    world.pass_time(29)
    assert world.forecast("stuck")["stuck"] is False
    world.pass_time(3)
    found = world.status()
    assert found["forecast"]["stuck"] == ["stuck"]
    assert "pending for 3" in world.cli("status").out
    explained = world.cli("explain", "stuck").out
    assert "Stuck" in explained
    assert "`batchctl cancel stuck` and then `batchctl retry stuck`" in explained
    assert "pending for 3" in world.cli("describe", "stuck").out
    ran = world.cli("apply", "--yes")
    assert "stuck is stuck: pending for 3" in ran.err
    assert "`batchctl explain stuck` says what to do" in ran.err


def test_few_jobs_are_added_to_a_queue_that_has_stalled(world: World) -> None:
    for number in range(3):
        world.stack.write_job(f"stuck-{number}")
    world.cli("apply", "--yes")
    world.pass_time(31)
    world.stack.write_job("late")
    ran = world.cli("apply", "--yes")
    assert ran.code == 0
    assert world.service.of("late") == []
    (late,) = [job for job in world.status()["jobs"] if job["job"] == "late"]
    assert late["reasonCode"] == "StalledQueue"
    assert "of 3 jobs that wait there none has begun since" in late["reason"]
    assert late["forecast"]["unknown"] == "it waits for stalledQueue, which has no known end"
    assert "3 jobs wait at the API and none begins" in world.cli("explain", "late").out
    world.stack.write_stack(limits={"pauseWhenStalled": False})
    world.cli("apply", "--yes")
    assert len(world.service.of("late")) == 1


def test_the_times_of_removed_jobs_are_kept(world: World) -> None:
    world.stack.write_job("next")
    world.cli("apply", "--yes")
    before = world.forecast("next")
    for name in PAST:
        world.stack.job_path(name).unlink()
    world.cli("apply", "--yes", "--max-delete", "10")
    assert [job["job"] for job in world.status()["jobs"]] == ["next"]
    assert world.forecast("next") == before
    world.cli("state", "rebuild", "--force")
    assert world.forecast("next") == before


SHORT = "lifecycle.activeDeadline is 10m, but 10 of 10 attempts of gemini-2.5-flash with 1 to 9 rows ran for longer"


def test_validate_and_plan_warn_of_a_deadline_below_what_jobs_took(world: World) -> None:
    path = world.stack.write_job("next", lifecycle={"activeDeadline": "10m"})
    for command in ("validate", "plan"):
        ran = world.cli(command)
        assert ran.code == 0
        assert f"{path.name}:" in ran.err
        assert f"ShortDeadline {SHORT}" in ran.err, command
        assert "set activeDeadline above" in ran.err
    (warning,) = json.loads(world.cli("validate", "-o", "json").out)["warnings"]
    assert warning["code"] == "ShortDeadline"
    # The jobs with the history are not asked about, and one with time enough is no news.
    assert "ShortDeadline" not in world.cli("validate", "-f", world.stack.job_path("past-01").name).err
    world.stack.write_job("next", lifecycle={"activeDeadline": "1h"})
    assert "ShortDeadline" not in world.cli("validate").err + world.cli("plan").err


def test_validate_reads_the_state_without_its_lock_and_says_if_it_cannot(world: World) -> None:
    world.stack.write_job("next", lifecycle={"activeDeadline": "10m"})
    state = world.stack.path / ".batchctl" / "state.db"
    before = state.read_bytes()
    assert "ShortDeadline" in world.cli("validate").err
    assert state.read_bytes() == before
    state.write_bytes(b"not a state")
    ran = world.cli("validate")
    assert ran.code == 0
    assert "deadlines were not compared with the history of the stack: the state file" in ran.err
    # Without deadlines the state is not even opened.
    world.stack.write_job("next")
    assert world.cli("validate").err == ""
    state.unlink()
    world.stack.write_job("next", lifecycle={"activeDeadline": "10m"})
    assert world.cli("validate").err == ""


def test_on_vertex_each_state_agrees_with_the_services_own_times(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    """Vertex reports when a job began, so nobody has to look in time."""
    settings = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us-central1"}
    stack.write_stack(providers={"vertex": {**settings, "stagingBucket": "gs://staging/"}})
    service.seed(buckets={"staging": {}, "output": {}})
    (stack.path / "jobs").mkdir(exist_ok=True)
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "one", "text": "hi"}\n')
    spec: dict[str, Any] = {"src": {"file": "rows.jsonl"}, "dest": "gs://output/"}
    service.rules(
        *(
            {"match": {"displayName": f"*{name}*"}, "pending": f"{number}m", "running": f"{2 * number}m"}
            for number, name in enumerate(PAST, start=1)
        ),
        {"pending": "5m", "running": "10m"},
    )
    for name in PAST:
        stack.write_job(name, **spec)
    cli.ok("apply", "--yes")
    quick.append(3600)
    service.advance("60m")
    cli.ok("apply", "--yes")
    stack.write_job("next", **spec)
    cli.ok("apply", "--yes")
    (found,) = [job["forecast"] for job in json.loads(cli("status", "-o", "json").out)["jobs"] if job["job"] == "next"]
    times = [service.vertex_job(job["name"]) for job in service.jobs() if job.get("endTime")]
    for name, first, last in (("pending", "createTime", "startTime"), ("running", "startTime", "endTime")):
        spans = sorted(
            (datetime.fromisoformat(job[last]) - datetime.fromisoformat(job[first])).total_seconds() for job in times
        )
        assert len(spans) == 10
        assert found[name] == {"p50": round(spans[4]), "p90": round(spans[8]), "longerThan": None, "samples": 10}
