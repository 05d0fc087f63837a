"""`events`: the history that the state keeps."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta

import pytest

from batchctl.cli.event_feed import _added
from batchctl.cli.main import run
from batchctl.engine.clock import SystemClock
from batchctl.model.events import Event
from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, StackFolder


@pytest.fixture
def shop(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    """Two jobs that have succeeded, and a removed one."""
    for name, team in (("a", "search"), ("b", "ads"), ("gone", "ads")):
        stack.write_job(name, labels={"team": team})
    cli.ok("apply", "--yes", "--wait")
    stack.job_path("gone").unlink()
    cli.ok("apply", "--yes", "--wait")
    return stack


def test_all_events_of_the_stack_oldest_first(shop: StackFolder, cli: Cli) -> None:
    found = cli.ok("events", "-o", "json").json
    check_closed("events", found)
    times = [one["time"] for one in found["events"]]
    assert times == sorted(times)
    kinds = {(one["job"], one["kind"]) for one in found["events"]}
    assert kinds >= {("a", "Creating"), ("a", "Created"), ("a", "Collected"), ("gone", "Forgotten")}
    rows = cli.ok("events", "-o", "ndjson").rows
    assert len(rows) == len(found["events"])
    for row in rows:
        check_closed("events-row", row)
    lines = cli.ok("events").out.splitlines()
    assert lines[0].split() == ["TIME", "JOB", "ATTEMPT", "WHO", "WHAT", "WHY"]
    assert len(lines) == len(rows) + 1
    assert cli.ok("events", "-o", "yaml").out.startswith("format: batchctl/events/v1\n")


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["a"], "a"),
        (["gone", "b"], "gone b"),
        (["-l", "team=ads"], "b"),
        (["-f", "jobs/a.yaml"], "a"),
        (["a", "b", "-l", "team=ads"], "b"),
        (["-f", "."], "a b"),
    ],
    ids=" ".join,
)
def test_of_some_jobs(shop: StackFolder, cli: Cli, words: list[str], jobs: str) -> None:
    assert {row["job"] for row in cli.ok("events", *words, "-o", "ndjson").rows} == set(jobs.split())


def test_since_a_time(shop: StackFolder, cli: Cli, quick: list[float]) -> None:
    rows = cli.ok("events", "-o", "ndjson").rows
    middle = rows[len(rows) // 2]["time"]
    assert cli.ok("events", "--since", middle, "-o", "ndjson").rows == [one for one in rows if one["time"] >= middle]
    assert cli.ok("events", "--since", "1h", "-o", "ndjson").rows == rows
    quick.append(7200)
    assert cli.ok("events", "--since", "1h").out == "No events.\n"
    assert cli.ok("events", "--since", "1h", "-o", "json").json["events"] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["aa"], 1, "there is no event of a job aa"),
        (["--since", "yesterday"], 64, "'yesterday' is neither a duration nor a time with its zone"),
        (["--since", "2026-11-22"], 64, "neither"),
        (["--since", "2026-11-22T08:00:00"], 64, "neither"),
        (["-w", "-o", "json"], 64, "use -o ndjson"),
        (["-l", "team"], 0, ""),
        (["-l", "team=x"], 0, "warning: -l team=x matches no job"),
    ],
)
def test_wrong_input(shop: StackFolder, cli: Cli, words: list[str], code: int, said: str) -> None:
    ran = cli("events", *words)
    assert (ran.code, said in ran.err) == (code, True), ran


def test_a_stack_that_has_never_run(stack: StackFolder, cli: Cli) -> None:
    assert cli.ok("events").out == "No events.\n"
    assert not (stack.path / ".batchctl").exists()


def test_it_needs_no_valid_manifest(shop: StackFolder, cli: Cli) -> None:
    shop.write_job("broken", modle="x")
    assert "collected" in cli.ok("events", "a").out


@pytest.mark.parametrize("words", [[], ["-o", "ndjson"]], ids=["text", "ndjson"])
def test_watch_prints_new_events_once(
    shop: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    before = len(cli.ok("events", "a", "-o", "ndjson").rows)
    sleep = SystemClock.sleep
    acts: list[Callable[[], object]] = [lambda: None, lambda: shop.write_job("a", model="gemini-2.5-pro"), lambda: None]
    pauses: list[float] = []

    def act(_clock: SystemClock, seconds: float) -> None:
        pauses.append(seconds)
        if not acts:
            raise KeyboardInterrupt
        acts.pop(0)()
        if len(acts) == 1:
            with monkeypatch.context() as other, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                other.setattr(SystemClock, "sleep", sleep)
                assert run(["apply", "--yes", "--wait"]) == 0

    monkeypatch.setattr(SystemClock, "sleep", act)
    ran = cli("events", "a", "--watch", *words)
    monkeypatch.setattr(SystemClock, "sleep", sleep)
    assert (ran.code, ran.err) == (130, "")
    lines = ran.out.splitlines()[0 if words else 1 :]
    now = cli.ok("events", "a", "-o", "ndjson").out.splitlines()
    assert len(lines) == len(now) > before
    assert lines == now or not words
    assert pauses[1] > pauses[0], "the pauses grow while there is nothing new"


def event(number: int) -> Event:
    return Event(datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=number), "a", 1, "state", str(number))


@pytest.mark.parametrize(
    ("before", "now", "added"),
    [
        ([], [1, 2], [1, 2]),
        ([1, 2], [1, 2], []),
        ([1, 2], [1, 2, 3], [3]),
        ([1, 2, 3], [3, 4, 5], [4, 5]),
        ([1, 1, 2], [1, 2, 2], [2]),
        ([1, 2], [7, 8], [7, 8]),
    ],
)
def test_what_was_added_to_a_history_that_is_cut_at_its_beginning(
    before: list[int], now: list[int], added: list[int]
) -> None:
    assert list(_added([*map(event, before)], [*map(event, now)])) == [*map(event, added)]
