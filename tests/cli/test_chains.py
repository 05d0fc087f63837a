"""Chains from outside: a job whose rows are made from the answers of another one, on both APIs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import SOON, Cli, Ran, Service, StackFolder, check_schema

KEYS = ("one", "two", "three")
TEMPLATE = "Say it again, ${row.key}: ${row.json.label}"
LABELS = {"one": "red", "two": "green", "three": "blue"}


def labelled(text: str) -> dict[str, Any]:
    """The response of a model that was asked for a label."""
    part = {"text": text if " " in text else json.dumps({"label": text})}
    return {"response": {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]}}


def answers(service: Service, labels: dict[str, str | dict[str, Any]], *others: dict[str, Any]) -> None:
    """From now on the rows of `classify` are answered so; all other rows get their usual answer."""
    rules = [
        {
            "match": {"row": key, "displayName": "*classify*"},
            "fate": "rows",
            **SOON,
            "rowOutcomes": [labelled(label) if isinstance(label, str) else label],
        }
        for key, label in labels.items()
    ]
    service.rules(*rules, *others, SOON)


class Api:
    """A stack on one of the APIs, with a job `classify` and a job `summarise` after it."""

    def __init__(self, stack: StackFolder, name: str) -> None:
        self.stack = stack
        self.is_vertex = name == "vertex"
        if self.is_vertex:
            settings = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us-central1"}
            stack.write_stack(providers={"vertex": {**settings, "stagingBucket": "gs://staging/batchctl/"}})
            (stack.path / ".emulator.yaml").write_text("buckets: {staging: {}, output: {}}\n")
        self.classify()
        self.summarise()

    def _write(self, name: str, **spec: Any) -> None:
        dest = {"dest": f"gs://output/{name}/"} if self.is_vertex else {}
        self.stack.write_job(name, **dest, **spec)

    def classify(self, texts: Iterable[str] = ("a", "b", "c"), **spec: Any) -> None:
        rows = [{"key": key, "text": f"Label {text}"} for key, text in zip(KEYS, texts, strict=False)]
        (self.stack.path / "jobs" / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        self._write("classify", src={"file": "rows.jsonl"}, **spec)

    def other(self) -> None:
        self._write("other", src={"file": "rows.jsonl"})

    def summarise(self, text: str = TEMPLATE, **spec: Any) -> None:
        self._write("summarise", src={"fromJob": "classify", "template": {"text": text}}, **spec)


@pytest.fixture
def chain(request: pytest.FixtureRequest, stack: StackFolder, service: Service, quick: list[float]) -> Api:
    return Api(stack, getattr(request, "param", "gemini"))


on_both_apis = pytest.mark.parametrize("chain", ["gemini", "vertex"], indirect=True)


def remote_jobs(service: Service, name: str) -> list[Any]:
    """Every remote job that was ever made for a job."""
    return [one for one in service.jobs() if f"/{name}@" in one["displayName"] or name in one["labels"].values()]


def texts(ran: Ran) -> dict[str, str]:
    return {row["key"]: row["response"]["candidates"][0]["content"]["parts"][0]["text"] for row in ran.rows}


def made_rows(stack: StackFolder) -> list[Any]:
    (file,) = (stack.path / "results" / "summarise" / ".rows").glob("*.jsonl")
    return [json.loads(line) for line in file.read_bytes().splitlines()]


@on_both_apis
def test_a_chain_of_two_runs_in_one_command(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    planned = cli.ok("plan", "-o", "json")
    check_schema("plan", planned.json)
    assert planned.actions() == {"classify": "create", "summarise": "wait"}
    assert planned.json["actions"][1]["chain"] == {
        "fromJob": "classify", "rows": None, "leftOut": None, "missing": None, "examples": []
    }  # fmt: skip

    cli.ok("apply", "--yes", "--wait")

    assert service.creates == 2
    assert made_rows(chain.stack) == [
        {"key": key, "text": f"Say it again, {key}: {label}"} for key, label in LABELS.items()
    ]
    said = texts(cli.ok("results", "summarise"))
    assert [f"{key}: {label}" in said[key] for key, label in LABELS.items()] == [True] * 3
    joined = cli.ok("results", "summarise", "--join", "--key", "two").rows
    assert "Say it again, two: green" in json.dumps(joined[0]["request"])
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"classify": "none", "summarise": "none"}
    assert service.creates == 2


def test_one_pass_after_the_other_leads_to_the_same(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    for _ in range(8):
        cli.ok("apply", "--yes")
        service.advance("5s")

    assert cli.ok("status", "-o", "json").phases() == {"classify": "Succeeded", "summarise": "Succeeded"}
    assert service.creates == 2


@on_both_apis
def test_rows_without_a_usable_answer_are_left_out_and_listed(chain: Api, cli: Cli, service: Service) -> None:
    odd = {"two": {"error": {"code": 3, "message": "no"}}, "three": "no JSON"}
    answers(service, {"one": "red", **odd})
    cli.ok("apply", "--yes", "--wait")

    assert [row["key"] for row in made_rows(chain.stack)] == ["one"]
    described = cli.ok("describe", "summarise", "-o", "json").json
    check_schema("describe", described)
    source = described["desired"]["source"]
    reasons = [{"key": "two", "reason": "INVALID_ARGUMENT"}, {"key": "three", "reason": "the answer is not JSON"}]
    assert (source["rows"], source["leftOut"], source["examples"]) == (1, 2, reasons)
    explained = cli.ok("explain", "summarise", "-o", "json").json
    check_schema("explain", explained)
    assert explained["chain"]["examples"] == reasons
    words = "from classify: 2 of 3 rows left out: two (INVALID_ARGUMENT), three (the answer is not JSON)"
    assert words in " ".join(cli.ok("explain", "summarise").out.split())
    chain.summarise(runId="again")
    assert words in " ".join(cli.ok("plan").out.split())


def test_without_any_usable_answer_the_job_is_blocked_and_others_go_on(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, dict.fromkeys(KEYS, "no JSON"))
    ran = cli("apply", "--yes", "--wait")

    assert ran.code == 4
    status = {one["job"]: one for one in cli.ok("status", "-o", "json").json["jobs"]}
    assert (status["classify"]["phase"], status["summarise"]["phase"]) == ("Succeeded", "Blocked")
    assert status["summarise"]["reasonCode"] == "RowsNotMade"
    assert (
        "no answer of classify can be used; 3 of 3 rows left out: one (the answer is not JSON)"
        in (status["summarise"]["reason"])
    )
    assert service.creates == 1
    assert cli("plan").out.count("3 of 3 rows left out") == 1

    chain.other()
    assert cli("apply", "--yes", "--wait").code == 4
    assert cli.ok("status", "-o", "json").phases()["other"] == "Succeeded"


@on_both_apis
def test_other_answers_are_sent_and_the_same_ones_are_not(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")
    chain.classify(["a", "b", "other"])
    planned = cli.ok("plan", "-o", "json")
    assert planned.actions() == {"classify": "replace", "summarise": "none"}
    assert "its rows are made from the answers of classify" in planned.json["actions"][1]["reason"]
    assert "its rows are made from the answers of classify" in " ".join(cli.ok("plan").out.split())

    cli.ok("apply", "--yes", "--wait")

    assert len(remote_jobs(service, "classify")) == 2
    assert len(remote_jobs(service, "summarise")) == 1, "the answers are the same"

    chain.classify(["a", "b", "third"])
    answers(service, {**LABELS, "three": "purple"})
    cli.ok("apply", "--yes", "--wait")

    assert len(remote_jobs(service, "summarise")) == 2
    assert "three: purple" in texts(cli.ok("results", "summarise"))["three"]
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"classify": "none", "summarise": "none"}


def test_a_rerun_of_the_other_job_keeps_the_rows_until_it_has_ended(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")

    cli.ok("apply", "--yes", "--rerun", "classify")

    assert cli.ok("plan", "-o", "json").actions()["summarise"] == "none"
    assert cli.ok("apply", "--yes", "--wait", "-o", "json").actions()["summarise"] == "none"
    assert [len(remote_jobs(service, name)) for name in ("classify", "summarise")] == [2, 1]


def test_a_chain_at_work_is_not_stopped_while_the_other_job_runs_again(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS, {"match": {"displayName": "*summarise*"}, "pending": "0s", "running": "30s"})
    while not remote_jobs(service, "summarise"):
        cli.ok("apply", "--yes")
        service.advance("2s")
    chain.classify(["a", "b", "other"])

    cli.ok("apply", "--yes")

    assert [one["deleted"] for one in remote_jobs(service, "summarise")] == [False]
    cli.ok("apply", "--yes", "--wait")
    assert len(remote_jobs(service, "summarise")) == 1, "the answers are the same"
    assert [row["index"] for row in cli.ok("results", "summarise").rows] == [0, 1, 2]


def remove_rows(results: Path) -> None:
    shutil.rmtree(results / "summarise" / ".rows")


def cut_rows(results: Path) -> None:
    (file,) = (results / "summarise" / ".rows").glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-5])


@pytest.mark.parametrize("damage", [remove_rows, cut_rows])
def test_the_file_of_rows_is_made_again(chain: Api, cli: Cli, service: Service, damage: Callable[[Path], None]) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")
    damage(chain.stack.path / "results")

    assert set(cli.ok("apply", "--yes", "-o", "json").actions().values()) == {"none"}
    assert len(made_rows(chain.stack)) == 3
    assert service.creates == 2


def test_damaged_answers_are_collected_again_and_buy_nothing(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")
    (chain.stack.path / "results" / "classify" / "current" / "results.jsonl").write_text("")

    cli.ok("apply", "--yes", "--wait")

    assert set(cli.ok("apply", "--yes", "-o", "json").actions().values()) == {"none"}
    assert service.creates == 2


def test_the_other_job_fails_and_its_rows_are_not_made(chain: Api, cli: Cli, service: Service) -> None:
    service.rules({"fate": "fail", **SOON})

    assert cli("apply", "--yes", "--wait").code == 4

    status = {one["job"]: one for one in cli.ok("status", "-o", "json").json["jobs"]}
    assert status["summarise"]["phase"] == "Blocked"
    assert "blocked by classify, which ended Failed" in status["summarise"]["reason"]


@on_both_apis
def test_both_are_removed_backwards(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")

    cli.ok("destroy", "--yes")

    assert service.live() == []


def test_a_circle_and_an_unknown_job_are_errors_with_their_place(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a", src={"fromJob": "b", "template": {"text": "${row.txt}"}})

    ran = cli("validate")

    assert ran.code == 65
    assert "UnknownJob" in ran.out + ran.err
    assert "there is no ${row.txt}" in ran.out + ran.err


def test_verdicts_that_are_accepted_give_rows(chain: Api, cli: Cli, service: Service) -> None:
    chain.classify(rows={"accept": ["MAX_TOKENS"]})
    chain.summarise("Say it again: ${row.text}")
    answers(service, {"one": "red", "two": {"finishReason": "MAX_TOKENS"}, "three": {"finishReason": "SAFETY"}})

    cli.ok("apply", "--yes", "--wait")

    assert [row["key"] for row in made_rows(chain.stack)] == ["one", "two"]


@on_both_apis
def test_an_attempt_is_collected_in_the_order_of_the_rows_that_it_was_sent(
    chain: Api, cli: Cli, service: Service
) -> None:
    """Its rows were made from earlier answers, and the new ones are not there yet."""
    slow = {"pending": "0s", "running": "1h"}
    lost = {"match": {"row": "two", "displayName": "*summarise*"}, "fate": "rows", **SOON}
    answers(service, LABELS, {**lost, "rowOutcomes": [{"finishReason": "SAFETY"}]})
    while not remote_jobs(service, "summarise"):
        cli.ok("apply", "--yes")
        service.advance("2s")
    answers(service, LABELS, {"match": {"displayName": "*classify*"}, **slow})
    service.rules({"match": {"displayName": "*classify*"}, **slow}, SOON)
    chain.classify(["a", "b", "other"])

    for _ in range(4):
        cli.ok("apply", "--yes")
        service.advance("5s")

    status = {one["job"]: one for one in cli.ok("status", "-o", "json").json["jobs"]}
    assert (status["classify"]["phase"], status["summarise"]["phase"]) == ("Active", "Succeeded")
    assert status["summarise"]["reasonCode"] == "RowsAwaited"
    assert [(row["key"], row["index"]) for row in cli.ok("results", "summarise").rows] == [
        ("one", 0), ("two", 1), ("three", 2)
    ]  # fmt: skip


def test_a_command_that_only_reads_needs_no_results_that_can_be_written(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")
    folder = chain.stack.path / "results" / "summarise" / ".rows"
    shutil.rmtree(folder)

    assert cli.ok("plan", "-o", "json").actions() == {"classify": "none", "summarise": "none"}
    assert cli.ok("results", "summarise", "--join").rows[0]["request"] is not None
    assert not folder.exists()
    cli.ok("apply", "--yes")
    assert len(made_rows(chain.stack)) == 3


def test_lost_answers_are_needed_only_to_make_the_rows(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    chain.classify(lifecycle={"ttlAfterFinished": "1s"})
    cli.ok("apply", "--yes", "--wait")
    service.advance("1h")
    cli.ok("apply", "--yes")
    results = chain.stack.path / "results"
    shutil.rmtree(results / "classify")

    cli.ok("apply", "--yes", "--wait")
    assert cli.ok("status", "-o", "json").phases()["summarise"] == "Succeeded"
    assert len(cli.ok("results", "summarise", "--join").rows) == 3

    shutil.rmtree(results / "summarise" / ".rows")
    ran = cli("apply", "--yes", "--wait")
    assert ran.code == 4
    assert "`batchctl apply --rerun classify` buys them again" in " ".join(cli("plan").out.split())
    assert service.creates == 2

    cli.ok("apply", "--yes", "--wait", "--rerun", "classify")
    assert set(cli.ok("status", "-o", "json").phases().values()) == {"Succeeded"}
    assert [len(remote_jobs(service, name)) for name in ("classify", "summarise")] == [2, 1]


@on_both_apis
def test_only_rows_with_another_answer_are_sent_again(chain: Api, cli: Cli, service: Service) -> None:
    answers(service, LABELS)
    cli.ok("apply", "--yes", "--wait")
    chain.classify(["a", "b", "other"])
    answers(service, {**LABELS, "three": "purple"})

    cli.ok("apply", "--yes", "--wait")

    assert [one["rows"] for one in remote_jobs(service, "classify")] == [3, 1]
    assert [one["rows"] for one in remote_jobs(service, "summarise")] == [3, 1]
    said = texts(cli.ok("results", "summarise"))
    assert list(said) == list(KEYS)
    assert ["one: red" in said["one"], "three: purple" in said["three"]] == [True, True]


def test_rows_are_made_when_the_other_job_has_no_row_left_to_retry(chain: Api, cli: Cli, service: Service) -> None:
    """Its first attempt succeeds without one of its answers."""
    chain.classify(lifecycle={"retryOn": ["ROWS"]})
    chain.summarise("Say it again: ${row.text}")
    answers(service, {**LABELS, "two": {"error": {"code": 14, "message": "try later"}, "times": 1}})

    cli.ok("apply", "--yes", "--wait")

    assert [one["rows"] for one in remote_jobs(service, "classify")] == [3, 1]
    assert [one["rows"] for one in remote_jobs(service, "summarise")] == [3]
    assert list(texts(cli.ok("results", "summarise"))) == list(KEYS)


def test_rows_are_made_after_the_canary_of_the_other_job_and_all_its_other_rows(
    chain: Api, cli: Cli, service: Service
) -> None:
    chain.classify(canary={"rows": 1})
    answers(service, LABELS)

    cli.ok("apply", "--yes", "--wait")

    assert [one["rows"] for one in remote_jobs(service, "classify")] == [1, 2]
    assert [one["rows"] for one in remote_jobs(service, "summarise")] == [3]
