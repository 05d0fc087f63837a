"""Rows are judged: what is cut off, blocked or of the wrong shape is told apart everywhere, and can fail a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import Cli, Service, StackFolder, check_schema

QUICK = {"fate": "rows", "pending": "0s", "running": "1s"}
CUT = {"share": 0.25, "finishReason": "MAX_TOKENS"}
BLOCKED = {"share": 0.3, "response": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}}
KEYS = ("k1", "k2", "k3", "k4")
COUNTED = {"OK": 2, "MAX_TOKENS": 1, "PROMPT_BLOCKED": 1}


@pytest.fixture
def mixed(stack: StackFolder, service: Service, quick: list[float]) -> StackFolder:
    """A job of four rows: one is cut off, one is blocked."""
    service.rules({**QUICK, "rowOutcomes": [CUT, BLOCKED]})
    return stack


def write(stack: StackFolder, **spec: Any) -> None:
    stack.write_job("translate", src=[{"key": key, "text": key} for key in KEYS], **spec)


def counts(cli: Cli) -> dict[str, Any]:
    ran = cli("status", "-o", "json")
    check_schema("status", ran.json)
    (job,) = ran.json["jobs"]
    return job["rows"]


def test_every_view_counts_the_rows_by_verdict(mixed: StackFolder, cli: Cli) -> None:
    write(mixed)
    cli.ok("apply", "--yes", "--wait")
    assert counts(cli) == {"total": 4, "ok": 2, "failed": 2, "verdicts": COUNTED}
    words = "2 ok, 1 MAX_TOKENS, 1 PROMPT_BLOCKED"
    assert words in cli.ok("status").out
    assert words in cli.ok("describe", "translate").out
    assert "2 of 4 rows failed (1 MAX_TOKENS, 1 PROMPT_BLOCKED)" in " ".join(cli.ok("explain", "translate").out.split())
    ran = cli.ok("results", "translate")
    assert [row["verdict"] for row in ran.rows] == ["MAX_TOKENS", "PROMPT_BLOCKED", "OK", "OK"]
    for row in ran.rows:
        check_schema("results-row", row)
    assert words in ran.err
    folder = next((mixed.path / "results" / "translate").glob("*-1"))
    assert json.loads((folder / "manifest.json").read_text())["rows"]["verdicts"] == COUNTED


def test_a_job_whose_rows_were_all_blocked_or_cut_off_has_failed(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    """Case 21 of the shared cases: the API calls such a job SUCCEEDED, with three successful rows."""
    half = {"candidates": [{"content": {"parts": [{"text": '{"a":'}]}, "finishReason": "MAX_TOKENS"}]}
    answers = {"k1": BLOCKED["response"], "k2": {"candidates": [{"finishReason": "SAFETY", "index": 0}]}, "k3": half}
    service.rules(
        *({**QUICK, "match": {"row": key}, "rowOutcomes": [{"response": said}]} for key, said in answers.items())
    )
    stack.write_job("translate", src=[{"key": key, "text": key} for key in answers])
    assert cli("apply", "--yes", "--wait").code == 4
    verdicts = {"MAX_TOKENS": 1, "PROMPT_BLOCKED": 1, "SAFETY": 1}
    assert counts(cli) == {"total": 3, "ok": 0, "failed": 3, "verdicts": verdicts}
    assert "all 3 rows failed (1 MAX_TOKENS, 1 PROMPT_BLOCKED, 1 SAFETY)" in cli("explain", "translate").out
    (made,) = service.jobs()
    assert made["state"].endswith("SUCCEEDED")


def test_rows_are_picked_by_verdict(mixed: StackFolder, cli: Cli) -> None:
    write(mixed, rows={"accept": ["MAX_TOKENS"]})
    cli.ok("apply", "--yes", "--wait")
    assert [row["key"] for row in cli.ok("results", "translate", "--failed").rows] == ["k2"]
    assert [row["key"] for row in cli.ok("results", "translate", "--reason", "MAX_TOKENS").rows] == ["k1"]
    assert cli("results", "translate", "--reason", "MAX_TOKEN").code == 64


def test_the_limit_fails_the_job_and_an_accepted_code_saves_it(mixed: StackFolder, cli: Cli, service: Service) -> None:
    write(mixed, lifecycle={"maxFailedRows": "25%", "backoffLimit": 2})
    mixed.write_job("after", dependsOn=["translate"], src=[{"key": "a", "text": "other work"}])
    ran = cli("apply", "--yes", "--wait", "-o", "json")
    assert ran.code == 4
    found = {job["job"]: job for job in cli("status", "-o", "json").json["jobs"]}
    assert (found["translate"]["phase"], found["translate"]["reasonCode"]) == ("Failed", "MaxFailedRows")
    assert found["after"]["phase"] == "Blocked"
    assert len(service.jobs()) == 1, "good rows are not bought again by a retry"
    write(mixed, lifecycle={"maxFailedRows": "25%", "backoffLimit": 2}, rows={"accept": ["MAX_TOKENS"]})
    service.rules({"pending": "0s", "running": "1s"})
    cli.ok("apply", "--yes", "--wait")
    assert cli.ok("status", "-o", "json").phases() == {"after": "Succeeded", "translate": "Succeeded"}
    found = {job["job"]: job for job in cli.ok("status", "-o", "json").json["jobs"]}
    assert found["translate"]["rows"] == {"total": 4, "ok": 3, "failed": 1, "verdicts": COUNTED}
    assert len(service.jobs()) == 2


def test_a_lost_state_knows_the_verdicts_again(mixed: StackFolder, cli: Cli) -> None:
    write(mixed)
    cli.ok("apply", "--yes", "--wait")
    (mixed.path / ".batchctl" / "state.db").unlink()
    cli.ok("state", "rebuild")
    assert counts(cli)["verdicts"] == COUNTED


def test_json_is_held_against_the_schema_of_the_merged_request(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    said = ['{"city": "Rome"}', '{"city": 1}', '{"city"', '{"city": "Oslo"}']
    answers = [{"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]} for text in said]
    service.rules(
        *(
            {**QUICK, "match": {"row": key}, "rowOutcomes": [{"response": answer}]}
            for key, answer in zip(KEYS, answers, strict=True)
        )
    )
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    rows = stack.job_path("translate").parent / "rows.jsonl"
    own = {"generationConfig": {"responseMimeType": "text/plain", "responseSchema": None}}
    # Equal requests would be sent once.
    asked = {key: {"contents": [{"role": "user", "parts": [{"text": key}]}]} for key in KEYS}
    asked[KEYS[3]] |= own
    lines = [{"key": key, "request": request} for key, request in asked.items()]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stack.write_job("translate", src={"file": "rows.jsonl"}, request={"generationConfig": config})
    cli.ok("apply", "--yes", "--wait")
    assert [row["verdict"] for row in cli.ok("results", "translate").rows] == ["OK", "SCHEMA", "INVALID_JSON", "OK"]


def test_on_vertex_the_echoed_request_says_what_is_expected(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], tmp_path: Path
) -> None:
    stack.write_stack(
        providers={"vertex": {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us-central1"}}
    )
    row = {
        "contents": [{"role": "user", "parts": [{"text": "?"}]}],
        "generationConfig": {"responseMimeType": "application/json"},
    }
    seed = {
        "buckets": {
            "input": {
                "objects": {"rows.jsonl": {"lines": [{"key": "a", "request": row}, {"key": "b", "request": row}]}}
            },
            "output": {},
        }
    }
    service.seed(**yaml.safe_load(yaml.safe_dump(seed)))
    service.rules(
        {**QUICK, "rowOutcomes": [{"share": 0.5, "finishReason": "MAX_TOKENS"}]},
        {**QUICK, "rowOutcomes": [{"finishReason": "STOP"}]},
    )
    stack.write_job("translate", src="gs://input/rows.jsonl", dest="gs://output/x/")
    cli.ok("apply", "--yes", "--wait")
    assert counts(cli)["verdicts"] == {"OK": 1, "MAX_TOKENS": 1}
