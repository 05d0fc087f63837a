"""The live screen of real commands over the emulator, as golden files: `--update-golden` writes them anew.

Each file is the screen at one moment on terminals of 60, 80 and 140 columns, and on the widest one its styles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.film import Film, Shot, World, film, open_world, paint

SCREENS = Path(__file__).parent / "golden" / "screens"
WIDTHS = (60, 80, 140)
LANGUAGES = (
    "ar bg cs da de el en es et fi fr ga he hi hr hu id it ja ko lt lv ms mt nl no pl pt ro ru sk sl sv th tr uk ur vi"
)
SELDOM = ("--poll-min", "20s", "--poll-max", "30m")
Golden = Callable[[str, Shot], None]


@pytest.fixture
def world() -> Iterator[World]:
    with open_world() as world:
        write_stack(world)
        yield world


def write_stack(world: World, active: int = 100, **spec: str) -> None:
    """One create call after the other, so that remote names are the same in every run."""
    document = {
        "providers": {"gemini": {"type": "gemini", "endpoint": "emulator"}},
        "manifests": ["jobs"],
        "limits": {"concurrency": 1, "active": active},
        **spec,
    }
    metadata = {"name": "nightly", "uid": "abc123"}
    world.write(
        "batchctl.yaml", {"apiVersion": "batchctl.dev/v1", "kind": "Stack", "metadata": metadata, "spec": document}
    )


@pytest.fixture
def golden(golden_file: Callable[[Path, str], None]) -> Golden:
    """Compares a shot with the golden file of that name."""

    def compare(name: str, shot: Shot, lines: int = 40) -> None:
        screens = [(width, paint(shot.view, width, lines)) for width in WIDTHS]
        parts = [f"--- {width} columns ---\n{terminal.text()}" for width, terminal in screens]
        golden_file(SCREENS / name, "".join([*parts, f"--- styles ---\n{screens[-1][1].styles()}"]))

    return compare


def write_job(world: World, name: str, *, model: str = "gemini-2.5-flash", rows: int = 3, **spec: Any) -> None:
    source = [{"key": f"row-{number}", "text": f"Text {number} of {name}"} for number in range(1, rows + 1)]
    document = {"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": name}}
    world.write(f"jobs/{name}.yaml", {**document, "spec": {"model": model, "src": source, **spec}})


def at(shown: Film, moment: str) -> Shot:
    """The first shot at a time of day or later."""
    return next(shot for shot in shown.shots if f"{shot.view.now:%H:%M:%S}" >= moment)


def test_38_jobs_of_which_one_has_failed(world: World, golden: Golden) -> None:
    for number, language in enumerate(LANGUAGES.split()):
        model = "gemini-2.5-pro" if number % 5 == 0 else "gemini-2.5-flash"
        write_job(world, f"translate-{language}", model=model, lifecycle={"activeDeadline": "2h"})
    world.rules(
        {"match": {"displayName": "*/translate-nl@*"}, "pending": "5s", "running": "20s", "fate": "fail"},
        {"match": {"model": "*pro"}, "pending": "2m", "running": "2h"},
        {"match": {"displayName": "*/translate-e?@*"}, "pending": "5s", "running": "2m"},
        {"pending": "30s", "running": "1h30m"},
    )
    shown = film("watch", "--yes", *SELDOM, "--timeout", "60m")
    golden("38-jobs.txt", shown.shots[-1])
    assert shown.code == 4
    assert shown.terminal.is_restored


def test_300_jobs(world: World, golden: Golden) -> None:
    write_stack(world, active=25)
    for number in range(300):
        write_job(world, f"page-{number:03}", model=f"gemini-2.5-{'pro' if number % 6 == 0 else 'flash'}", rows=1)
    world.write("jobs/last.yaml", job_after("last", "page-007"))
    world.rules(
        {"match": {"displayName": "*/page-0?7@*"}, "pending": "5s", "running": "20s", "fate": "fail"},
        {"match": {"displayName": "*/page-01?@*"}, "pending": "5s", "running": "1m"},
        {"pending": "30s", "running": "2h"},
    )
    shown = film("watch", "--yes", "--poll-min", "1m", "--poll-max", "30m", "--timeout", "5m", "--max-create", "400")
    golden("300-jobs.txt", shown.shots[-1])


def job_after(name: str, before: str) -> dict[str, Any]:
    """A job that depends on another one."""
    spec = {"model": "gemini-2.5-pro", "dependsOn": [before], "src": [{"key": "a", "text": "x"}]}
    return {"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": name}, "spec": spec}


def test_a_chain_and_shards(world: World, golden: Golden) -> None:
    write_job(world, "extract", rows=6)
    source = {"fromJob": "extract", "template": {"text": "Summarise: ${row.text}"}}
    write_job(world, "summarise", src=source)
    write_job(world, "report", src={**source, "fromJob": "summarise"}, model="gemini-2.5-pro")
    world.rules({"pending": "10s", "running": "5m"})
    shown = film("apply", "--yes", "--wait")
    assert shown.code == 0
    golden("chain-begun.txt", at(shown, "10:30:30"))
    golden("chain-half.txt", at(shown, "10:37:00"))


def test_shards(world: World, golden: Golden) -> None:
    write_job(world, "big", rows=20, sharding={"maxRows": 5}, lifecycle={"retryOn": ["ROWS"]})
    world.rules(
        {"match": {"nth": 2}, "pending": "10s", "running": "1m", "fate": "expire"},
        {"match": {"nth": 1}, "pending": "10s", "running": "2m"},
        {"pending": "10s", "running": "5m"},
    )
    shown = film("watch", "--yes", *SELDOM, "--timeout", "4m")
    golden("shards.txt", shown.shots[-1])


def test_status_shows_what_watch_shows(world: World, golden: Golden) -> None:
    """One screen: besides the last line, the same jobs look the same."""
    write_job(world, "good")
    write_job(world, "bad")
    world.rules(
        {"match": {"displayName": "*/bad@*"}, "pending": "5s", "running": "20s", "fate": "fail"},
        {"pending": "10s", "running": "10m"},
    )
    watched = film("watch", "--yes", "--timeout", "2m")

    def stop(number: int) -> None:
        if number == 1:
            raise KeyboardInterrupt

    looked = film("status", "-w", meanwhile=stop)
    assert looked.code == 130
    assert looked.terminal.is_restored
    first, last = (paint(shot.view, 100, 30).text() for shot in (watched.shots[-1], looked.shots[0]))
    assert _without_times(first) == _without_times(last)
    assert "10:30:25Z bad: collected 0 rows ok" in looked.terminal.text(), "what another process did"
    golden("status.txt", looked.shots[0])


def _without_times(screen: str) -> list[list[str]]:
    """The words of each line without ages, but the last line."""
    return [[word for word in line.split() if not word[:1].isdigit()] for line in screen.splitlines()[:-1]]


def test_wait_writes_its_lines_above_the_screen(world: World) -> None:
    write_job(world, "quick")
    write_job(world, "slow")
    world.rules({"match": {"displayName": "*/quick@*"}, "running": "20s"}, {"running": "10m"})
    assert film("apply", "--yes").code == 0
    shown = film("wait", "--all", "--timeout", "1m")
    assert shown.code == 7
    last = shown.shots[-1].text.splitlines()
    assert last[0] == "quick: Succeeded"
    assert sum("PHASE" in line for line in last) == 1
    assert shown.terminal.text().startswith("quick: Succeeded\nerror: ")


@pytest.mark.parametrize("setting", ["NO_COLOR", "dumb"])
def test_no_colour_and_a_terminal_that_cannot_move_its_cursor(
    world: World, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    write_job(world, "one")
    if setting == "dumb":
        monkeypatch.setattr("tests.support.terminal_emulator.TerminalEmulator.TERM", "dumb")
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    shown = film("watch", "--yes")
    assert shown.code == 0
    assert shown.terminal.styles() == ""
    if setting == "dumb":
        assert "\x1b" not in shown.terminal.getvalue()
        assert "10:30:00Z waiting: 1 " in "\n".join([*shown.terminal.scrolled(), shown.terminal.text()])
    else:
        assert "DONE" in shown.shots[0].text


def test_when_it_ends_and_what_it_costs(world: World, golden: Golden) -> None:
    """The second night of a stack with a price list: the first one says how long it takes, and one job is stuck."""
    amounts = {"input": 150, "output": 1250}
    price = {"source": "our contract", "checked": "2026-11-01", "perMillionTokens": amounts}
    head = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD"}
    world.write("prices.yaml", {**head, "prices": [{"model": "gemini-2.5*", **price}]})
    write_stack(world, prices="prices.yaml")
    languages = ("de", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv")
    for night in ("first", "second"):
        for name in ("summarise", *(f"translate-{language}" for language in languages)):
            write_job(world, name, runId=f"the {night} night")
        slow = {"match": {"displayName": "*/summarise@*"}, "pending": "1m", "running": "40m"}
        later = {"match": {"displayName": "*/translate-p?@*"}, "pending": "2m", "running": "25m"}
        slow = {**slow, "running": "1000h"} if night == "second" else slow
        world.rules(slow, later, {"pending": "1m", "running": "15m"})
        if night == "first":
            assert film("watch", "--yes", *SELDOM).code == 0
    shown = film("watch", "--yes", *SELDOM, "--timeout", "5m")
    golden("outlook.txt", shown.shots[-1])
    film("watch", "--yes", *SELDOM, "--timeout", "3h")
    golden("stuck.txt", film("watch", "--yes", "--timeout", "5s").shots[-1])
