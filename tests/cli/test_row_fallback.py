"""`rows.fallback`, as a user meets it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

PRO = {"model": "gemini-2.5-pro", "when": ["MAX_TOKENS", "SCHEMA"]}
LONG = {"request": {"generationConfig": {"maxOutputTokens": 8192}}, "when": ["MAX_TOKENS"]}
RETRIED = {"retryOn": ["ROWS"]}


def write(stack: StackFolder, *fallback: dict[str, Any], keys: str = "ab", **spec: Any) -> None:
    rows = [{"key": key, "text": key} for key in keys]
    stack.write_job("a", src=rows, rows={"fallback": list(fallback)}, **{"lifecycle": RETRIED, **spec})


@pytest.mark.parametrize(
    ("unless", "fallbacks", "sent_with"),
    [
        ({"model": "*-pro"}, [PRO], {"model": "gemini-2.5-pro"}),
        ({"maxOutputTokens": 4096}, [LONG], {"request": LONG["request"]}),
        ({"maxOutputTokens": 4096}, [PRO, LONG], {"request": LONG["request"]}),
    ],
)
@pytest.mark.parametrize("keys", ["ab", "a"])
def test_rows_that_failed_are_sent_once_with_the_fallback(
    stack: StackFolder,
    cli: Cli,
    service: Service,
    quick: list[float],
    unless: dict[str, Any],
    fallbacks: list[dict[str, Any]],
    sent_with: dict[str, Any],
    keys: str,
) -> None:
    finish = {"finishReason": "MAX_TOKENS", "unless": unless}
    service.rules({**SOON, "match": {"row": "a"}, "rowOutcomes": [finish]}, SOON)
    write(stack, *fallbacks, keys=keys)
    cli.ok("apply", "--yes", "--wait")
    rows = {row["key"]: (row["verdict"], row.get("sentWith")) for row in cli.ok("results", "a").rows}
    assert rows == {key: ("OK", sent_with if key == "a" else None) for key in keys}
    assert [job["rows"] for job in service.jobs()] == [len(keys)] + [1] * len(fallbacks)


def test_a_fallback_that_fails_is_not_repeated(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({**SOON, "match": {"row": "a"}, "rowOutcomes": [{"finishReason": "MAX_TOKENS"}]}, SOON)
    write(stack, PRO)
    cli("apply", "--yes", "--wait")
    cli("watch")
    assert [job["rows"] for job in service.jobs()] == [2, 1]
    found = {row["key"]: (row["verdict"], row.get("sentWith")) for row in cli.ok("results", "a").rows}
    assert found == {"a": ("MAX_TOKENS", {"model": "gemini-2.5-pro"}), "b": ("OK", None)}


@pytest.mark.parametrize(
    ("fallback", "spec", "words"),
    [
        (PRO, {"lifecycle": {}}, "needs retryOn: [ROWS]"),
        ({"when": ["MAX_TOKENS"]}, {}, 'a fallback needs "model" or "request"'),
        ({**PRO, "when": ["MAX_TOKEN"]}, {}, "MAX_TOKENS"),
        ({**PRO, "when": []}, {}, "when"),
        ({**PRO, "model": "../x"}, {}, "not the name of a model"),
        ({**PRO, "model": "gemini-embedding-001"}, {}, "takes other rows"),
        ({"when": ["SCHEMA"], "request": {"generationConfig": {"maxOutputToken": 1}}}, {}, "maxOutputTokens"),
        ({"when": ["SCHEMA"], "request": {"contents": []}}, {}, "contents"),
    ],
)
def test_a_fallback_is_checked_before_anything_is_bought(
    stack: StackFolder, cli: Cli, fallback: dict[str, Any], spec: dict[str, Any], words: str
) -> None:
    write(stack, fallback, **spec)
    ran = cli("validate")
    assert (ran.code, words in " ".join((ran.out + ran.err).split())) == (65, True), ran.out + ran.err


def test_a_plan_counts_the_rows_of_each_fallback(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({**SOON, "match": {"row": "a"}, "rowOutcomes": [{"finishReason": "MAX_TOKENS"}]}, SOON)
    write(stack, {"when": ["SCHEMA"], "model": "gemini-2.5-pro"}, {"when": ["MAX_TOKENS"], "model": "gemini-2.5-pro"})
    cli.ok("apply", "--yes")
    service.advance("1m")
    cli.ok("apply", "--yes")
    (action,) = cli.ok("plan", "-o", "json").json["actions"]
    found = {name: action["rowWork"][name] for name in ("toSend", "retryable", "fallback", "givenUp")}
    assert found == {"toSend": 1, "retryable": 0, "fallback": [0, 1], "givenUp": 0}
