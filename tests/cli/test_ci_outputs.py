"""What CI services get: summaries, outputs, annotations and groups of GitHub Actions, reports, and events of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.closed_schemas import check_closed
from tests.support.command_line import SOON, Cli, Service, StackFolder
from tests.support.foreign_schemas import TERRAFORM_REPORT


class Step:
    """A step of a workflow."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._summary, self._outputs = folder / "summary.md", folder / "outputs"
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(self._summary))
        monkeypatch.setenv("GITHUB_OUTPUT", str(self._outputs))

    @property
    def summary(self) -> str:
        return self._summary.read_text() if self._summary.exists() else ""

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._outputs.read_text().splitlines())


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    return Step(tmp_path, monkeypatch)


def test_a_plan_fills_the_summary_and_the_outputs_of_its_step(
    stack: StackFolder, cli: Cli, service: Service, step: Step
) -> None:
    stack.write_job("classify")
    digest = cli.ok("plan", "-o", "json").json["digest"]
    assert step.summary.startswith("<!-- batchctl plan shop a1b2c3 -->\n")
    assert "| create | classify |" in step.summary
    found = step.outputs
    assert (found["digest"], found["changes"], found["create"], found["delete"]) == (digest, "true", "1", "0")


def test_a_plan_without_changes_is_silent(
    stack: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_job("classify")
    cli.ok("apply", "--yes")
    step = Step(tmp_path, monkeypatch)
    ran = cli.ok("plan", "-o", "markdown", "--report", "markdown=comment.md")
    assert (ran.out, Path("comment.md").read_text(), step.summary) == ("", "", "")
    assert step.outputs["changes"] == "false"
    cli.ok("drift")
    assert (step.summary, step.outputs["drift"]) == ("", "false")


def test_an_apply_folds_its_progress_and_annotates_what_failed(
    stack: StackFolder, cli: Cli, service: Service, step: Step
) -> None:
    stack.write_job("classify")
    service.faults({"method": "batches.create", "kind": "status", "status": 400})
    ran = cli("apply", "--yes")
    assert ran.code == 4
    begin, end = ran.err.index("::group::batchctl: progress of shop\n"), ran.err.index("::endgroup::\n")
    assert "classify: " in ran.err[begin:end]
    (place,) = re.findall("^::error file=(.*),line=1,col=1,title=BadRequest::classify: ", ran.err, re.MULTILINE)
    assert place.endswith("jobs/classify.yaml")
    assert "::error title=JobsFailed::1 job did not succeed" in ran.err
    assert "### batchctl apply: shop" in step.summary
    assert (step.outputs["failed"], step.outputs["done"]) == ("1", "0")


def test_a_refusal_and_an_account_that_cannot_be_read_are_annotated(
    stack: StackFolder, cli: Cli, service: Service, step: Step
) -> None:
    stack.write_stack(limits={"maxCreate": 0})
    stack.write_job("classify")
    assert "::error title=TooManyCreates::1 job to create, and the limit is 0 (--max-create 1)\n" in cli("plan").err
    service.faults({"method": "batches.list", "kind": "status", "status": 403})
    assert "::error title=PermissionDenied::" in cli("plan").err


def test_drift_is_a_warning_with_outputs(stack: StackFolder, cli: Cli, service: Service, step: Step) -> None:
    stack.write_job("classify")
    cli.ok("apply", "--yes")
    service.cancel(service.jobs()[0]["name"])
    ran = cli("drift")
    assert ran.code == 3
    assert "::warning title=Cancelled::classify: " in ran.err
    assert (step.outputs["drift"], step.outputs["count"]) == ("true", "1")
    assert "<!-- batchctl drift shop a1b2c3 -->" in step.summary


def test_without_the_variables_nothing_is_written(
    stack: StackFolder, cli: Cli, service: Service, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_job("classify")
    monkeypatch.delenv("GITHUB_OUTPUT")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/no/such/folder/summary.md")
    ran = cli.ok("plan")
    assert "warning: cannot write GITHUB_STEP_SUMMARY (/no/such/folder/summary.md): No such file" in ran.err
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::" not in cli.ok("plan").err


def test_the_report_for_merge_requests_of_gitlab(stack: StackFolder, cli: Cli, service: Service) -> None:
    for name in ("changed", "gone", "kept"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    stack.job_path("gone").unlink()
    stack.write_job("changed", model="gemini-2.5-pro")
    stack.write_job("kept", lifecycle={"backoffLimit": 1})
    stack.write_job("new")
    report = cli("plan", "-o", "gitlab").json
    jsonschema.Draft7Validator(TERRAFORM_REPORT).validate(report)
    assert report == {"create": 1, "update": 2, "delete": 1}
    before = service.calls("batches.list")
    ran = cli("plan", "--report", "gitlab=tf.json", "--report", "markdown=plan.md", "--out", "plan.json")
    assert service.calls("batches.list") == before + 1
    assert "Plan: 1 to create" in ran.out
    assert json.loads(Path("tf.json").read_text()) == report
    digest = json.loads(Path("plan.json").read_text())["digest"]
    assert f"`{digest}`" in Path("plan.md").read_text()
    assert f"Digest {digest}" in ran.out


def events() -> list[dict[str, Any]]:
    found = [json.loads(line) for line in Path("e.ndjson").read_text().splitlines()]
    for number, one in enumerate(found):
        check_closed("run-event", one)
        assert one["number"] == number
    assert (found[0]["event"], found[-1]["event"]) == ("started", "ended")
    return found


def test_the_events_of_a_run_from_its_start_to_its_exit_code(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SOON)
    stack.write_job("classify")
    cli.ok("plan", "--events", "e.ndjson")
    assert [one["event"] for one in events()] == ["started", "planned", "ended"]
    cli.ok("apply", "--yes", "--events", "e.ndjson")
    found = events()
    assert [one["event"] for one in found] == ["started", "planned", "step", "result", "ended"]
    assert found[1]["actions"] == [
        {"job": "classify", "action": "create", "phase": "Waiting", "reasonCode": "New", "buys": True, "guard": None}
    ]
    assert (found[3]["result"], found[3]["remote"][:8], found[4]["exitCode"]) == ("done", "batches/", 0)
    cli.ok("watch", "--events", "e.ndjson")
    kinds = [one["event"] for one in events()]
    assert kinds.count("waiting") >= 1
    assert [one["result"] for one in events() if one["event"] == "result"] == ["done"]


def test_an_error_that_ends_the_command_is_the_last_event(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("classify", unknwn=1)
    assert cli("apply", "--yes", "--events", "e.ndjson").code == 65
    last = events()[-1]
    assert (last["exitCode"], last["error"]["code"]) == (65, "InvalidManifest")
    assert last["error"]["details"]["diagnostics"][0]["line"] > 1


def test_a_failed_action_has_its_error(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("classify")
    service.faults({"method": "batches.create", "kind": "status", "status": 400})
    cli("apply", "--yes", "--events", "e.ndjson")
    (result,) = [one for one in events() if one["event"] == "result"]
    assert (result["result"], result["error"]["code"]) == ("failed", "BadRequest")


def test_events_that_cannot_be_written(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("classify")
    ran = cli("apply", "--yes", "--events", "no/such/e.ndjson")
    assert (ran.code, service.creates) == (1, 0)
    assert "cannot write no/such/e.ndjson" in ran.err


def test_prompts_are_shown_to_people_who_ask(stack: StackFolder, cli: Cli, service: Service) -> None:
    rows = [{"key": "a", "text": "the old row"}, {"key": "b", "text": "the same row"}]
    stack.write_job("classify", src=rows, request={"systemInstruction": "be brief"})
    cli.ok("apply", "--yes")
    rows = [{"key": "a", "text": "a secret | row"}, rows[1], {"key": "c", "text": "x" * 3000}]
    request = {"systemInstruction": "be secret", "generationConfig": {"stopSequences": ["s1"]}}
    stack.write_job("classify", src=rows, request=request)
    hidden = cli.ok("plan", "-v").out + cli.ok("plan", "-o", "markdown").out
    assert "secret" not in hidden
    shown = cli.ok("plan", "--show-prompts", "--out", "p.json", "--report", "markdown=p.md").out
    for text in (shown, Path("p.md").read_text()):
        assert "be secret" in text
        assert "a secret " in text
        assert "(only its hash is kept)" in text
        assert "x" * 1900 in text
        assert "x" * 2000 not in text
        assert "the same row" not in text
    assert "secret" not in Path("p.json").read_text()
    assert "secret" not in cli.ok("plan", "--show-prompts", "-o", "json").out
    stack.write_job("new", request=request)
    stack.write_job("classify", src={"file": "rows.jsonl"})
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "secret"}\n')
    assert "spec.src" in cli.ok("plan", "--show-prompts").out
