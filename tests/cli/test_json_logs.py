"""`--log-format json`: every line on standard error is one object of the published schema.

That holds for every command: `tests/reliability/test_canary.py` sends all of them on a tour.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.state.store import open_state
from tests.support.command_line import ROOT, SOON, Cli, Ran, Service, StackFolder, check_schema
from tests.support.json_logs import check_log

JSON = ("--log-format", "json")
ROLE = {"key": "a", "request": {"contents": [{"role": "USER", "parts": [{"text": "x"}]}]}}


def log(ran: Ran) -> list[dict[str, Any]]:
    lines = check_log(ran.err)
    assert lines, ran
    return lines


def test_all_lines_of_a_run_name_the_run_the_command_and_the_stack(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SOON)
    stack.write_job("a")
    lines = log(cli.ok("apply", "--yes", "--wait", *JSON))
    assert len({line["run"] for line in lines}) == 1
    assert {line["command"] for line in lines} == {"apply"}
    assert {line["stack"] for line in lines} == {"shop"}
    steps = [line for line in lines if line["event"] == "step"]
    assert {(line["job"], line["attempt"]) for line in steps} == {("a", 1)}
    other = log(cli.ok("apply", "--yes", *JSON))
    assert other[0]["run"] != lines[0]["run"]


def test_a_job_that_failed_is_an_error_line(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules({"fate": "fail", "pending": "0s", "running": "1s"})
    stack.write_job("a")
    ran = cli("apply", "--yes", "--wait", *JSON)
    assert ran.code == 4
    last = log(ran)[-1]
    assert (last["level"], last["event"], last["error"]["code"]) == ("error", "error", "JobsFailed")
    assert last["message"] == last["error"]["message"]


def test_faults_of_manifests_are_one_error_line_with_all_of_them(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a", modle="x")
    stack.write_job("b", modle="x")
    for command in ("validate", "plan"):
        (line,) = log(cli(command, *JSON))
        assert line["command"] == command
        assert [one["code"] for one in line["error"]["details"]["diagnostics"]] == ["UnknownField", "UnknownField"]


def test_warnings_about_manifests_have_their_place(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a", src=[ROLE])
    warned, empty = log(cli.ok("validate", "-l", "team=x", *JSON))[::-1]
    assert (warned["level"], warned["event"]) == ("warning", "diagnostic")
    assert warned["diagnostic"]["file"].endswith("a.yaml")
    assert warned["message"].startswith(f"{warned['diagnostic']['file']}:{warned['diagnostic']['line']}:")
    assert (empty["level"], empty["event"], empty["message"]) == ("warning", "warning", "-l team=x matches no job")
    stack.write_job("b", modell="x")
    (line,) = log(cli("validate", *JSON))
    assert [one["code"] for one in line["error"]["details"]["warnings"]] == ["UnknownValue"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["plan", "--no-such-option"],
        ["nosuch"],
        ["plan", "-o", "nosuch"],
        ["-C", "/nonexistent", "plan"],
        ["plan", "-auto-approve"],
        ["get", "jobs"],
    ],
)
@pytest.mark.parametrize("option", [["--log-format", "json"], ["--log-format=json"]])
def test_an_invalid_command_line_is_an_error_line(cli: Cli, arguments: list[str], option: list[str]) -> None:
    for words in ([*arguments, *option], [*option, *arguments]):
        ran = cli(*words)
        (line,) = log(ran)
        assert (ran.code, line["error"]["code"]) == (64, "Usage")


def test_facts_of_errors_are_in_the_schema(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    digest = f"p1:{'0' * 64}"
    stale = log(cli("apply", "--expect", digest, *JSON))[-1]
    assert stale["error"]["details"]["expected"] == digest
    cli.ok("state", "migrate", "--to", str(stack.path.parent / "moved.db"))
    moved = log(cli("plan", *JSON))[-1]
    assert moved["error"]["details"]["movedTo"].endswith("moved.db")
    check_schema("error", {"error": moved["error"]})


def test_a_locked_state_names_its_holder(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    state = open_state(
        stack.path / ".batchctl" / "state.db", stack="shop", uid="a1b2c3", clock=SystemClock(), who="somebody"
    )
    with state.lock():
        line = log(cli("apply", "--yes", "--lock-timeout", "0s", *JSON))[-1]
    assert line["error"]["code"] == "StateLocked"
    assert line["error"]["details"]["who"] == "somebody"


def test_a_line_is_one_line_whatever_is_in_it(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    (line,) = log(cli("plan", "no\nsuch", *JSON))
    assert "\n" in line["message"]


def test_text_stays_text(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    ran = cli("plan", "nosuch")
    assert ran.err.startswith("error: JobNotFound")


def test_in_a_workflow_the_log_has_no_commands_of_the_runner(
    stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stack.write_job("a", modle="x")
    assert "::error" in cli("plan").err
    (line,) = log(cli("plan", *JSON))
    assert line["event"] == "error"


def test_sentences_beside_a_result_are_notes(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    (line,) = log(cli.ok("state", "mv", "a", "b", *JSON))
    assert (line["event"], line["level"], line["command"], line["job"]) == ("note", "info", "state mv", "b")


def test_a_signal_during_the_start_is_a_line_too() -> None:
    program = (
        "import os, signal, sys; from batchctl.cli import start_signals; start_signals.leave_on_signals();"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    for words, is_json in (([], False), (["plan", "--log-format", "json"], True)):
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 130
        if is_json:
            (line,) = check_log(done.stderr)
            assert (line["event"], line["level"]) == ("interrupted", "error")
        else:
            assert done.stderr == "\ninterrupted; the state is consistent: run the same command again\n"


DIRECT = {"consent.py", "github.py", "main.py", "notes.py"}
"""Questions at a terminal, commands of a runner, help, and the notes themselves."""


def test_commands_write_to_standard_error_by_notes_alone() -> None:
    """Any other line would be no line of the log."""
    found = {
        path.name
        for path in (ROOT / "batchctl" / "cli").rglob("*.py")
        if re.search(r"err=True|sys\.stderr\.write|print\(.*stderr", path.read_text(encoding="utf-8"))
    }
    assert found == DIRECT
