"""What goes wrong around batchctl ends in one clear message on standard error and the right exit code."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Cli, Ran, Service, StackFolder, check_schema, process


def fails(ran: Ran, code: int, *words: str) -> None:
    """It ended with this code, and standard error says these words."""
    assert ran.code == code, ran
    for word in words:
        assert word in ran.err, ran.err


def fails_in_json(ran: Ran, code: int, name: str) -> dict[str, Any]:
    """It ended with this code, and standard output is the error as a document."""
    assert ran.code == code, ran
    check_schema("error", ran.json)
    error: dict[str, Any] = ran.json["error"]
    assert error["code"] == name
    assert ran.err.strip()
    return error


@pytest.fixture
def on_the_real_api(stack: StackFolder, service: Service) -> StackFolder:
    """A stack whose provider is a base URL on this machine, as if it were the API: it wants a key."""
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
    stack.write_job("translate")
    return stack


def test_no_key(on_the_real_api: StackFolder, cli: Cli, service: Service) -> None:
    for command in (["plan"], ["apply", "--yes"], ["apply", "--yes", "--wait"], ["status"], ["drift"], ["watch"]):
        fails(cli(*command), 1, "NoCredentials", "GEMINI_API_KEY")
    assert service.jobs() == []


def test_a_wrong_key(
    on_the_real_api: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, quick: list[float]
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "invalid-0123456789")
    for command in (["plan"], ["apply", "--yes"], ["apply", "--yes", "--wait"], ["drift"]):
        ran = cli(*command)
        fails(ran, 1, "key")
        assert "0123456789" not in ran.out + ran.err
    assert service.jobs() == []
    assert quick == [], "a wrong key is not tried again"
    monkeypatch.setenv("GEMINI_API_KEY", "a-good-key")
    cli.ok("apply", "--yes", "--wait")


def test_a_key_never_shows_and_is_not_in_the_state(
    on_the_real_api: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, quick: list[float]
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "SECRET-KEY-42")
    for command in (["apply", "--yes", "--wait", "-v"], ["status", "-v"], ["describe", "translate"], ["version", "-v"]):
        ran = cli.ok(*command)
        assert "SECRET-KEY-42" not in ran.out + ran.err
    for path in on_the_real_api.path.rglob("*"):
        assert not path.is_file() or b"SECRET-KEY-42" not in path.read_bytes(), path


def test_another_host_gets_no_key(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "SECRET-KEY-42")
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "https://api.example.com"}})
    stack.write_job("translate")
    ran = cli("plan")
    fails(ran, 65, "UntrustedEndpoint", "BATCHCTL_ALLOW_ENDPOINT", "batchctl.yaml:")


def test_no_network(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, quick: list[float]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("BATCHCTL_EMULATOR", url)
        stack.write_job("translate")
        ran = cli("apply", "--yes")
        fails(ran, 1, "ConnectionFailed")
        plan = cli("plan", "-o", "json")
        assert plan.code == 1
        check_schema("plan", plan.json)
        assert plan.actions() == {"translate": "wait"}, "an account that cannot be read is left alone"
        assert plan.json["problems"]


@pytest.mark.parametrize("place", ["a-file/state.db", "/proc/nowhere/state.db", "/dev/null"])
def test_a_state_that_cannot_be_written(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    # Permission bits do not hold for root, so these are places where nobody can write.
    monkeypatch.setenv("BATCHCTL_ALLOW_OUTSIDE", "1")
    (stack.path / "a-file").write_text("not a folder")
    stack.write_job("translate")
    ran = cli("apply", "--yes", "--state", place)
    assert ran.code == 1
    assert place.split("/")[1] in ran.err
    fails_in_json(cli("apply", "--yes", "--state", place, "-o", "json"), 1, re.findall("error: (\\w+)", ran.err)[0])
    assert service.jobs() == []


def test_a_state_that_is_no_database(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    (stack.path / ".batchctl").mkdir()
    (stack.path / ".batchctl" / "state.db").write_text("this is not SQLite, however long it may be" * 200)
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        fails(cli(*command), 1, "state.db")
    assert service.jobs() == []


def test_results_that_cannot_be_written_keep_the_remote_job(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    (stack.path / "results").write_text("not a folder")
    ran = cli("apply", "--yes", "--wait")
    assert ran.code == 1
    assert "results" in ran.out + ran.err
    assert not service.of("translate")[0]["deleted"]
    (stack.path / "results").unlink()
    cli.ok("watch")
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1


@pytest.mark.parametrize(
    "command", [["plan"], ["plan", "-o", "json"], ["status"], ["schema", "batchjob"], ["--help"]], ids=" ".join
)
def test_a_full_disk_at_standard_output(stack: StackFolder, command: list[str]) -> None:
    stack.write_job("translate")
    with Path("/dev/full").open("w") as full:
        ran = process(*command, capture_output=False, stdout=full, stderr=-1)
    assert ran.code == 1
    assert "No space left" in ran.err
    assert ran.err.count("\n") <= 2


def test_a_reader_that_went_away_is_no_error_worth_words(stack: StackFolder) -> None:
    stack.write_job("translate")
    reader, writer = socket.socketpair()
    reader.close()
    with writer:
        ran = process("schema", "batchjob", capture_output=False, stdout=writer, stderr=-1)
    assert (ran.code, ran.err) == (1, "")


def test_no_stack_file(cli: Cli, tmp_path: Path) -> None:
    fails(cli("plan"), 65, "StackNotFound", "batchctl init")
    fails(cli("plan", "--config", "nowhere.yaml"), 65, "StackNotFound", "nowhere.yaml")
    error = fails_in_json(cli("apply", "--yes", "-o", "json"), 65, "InvalidManifest")
    assert [item["code"] for item in error["details"]["diagnostics"]] == ["StackNotFound"]


def test_a_missing_manifest_and_a_missing_file_of_rows(stack: StackFolder, cli: Cli) -> None:
    fails(cli("plan", "-f", "jobs/nothing.yaml"), 65, "jobs/nothing.yaml", "FileNotFound")
    stack.write_job("translate", src={"file": "rows.jsonl"})
    fails(cli("plan"), 65, "rows.jsonl", "jobs/translate.yaml:9:11:")


MISTAKES = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  name: Translate_FR
spec:
  modle: gemini-2.5-flash
  displayName: 7
  src:
    - {key: one, text: first}
    - {key: one, text: twice}
  lifecycle:
    backoffLimit: many
    pendingDeadline: tomorrow
  dest: gs://demo/out/
"""


def test_all_mistakes_are_told_at_once_each_with_its_place(stack: StackFolder, cli: Cli) -> None:
    stack.job_path("translate").write_text(MISTAKES)
    stack.write_job("fine")
    for command in ("validate", "plan", "apply"):
        ran = cli(command)
        assert (ran.code, ran.out) == (65, "")
        places = re.findall(r"^jobs/translate\.yaml:(\d+):(\d+): (\w+) \S", ran.err, re.MULTILINE)
        assert {4, 6, 7, 12, 13} <= {int(line) for line, _, _ in places}
        assert len({code for _, _, code in places}) >= 3
        assert all(int(column) > 0 for _, column, _ in places)
        assert "fine.yaml" not in ran.err
    error = fails_in_json(cli("plan", "-o", "json"), 65, "InvalidManifest")
    assert {4, 6, 7, 12, 13} <= {item["line"] for item in error["details"]["diagnostics"]}
    found = cli("validate", "-o", "json")
    check_schema("validate", found.json)
    assert (found.code, found.json["valid"]) == (65, False)
    assert len(found.json["errors"]) == len(places)


def test_faults_of_rows_name_the_line_of_their_file(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("translate", src={"file": "rows.jsonl"})
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "one", "text": "first"}\n{"key": "two"}\nnonsense\n')
    ran = cli("plan")
    assert ran.code == 65
    assert re.search(r"rows\.jsonl:2:\d+: InvalidRow", ran.err)
    assert re.search(r"rows\.jsonl:3:\d+: InvalidRow", ran.err)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["aply"], 64, "apply"),
        (["plan", "--detailed-exit"], 64, "--detailed-exitcode"),
        (["plan", "translat"], 1, "did you mean translate"),
        (["status", "nothing-like-it"], 1, "batchctl status"),
        (["results", "translat"], 1, "translate"),
        (["cancel", "translat"], 1, "translate"),
        (["describe", "translat"], 1, "translate"),
        (["diff", "translat"], 1, "translate"),
        (["destroy", "translat", "--yes"], 1, "translate"),
        (["watch", "translat"], 1, "translate"),
        (["schema", "batchjop"], 64, "batchjob"),
        (["results", "translate", "--attempt", "7"], 1, "attempt 7"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_there_is_not_is_told_with_what_there_is(
    stack: StackFolder, cli: Cli, arguments: list[str], code: int, words: str
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err


@pytest.mark.parametrize("form", [["-o", "json"], ["-ojson"], ["--output", "json"], ["--output=json"]], ids=" ".join)
def test_even_a_wrong_command_line_fails_in_the_format_that_was_asked_for(
    stack: StackFolder, cli: Cli, form: list[str]
) -> None:
    fails_in_json(cli("plan", "--nope", *form), 64, "Usage")
    fails_in_json(cli("plan", *form, "--nope"), 64, "Usage")
    fails_in_json(cli("plan", *form, "-C", "nowhere"), 64, "Usage")
    fails_in_json(cli("plan", *form, "nothing"), 1, "JobNotFound")
    fails_in_json(cli("results", "nothing", *form), 1, "JobNotFound")


def test_yaml_is_a_format_of_errors_too(stack: StackFolder, cli: Cli) -> None:
    ran = cli("plan", "nothing", "-o", "yaml")
    assert (ran.code, ran.out.splitlines()[:2]) == (1, ["error:", "  code: JobNotFound"])


def test_a_workflow_gets_its_annotations(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stack.write_job("translate", modle="x")
    ran = cli("plan")
    assert re.search(r"^::error file=jobs/translate\.yaml,line=\d+", ran.err, re.MULTILINE)
    assert ran.out == ""


def test_no_arguments_show_the_help(cli: Cli) -> None:
    ran = cli()
    assert (ran.code, ran.out) == (64, "")
    assert "\nCommands:\n" in ran.err
    assert "\\n" not in ran.err


def test_the_environments_base_url_gets_the_key_because_the_operator_said_so(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini"}})
    stack.write_job("translate")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
    monkeypatch.setenv("GEMINI_API_KEY", "a-good-key")
    cli.ok("apply", "--yes")
    assert service.creates == 1


def test_a_port_that_is_taken(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = cli("emulator", "serve", "--port", str(taken.getsockname()[1]))
    fails(ran, 1, "EmulatorFailed", "--port")


def test_an_emulator_file_that_cannot_be_used(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATCHCTL_EMULATOR")
    stack.write_job("translate")
    (stack.path / ".batchctl").mkdir()
    (stack.path / ".batchctl" / "emulator.db").write_text("this is not SQLite" * 500)
    fails(cli("plan"), 1, "emulator.db")
