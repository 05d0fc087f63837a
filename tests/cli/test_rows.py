"""Rows that fail: counted, kept as rows of the results, and a failed job only when no row succeeded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

ERROR = {"code": 8, "message": "no capacity"}


def rule(**parts: Any) -> dict[str, Any]:
    return {**SOON, "fate": "rows", **parts}


def counts(cli: Cli) -> dict[str, int | None]:
    (job,) = cli("status", "-o", "json").json["jobs"]
    found: dict[str, int | None] = job["rows"]
    return found


@pytest.mark.parametrize("source", ["inline", "file"])
def test_some_rows_fail_and_the_job_succeeds(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], source: str
) -> None:
    service.rules(rule(match={"row": "two"}, rowError=ERROR))
    if source == "file":
        (stack.path / "jobs" / "rows.jsonl").write_text(
            '{"key": "one", "text": "first"}\n{"key": "two", "text": "second"}\n{"key": "three", "text": "third"}\n'
        )
        stack.write_job("translate", src={"file": "rows.jsonl"})
    else:
        stack.write_job("translate")
    assert cli("apply", "--yes", "--wait").code == 0
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert counts(cli) == {"total": 3, "ok": 2, "failed": 1, "verdicts": {"OK": 2, "RESOURCE_EXHAUSTED": 1}}
    rows = cli.ok("results", "translate").rows
    assert [(row["key"], row["index"], "error" in row) for row in rows] == [
        ("one", 0, False),
        ("two", 1, True),
        ("three", 2, False),
    ]
    assert rows[1]["error"]["message"] == "no capacity"
    assert "response" not in rows[1]


def test_all_rows_fail_and_the_job_failed(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(rule(rowError=ERROR))
    stack.write_job("translate")
    assert cli("apply", "--yes", "--wait").code == 4
    assert cli("status", "-o", "json").phases() == {"translate": "Failed"}
    assert counts(cli) == {"total": 3, "ok": 0, "failed": 3, "verdicts": {"RESOURCE_EXHAUSTED": 3}}
    rows = cli.ok("results", "translate").rows
    assert [row["error"]["message"] for row in rows] == ["no capacity"] * 3
    assert service.creates == 1


def test_a_job_whose_rows_all_failed_is_tried_again(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(rule(rowError=ERROR))
    stack.write_job("translate", lifecycle={"backoffLimit": 1})
    cli.ok("apply", "--yes")
    service.rules(SOON)
    assert cli("watch").code == 0
    assert service.creates == 2
    assert all("response" in row for row in cli.ok("results", "translate").rows)
    assert all("error" in row for row in cli.ok("results", "translate", "--attempt", "1").rows)
    (job,) = cli.ok("status", "-o", "json").json["jobs"]
    assert (job["phase"], job["attempt"]) == ("Succeeded", 2)


def test_rows_of_a_share_fail_evenly(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(rule(rowError={"share": 0.5}))
    rows = [{"key": f"row-{number}", "text": f"text {number}"} for number in range(10)]
    stack.write_job("translate", src=rows)
    cli.ok("apply", "--yes", "--wait")
    assert counts(cli) == {"total": 10, "ok": 5, "failed": 5, "verdicts": {"INTERNAL": 5, "OK": 5}}
    found = cli.ok("results", "translate").rows
    assert [row["index"] for row in found] == list(range(10))
    assert [row["key"] for row in found] == [row["key"] for row in rows]
