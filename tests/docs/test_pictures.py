"""The pictures of the pages: real commands over the emulator. `--update-golden` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_screens import SELDOM, write_job, write_stack
from tests.support.film import World, film, open_world, paint
from tests.support.screen_picture import screen_picture
from tests.support.terminal_emulator import TerminalEmulator

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LANGUAGES = ("de", "es", "fr", "it", "ja", "pt")
_COLUMNS = 100
_MOST = 34
"""Lines of a picture; `describe` has more."""


def night(world: World, number: int, *, without: str = "", **reviews: Any) -> None:
    """The manifests of one night."""
    for language in LANGUAGES:
        if language != without:
            write_job(world, f"translate-{language}", rows=40, runId=f"night {number}")
    write_job(world, "classify-tickets", rows=60, runId=f"night {number}")
    write_job(world, "summarise-reviews", rows=25, runId=f"night {number}", **reviews)


def terminals() -> Iterator[tuple[str, str, TerminalEmulator]]:
    """Each picture: its name, its command, and its screen."""
    with open_world() as world:
        amounts = {"input": 150, "output": 1250}
        price = {"model": "gemini-2.5*", "source": "our contract", "checked": "2026-11-01", "perMillionTokens": amounts}
        head = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD"}
        world.write("prices.yaml", {**head, "prices": [price]})
        write_stack(world, prices="prices.yaml")
        night(world, 1)
        world.rules({"pending": "2m", "running": "40m"})
        assert film("watch", "--yes", *SELDOM).code == 0
        night(world, 2)
        write_job(world, "weekly-report", dependsOn=["translate-ja", "summarise-reviews"])
        quota = {"code": 8, "message": "Quota exceeded for quota metric 'Generate requests'", "share": 0.1}
        world.rules(
            {"match": {"displayName": "*/translate-ja@*"}, "pending": "1m", "running": "9m", "fate": "fail"},
            {"match": {"displayName": "*/translate-?e@*"}, "pending": "1m", "running": "12m"},
            {
                "match": {"displayName": "*/classify*"},
                "pending": "1m",
                "running": "8m",
                "fate": "rows",
                "rowError": quota,
            },
            {"match": {"displayName": "*/translate-??@*"}, "pending": "2m", "running": "45m"},
            {"pending": "90m", "running": "30m"},
        )
        shots = film("watch", "--yes", *SELDOM, "--timeout", "25m", columns=_COLUMNS, lines=30).shots
        yield "watch", "batchctl watch", paint(shots[-1].view, _COLUMNS, 32)
        yield "explain", "batchctl explain translate-ja", command("explain", "translate-ja")
        yield "describe", "batchctl describe classify-tickets", command("describe", "classify-tickets")
        Path("jobs/translate-pt.yaml").unlink()
        night(world, 2, without="pt", lifecycle={"onChange": "replace"})
        write_job(world, "summarise-reviews", rows=25, runId="night 2", model="gemini-2.5-pro")
        write_job(world, "translate-nl", rows=40, runId="night 2")
        write_job(world, "translate-it", rows=40, runId="night 2", lifecycle={"backoffLimit": 2})
        yield "plan", "batchctl plan", command("plan")


def command(*arguments: str) -> TerminalEmulator:
    """The screen after a command."""
    return film(*arguments, columns=_COLUMNS, lines=400).terminal


@pytest.fixture(scope="module")
def pictures() -> Mapping[str, str]:
    return {name: screen_picture(terminal, title, _MOST) for name, title, terminal in terminals()}


@pytest.mark.parametrize("name", ["plan", "watch", "describe", "explain"])
def test_a_picture_is_current(pictures: Mapping[str, str], golden_file: Callable[[Path, str], None], name: str) -> None:
    golden_file(PICTURES / f"{name}.svg", pictures[name])


@pytest.mark.parametrize("name", ["plan", "watch", "describe", "explain"])
def test_a_picture_needs_nothing_from_elsewhere(name: str) -> None:
    text = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert len(text) < 60_000
    assert re.findall(r"https?://[^\"\s]+", text) == ["http://www.w3.org/2000/svg"]
