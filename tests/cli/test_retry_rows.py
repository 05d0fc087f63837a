"""`batchctl retry --rows`, as a user meets it."""

from __future__ import annotations

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

CUT = {"key": "two", "verdict": "MAX_TOKENS"}


@pytest.fixture
def cut(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """A job that succeeded: one of its rows is cut off, and one has an error."""
    finish, error = {"finishReason": "MAX_TOKENS"}, {"error": {"code": 13, "message": "no"}}
    service.rules(
        {**SOON, "match": {"row": "two"}, "rowOutcomes": [finish]},
        {**SOON, "match": {"row": "three"}, "rowOutcomes": [error]},
        SOON,
    )
    stack.write_job("a", src=[{"key": key, "text": key} for key in ("one", "two", "three", "four")])
    cli.ok("apply", "--yes", "--wait")
    service.rules(SOON)
    return stack


def verdicts(cli: Cli) -> dict[str, str]:
    return {row["key"]: row["verdict"] for row in cli.ok("results", "a").rows}


def sent(service: Service) -> list[int]:
    return [job["rows"] for job in service.jobs()]


@pytest.mark.parametrize(
    ("rows", "bought", "left"),
    [
        ("failed", 2, set()),
        ("all", 4, set()),
        ("reason=max_tokens", 1, {"INTERNAL"}),
        ("reason=MAX_TOKENS,INTERNAL", 2, set()),
        ("key=one,two", 2, {"INTERNAL"}),
    ],
)
def test_the_ordered_rows_are_bought(
    cut: StackFolder, cli: Cli, service: Service, rows: str, bought: int, left: set[str]
) -> None:
    assert verdicts(cli) == {"one": "OK", "two": "MAX_TOKENS", "three": "INTERNAL", "four": "OK"}
    ran = cli.ok("retry", "a", "--rows", rows, "--yes", "-o", "json")
    (action,) = ran.json["actions"]
    assert action["rowWork"]["ordered"]["toSend"] == action["rows"] == bought
    assert f"{bought} of 4 rows to send" in action["reason"]
    cli.ok("watch")
    assert sent(service) == [4, bought]
    assert {*verdicts(cli).values()} == {"OK"} | left
    assert cli.ok("status", "-o", "json").phases() == {"a": "Succeeded"}


def test_an_order_outlasts_a_suspension(cut: StackFolder, cli: Cli, service: Service) -> None:
    rows = [{"key": key, "text": key} for key in ("one", "two", "three", "four")]
    cut.write_job("a", src=rows, lifecycle={"suspend": True})
    cli("retry", "a", "--rows", "reason=MAX_TOKENS", "--yes")
    assert sent(service) == [4]
    assert "`batchctl retry --rows reason=MAX_TOKENS` asked for a new attempt" in cli.ok("explain", "a").out
    cut.write_job("a", src=rows)
    cli.ok("watch")
    assert sent(service) == [4, 1]
    assert verdicts(cli)["two"] == "OK"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--rows", "reason=MAX_TOKEN"], 64, "did you mean MAX_TOKENS?"),
        (["--rows", "reason=OK"], 64, "rows with the verdict OK have a good answer"),
        (["--rows", "reason=7"], 64, "docs/verdicts.md"),
        (["--rows", "fail"], 64, "did you mean failed?"),
        (["--rows", "key="], 64, "names no rows"),
        (["--rows", "all", "--accept-canary"], 64, "exclude each other"),
        (
            ["--rows", "reason=SAFETY"],
            6,
            "no row has the verdict SAFETY; its failed rows have 1 INTERNAL, 1 MAX_TOKENS",
        ),
        (["--rows", "key=thre"], 6, "no row has the key thre; did you mean three?"),
    ],
)
def test_rows_that_there_are_not(
    cut: StackFolder, cli: Cli, service: Service, words: list[str], code: int, message: str
) -> None:
    ran = cli("retry", "a", *words, "--yes")
    assert (ran.code, message in " ".join((ran.err + ran.out).split())) == (code, True)
    assert sent(service) == [4]
