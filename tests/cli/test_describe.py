"""`describe` as a page to act from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cli.test_screens import SELDOM, write_job, write_stack
from tests.support.closed_schemas import check_closed
from tests.support.film import World, film, open_world

Golden = Callable[[str, str], None]


@pytest.fixture
def world() -> Iterator[World]:
    with open_world() as world:
        write_stack(world)
        yield world


def said(world: World, job: str) -> str:
    ran = world("describe", job)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def document(world: World, job: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(world("describe", job, "-o", "json").out)
    check_closed("describe", found)
    return found


def test_rows_by_verdict_with_examples_and_what_helps(world: World) -> None:
    write_job(world, "good", rows=30)
    error = {"code": 8, "message": "Quota exceeded\x1b[2J", "share": 0.2}
    world.rules({"pending": "1m", "running": "5m", "fate": "rows", "rowError": error})
    film("watch", "--yes", *SELDOM)
    text = said(world, "good")
    assert "  OK                  24  A complete answer" in text
    assert "  RESOURCE_EXHAUSTED  6   A quota is used up (code 8).\n      row-1   Quota exceeded\\x1b[2J\n" in text
    assert text.count("Quota exceeded") == 3
    assert "You can\n  batchctl results good --failed     prints these rows in full\n" in text
    verdicts = document(world, "good")["verdicts"]
    assert isinstance(verdicts, list)
    assert [(one["verdict"], one["rows"], one["good"], len(one["examples"])) for one in verdicts] == [
        ("OK", 24, True, 0),
        ("RESOURCE_EXHAUSTED", 6, False, 3),
    ]


def test_rows_without_a_result_are_named_by_the_input(world: World) -> None:
    write_job(world, "failing", rows=2)
    world.rules({"pending": "1m", "running": "5m", "fate": "fail"})
    film("watch", "--yes", *SELDOM)
    text = said(world, "failing")
    assert "  NO_RESULT  2  " in text
    assert "      row-1  the results have no line for this row\n" in text
    assert "Last error\n  Batch " in text
    assert "way out: `batchctl retry failing`, or change its manifest" in text
    assert "Next:     nothing, until its manifest changes or `batchctl retry failing` is run\n" in text


def test_the_timeline_has_attempts_and_shards(world: World) -> None:
    write_job(world, "big", rows=20, sharding={"maxRows": 10}, lifecycle={"backoffLimit": 1})
    world.rules(
        {"match": {"nth": 2}, "pending": "2m", "running": "20m", "fate": "fail"}, {"pending": "1m", "running": "30m"}
    )
    film("watch", "--yes", *SELDOM, "--timeout", "40m")
    lines = said(world, "big").split("Timeline, ")[1].split("\n\n")[0].splitlines()
    assert [line.split()[:4] for line in lines[2:]] == [["1.0", "*", "1m", "30m"], ["1.1", "*", "2m", "20m"]]


def test_results_that_are_not_collected_have_a_date(world: World) -> None:
    write_job(world, "done")
    world.rules({"pending": "1s", "running": "1m"})
    assert world("apply", "--yes").code == 0
    world.time.sleep(3600)
    text, found = said(world, "done"), document(world, "done")
    assert found["collectBy"] == "2026-11-24T10:31:01Z"
    assert "Collect:  by 2026-11-24T10:31:01Z, in 1d23h: later, the API may have deleted the results\n" in text
    assert "Next:     the next pass collects its results\n" in text
