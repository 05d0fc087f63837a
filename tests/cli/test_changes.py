"""Which edits of a manifest buy the work again, and which buy nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import Cli, Service, StackFolder

MANIFEST = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  name: translate
  labels: {team: search}
spec:
  model: gemini-2.5-flash
  displayName: To French
  request:
    systemInstruction: Translate.
    generationConfig: {temperature: 0.5, maxOutputTokens: 64}
  runId: "1"
  src:
    - {key: one, text: first}
    - {key: two, text: second}
"""
LINES = '{"key": "one", "text": "first"}\n{"key": "two", "text": "second"}\n'

Edit = Callable[[Path], None]


def replaced(old: str, new: str) -> Edit:
    def edit(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return edit


def as_json(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps(yaml.safe_load(path.read_text()), indent=1))
    path.unlink()


def with_crlf(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def upside_down(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    document["spec"]["request"] = dict(reversed(document["spec"]["request"].items()))
    document["spec"] = dict(reversed(document["spec"].items()))
    path.write_text(yaml.safe_dump(dict(reversed(document.items())), sort_keys=False))


def as_list(path: Path) -> None:
    document = {"apiVersion": "batchctl.dev/v1", "kind": "List", "items": [yaml.safe_load(path.read_text())]}
    path.write_text(yaml.safe_dump(document))


def elsewhere(path: Path) -> None:
    (path.parent / "deeper").mkdir()
    path.rename(path.parent / "deeper" / "other-name.yml")


SETTINGS: dict[str, Edit] = {
    "displayName": replaced("To French", "Into French"),
    "no displayName": replaced("  displayName: To French\n", ""),
    "labels": replaced("{team: search}", "{team: ads, tier: '2'}"),
    "lifecycle": replaced('  runId: "1"\n', '  runId: "1"\n  lifecycle: {backoffLimit: 3, pendingDeadline: 24h}\n'),
}
"""What the state keeps beside the work: shown as an update, and written down."""

COSMETIC: dict[str, Edit] = {
    "order of keys": upside_down,
    "CRLF": with_crlf,
    "comments": replaced("spec:", "# why\nspec: # because"),
    "JSON": as_json,
    "an item of a list": as_list,
    "annotations": replaced("  labels:", "  annotations: {owner: Search team}\n  labels:"),
    "another file": elsewhere,
    "another spelling of a number": replaced("maxOutputTokens: 64", "maxOutputTokens: 64.0"),
}


@pytest.fixture
def applied(stack: StackFolder, cli: Cli) -> StackFolder:
    stack.job_path("translate").write_text(MANIFEST)
    cli.ok("apply", "--yes")
    return stack


@pytest.mark.parametrize("edit", COSMETIC.values(), ids=COSMETIC.keys())
def test_what_is_not_the_work_buys_nothing(applied: StackFolder, cli: Cli, service: Service, edit: Edit) -> None:
    before = service.jobs()
    edit(applied.job_path("translate"))
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions()) == (0, {"translate": "wait"})
    cli.ok("apply", "--yes")
    assert service.jobs() == before


@pytest.mark.parametrize("edit", SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_are_an_update_and_buy_nothing(applied: StackFolder, cli: Cli, service: Service, edit: Edit) -> None:
    before = service.jobs()
    edit(applied.job_path("translate"))
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions()) == (2, {"translate": "update"})
    cli.ok("apply", "--no-input")
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions()) == (0, {"translate": "wait"})
    assert service.jobs() == before


WORK: dict[str, tuple[Edit, str]] = {
    "a row's text": (replaced("text: second", "text: 2nd"), "spec.src"),
    "a row's key": (replaced("key: two", "key: zwei"), "spec.src"),
    "order of rows": (
        replaced(
            "- {key: one, text: first}\n    - {key: two, text: second}",
            "- {key: two, text: second}\n    - {key: one, text: first}",
        ),
        "spec.src",
    ),
    "request": (
        replaced("temperature: 0.5", "temperature: 0.6"),
        "spec.request.generationConfig.temperature",
    ),
    "a prompt": (replaced("Translate.", "Translate well."), "spec.request.systemInstruction"),
    "runId": (replaced('runId: "1"', 'runId: "2"'), "spec.runId"),
    "no runId": (replaced('  runId: "1"\n', ""), "spec.runId"),
    "model": (replaced("gemini-2.5-flash", "gemini-2.5-pro"), "spec.model"),
}


@pytest.mark.parametrize(("edit", "path"), WORK.values(), ids=WORK.keys())
def test_a_change_of_the_work_replaces_the_job(
    applied: StackFolder, cli: Cli, service: Service, quick: list[float], edit: Edit, path: str
) -> None:
    edit(applied.job_path("translate"))
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions(), plan.changes("translate")) == (2, {"translate": "replace"}, [path])
    cli.ok("apply", "--yes", "--wait")
    assert [job["deleted"] for job in service.of("translate")] == [True, False]


def test_a_plan_never_shows_the_text_of_a_prompt(applied: StackFolder, cli: Cli) -> None:
    replaced("Translate.", "Say PETUNIA.")(applied.job_path("translate"))
    replaced("text: first", "text: GERANIUM")(applied.job_path("translate"))
    for arguments in (["plan", "-v"], ["plan", "-o", "json"], ["plan", "-o", "markdown"], ["diff", "translate"]):
        ran = cli.ok(*arguments)
        assert "sha256:" in ran.out
        assert "PETUNIA" not in ran.out + ran.err
        assert "GERANIUM" not in ran.out + ran.err


FILE_EDITS: dict[str, tuple[str, bool]] = {
    "CRLF": (LINES.replace("\n", "\r\n"), False),
    "spaces and order of members": ('{ "text":"first",  "key":"one" }\n{"text": "second", "key": "two"}\n', False),
    "no last line end": (LINES.rstrip(), False),
    "a text": (LINES.replace("second", "2nd"), True),
    "one more row": (LINES + '{"key": "three", "text": "third"}\n', True),
}


@pytest.mark.parametrize(("lines", "is_work"), FILE_EDITS.values(), ids=FILE_EDITS.keys())
def test_rows_in_a_file_count_by_what_they_say(stack: StackFolder, cli: Cli, lines: str, is_work: bool) -> None:
    stack.write_job("translate", src={"file": "rows.jsonl"})
    file = stack.path / "jobs" / "rows.jsonl"
    file.write_text(LINES)
    cli.ok("apply", "--yes")
    file.write_bytes(lines.encode())
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert plan.actions() == {"translate": "replace" if is_work else "wait"}
    assert plan.code == (2 if is_work else 0)


def test_on_change_keep_leaves_the_old_job(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate", lifecycle={"onChange": "keep"})
    cli.ok("apply", "--yes")
    stack.write_job("translate", model="gemini-2.5-pro", lifecycle={"onChange": "keep"})
    assert cli("plan", "--detailed-exitcode").code == 0
    cli.ok("apply", "--yes")
    assert service.creates == 1


def test_suspend_holds_back_the_create_and_no_more(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate", lifecycle={"suspend": True})
    plan = cli("plan", "--detailed-exitcode", "-o", "json")
    assert (plan.code, plan.actions()) == (0, {"translate": "wait"})
    cli.ok("apply", "--yes")
    assert service.creates == 0
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    assert service.creates == 1


@pytest.mark.parametrize("source", ["inline", "file"])
def test_of_changed_rows_the_plan_names_which(stack: StackFolder, cli: Cli, source: str) -> None:
    def write(text: str, *more: str) -> None:
        rows = [{"key": f"new-{number}", "text": f"row {number}"} for number in range(22)]
        rows[3]["text"] = text
        rows += [{"key": key, "text": key} for key in more]
        if source == "file":
            (stack.path / "jobs" / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            stack.write_job("translate", src={"file": "rows.jsonl"})
        else:
            stack.write_job("translate", src=rows)

    write("before")
    cli.ok("apply", "--yes")
    write("after")
    assert "~ spec.src: 1 of 22 rows changed: new-3" in cli.ok("plan").out
    assert "its work changed; 1 of 22 rows changed: new-3" in cli.ok("plan", "-o", "markdown").out
    write("after", "extra")
    (action,) = cli.ok("plan", "-o", "json").json["actions"]
    (change,) = action["changes"]
    assert change["detail"] == "1 of 23 rows changed: new-3; 1 row added: extra"
    assert change["rows"] == {"total": 23, "changed": ["new-3"], "added": ["extra"], "removed": []}
    assert cli.ok("diff", "translate", "-o", "json").json["changes"] == [change]
