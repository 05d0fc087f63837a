"""`plan --out FILE`, `apply FILE`, `apply --expect DIGEST` and `apply NAME`: a reviewed plan is carried out, or refused."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import SOON, Cli, Ran, Service, StackFolder, check_schema

SECRET = "the secret words of a prompt"


@pytest.fixture(autouse=True)
def two_jobs(stack: StackFolder) -> None:
    stack.write_job("classify")
    stack.write_job("translate", request={"systemInstruction": SECRET})


def refused(ran: Ran, *words: str) -> None:
    """The plan is stale, and the message says why."""
    assert ran.code == 6, ran
    assert "PlanStale" in ran.err
    for word in words:
        assert word in ran.err


def digest_of(cli: Cli, *words: str) -> str:
    digest: str = cli("plan", *words, "-o", "json").json["digest"]
    return digest


def test_a_saved_plan_is_carried_out(cli: Cli, service: Service) -> None:
    shown = cli.ok("plan", "--out", "p.json")
    document = json.loads(Path("p.json").read_text())
    check_schema("plan", document)
    assert f"Digest {document['digest']}\n" in shown.out
    assert f"Digest: `{document['digest']}`\n" in cli.ok("plan", "-o", "markdown").out
    assert service.creates == 0
    cli.ok("apply", "p.json", "--no-input")
    assert service.creates == 2


def test_text_and_json_come_from_one_look(cli: Cli, service: Service) -> None:
    before = service.calls("batches.list")
    cli.ok("plan", "--out", "p.json")
    assert service.calls("batches.list") == before + 1
    assert json.loads(Path("p.json").read_text()) == cli.ok("plan", "-o", "json").json


def test_neither_prompts_nor_values_of_variables_are_in_it(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(variables={"words": {"default": "nothing"}})
    stack.write_job("translate", request={"systemInstruction": "${var.words}"})
    cli.ok("plan", "--set", f"words={SECRET}", "--out", "p.json")
    text = Path("p.json").read_text()
    assert SECRET not in text
    assert json.loads(text)["options"]["variables"] == ["words"]
    assert Path("p.json").stat().st_mode & 0o777 == 0o600
    ran = cli("apply", "p.json")
    assert (ran.code, service.creates) == (64, 0)
    assert "--set words=…" in ran.err
    refused(cli("apply", "p.json", "--set", "words=other"), "translate: its manifest has changed")
    cli.ok("apply", "p.json", "--set", f"words={SECRET}")


def test_a_plan_that_was_carried_out_is_stale(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--out", "p.json")
    cli.ok("apply", "p.json")
    refused(cli("apply", "p.json"), "classify: create was planned, and is not due now (wait: ")
    ran = cli("apply", "p.json", "-o", "json")
    assert [one["job"] for one in ran.json["error"]["details"]["stale"]] == ["classify", "translate"]
    assert service.creates == 2


def test_changed_manifests_make_it_stale(stack: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("plan", "--out", "p.json")
    digest = digest_of(cli)
    stack.write_job("another")
    stack.write_job("translate", request={"systemInstruction": "other words"})
    refused(cli("apply", "p.json"), "another: create is not in the plan; translate: its manifest has changed")
    refused(cli("apply", "--expect", digest), "due now: create another, create classify, create translate")
    assert service.creates == 0
    stack.job_path("another").unlink()
    stack.write_job("translate", request={"systemInstruction": SECRET})
    cli.ok("apply", "--expect", digest)
    assert service.creates == 2


def test_the_poll_of_a_watcher_does_not_make_it_stale(stack: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    stack.write_job("another")
    cli.ok("plan", "--out", "p.json")
    digest = digest_of(cli)
    cli("watch", "--once")
    assert digest_of(cli) == digest
    cli.ok("apply", "p.json")
    assert service.creates == 3


def test_a_first_poll_on_an_empty_state_does_not_make_it_stale(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--out", "p.json")
    digest = digest_of(cli)
    cli("watch", "--once")
    cli.ok("apply", "--dry-run", "--expect", digest)
    cli.ok("apply", "p.json")
    assert service.creates == 2


def test_another_state_makes_it_stale(stack: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes", "classify")
    cli.ok("plan", "--out", "p.json")
    digest = digest_of(cli)
    shutil.rmtree(".batchctl")
    cli.ok("apply", "--yes", "classify")
    refused(cli("apply", "p.json"), "another lineage")
    refused(cli("apply", "--expect", digest), "another lineage")
    assert service.creates == 1


def test_a_job_that_ended_in_between_makes_its_replacement_stale(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    cli.ok("apply", "--yes")
    stack.write_job("translate", model="gemini-2.5-pro")
    cli.ok("plan", "--out", "p.json")
    service.advance("1h")
    refused(cli("apply", "p.json"), "translate: it is succeeded, and was active")
    assert service.creates == 2


def test_the_digest_is_that_of_the_scope(stack: StackFolder, cli: Cli, service: Service) -> None:
    digest = digest_of(cli, "classify")
    assert digest != digest_of(cli)
    refused(cli("apply", "--expect", digest))
    cli.ok("apply", "--expect", digest, "classify")
    assert [job["displayName"][:3] for job in service.jobs()] == ["cla"]
    refused(cli("apply", "--expect", digest, "classify"), "nothing that was reviewed is left to do")


def test_a_saved_plan_has_its_scope_and_its_flags(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"maxCreate": 0})
    cli.ok("plan", "classify", "--max-create", "1", "--out", "p.json")
    ran = cli("apply", "p.json", "--max-create", "5", "-f", "jobs")
    assert (ran.code, service.creates) == (64, 0)
    assert "-f, --max-create cannot be added" in ran.err
    cli.ok("apply", "p.json", "--allow-failed", "--timeout", "1m")
    assert service.creates == 1


def test_a_plan_of_a_folder_is_carried_out_from_where_it_was_made(
    tmp_path: Path, stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stack.path.parent)
    folder = stack.path.name
    cli.ok("plan", "-f", f"{folder}/jobs/classify.yaml", "--out", "p.json")
    cli.ok("apply", "p.json")
    assert service.creates == 1


def test_a_plan_of_a_folder_is_carried_out_from_within_it(
    tmp_path: Path, stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stack.path.parent)
    cli.ok("plan", "-f", f"{stack.path.name}/jobs/classify.yaml", "--out", "p.json")
    monkeypatch.chdir(stack.path)
    cli.ok("apply", "../p.json")
    assert service.creates == 1


def test_a_folder_without_a_stack_is_an_error(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("plan", "--out", "p.json")
    monkeypatch.chdir(stack.path.parent)
    ran = cli("apply", f"{stack.path.name}/p.json")
    assert (ran.code, service.creates) == (64, 0)
    assert "a plan for stack shop" in ran.err
    assert "run it where the plan was made, or with -C" in ran.err
    cli.ok("apply", "--config", f"{stack.path.name}/batchctl.yaml", f"{stack.path.name}/p.json")
    assert service.creates == 2


def test_a_file_can_be_held_against_the_reviewed_digest(stack: StackFolder, cli: Cli, service: Service) -> None:
    digest = digest_of(cli)
    cli.ok("plan", "classify", "--out", "p.json")
    refused(cli("apply", "p.json", "--expect", digest), "is not the reviewed plan")
    cli.ok("plan", "--out", "p.json")
    cli.ok("apply", "p.json", "--expect", digest)


def test_an_account_that_cannot_be_read_is_no_difference(cli: Cli, service: Service) -> None:
    digest = digest_of(cli)
    cli.ok("plan", "--out", "p.json")
    service.faults({"method": "batches.list", "kind": "status", "status": 403})
    ran = cli("apply", "--expect", digest)
    assert (ran.code, "PlanStale" in ran.err) == (7, False)
    assert "cannot be compared" in ran.err
    assert cli("apply", "p.json").code == 1
    assert service.creates == 0


def test_apply_takes_names(stack: StackFolder, cli: Cli, service: Service) -> None:
    ran = cli("apply", "--yes", "clasify")
    assert (ran.code, service.creates) == (1, 0)
    assert "did you mean classify" in ran.err
    cli.ok("apply", "--yes", "classify")
    assert len(service.of("classify")) == len(service.jobs()) == 1


def changed(**members: object) -> str:
    document = json.loads(Path("p.json").read_text())
    return json.dumps({**document, **members})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.json"], "there is no plan file nothing.json"),
        (["./nothing"], "there is no plan file ./nothing"),
        (["nothing.json"], "  hint: write one with `batchctl plan --out FILE`\n"),
        (["./nothing"], "  hint: write one with `batchctl plan --out FILE`\n"),
        (["Classify"], "write one with `batchctl plan --out FILE`; the name of a job has only a-z, 0-9 and -"),
        (["nothing.yaml"], "  hint: name manifests with -f\n"),
        (["plan"], "there is no job plan, but a file"),
        (["jobs/classify.yaml"], "`batchctl apply -f jobs/classify.yaml` applies manifests"),
        (["./jobs"], "./jobs is a folder, not a saved plan"),
        (["-"], "`-f -` reads manifests from standard input"),
        (["p.json", "classify"], "applied alone"),
        (["p.json", "p.json"], "applied alone"),
        (["p.json", "--set", "a=b"], "the plan was made without --set"),
        (["p.json", "-l", "team=a"], "-l cannot be added"),
        (["p.json", "--yes-rename-as-new"], "--yes-rename-as-new cannot be added"),
        (["text.json"], "text.json is not a saved plan: it is not JSON"),
        (["list.json"], "list.json is not a saved plan: it has no format"),
        (["status.json"], "its format is batchctl/status/v1"),
        (["edited.json"], "its digest does not match its actions"),
        (["newer.json"], "its options are incomplete, or of another release"),
        (["cut.json"], "lineage is missing"),
        (["--expect", "abc"], "p1: and 64 hex digits"),
    ],
)
def test_each_wrong_argument_gets_one_clear_message(cli: Cli, service: Service, words: list[str], said: str) -> None:
    cli.ok("plan", "--out", "p.json")
    actions = json.loads(Path("p.json").read_text())["actions"]
    del actions[0]
    files = {
        "plan": Path("p.json").read_text(),
        "text.json": "Plan: 1 to create.",
        "list.json": "[1, 2]",
        "status.json": '{"format": "batchctl/status/v1"}',
        "edited.json": changed(actions=actions),
        "newer.json": changed(options={"folder": "."}),
        "cut.json": changed(lineage=None),
    }
    for name, text in files.items():
        Path(name).write_text(text)
    ran = cli("apply", "--yes", *words)
    assert (ran.code, service.creates) == (64, 0), ran
    assert said in ran.err
    assert ran.err.count("error: ") == 1


@pytest.mark.parametrize(
    "members",
    [
        {"digest": "p1:zz"},
        {"actions": None},
        {"actions": [{"job": "a"}]},
        {"actions": [{"job": "a", "terms": {"change": "create"}}]},
        {
            "actions": [
                {
                    "terms": dict.fromkeys(("change", "guard", "manifest", "attempt", "digest", "phase", "observed"))
                    | {"consent": True}
                }
            ]
        },
        {"options": []},
    ],
)
def test_a_damaged_plan_is_refused(cli: Cli, service: Service, members: dict[str, object]) -> None:
    cli.ok("plan", "--out", "p.json")
    Path("p.json").write_text(changed(**members))
    ran = cli("apply", "p.json")
    assert (ran.code, service.creates) == (64, 0), ran
    assert "is damaged or from another release" in ran.err


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("folder", 1),
        ("selector", 2),
        ("paths", "x"),
        ("names", [1]),
        ("allowEmpty", "no"),
        ("maxCreate", True),
        ("maxDelete", -1),
    ],
)
def test_damaged_options_are_refused(cli: Cli, member: str, value: object) -> None:
    cli.ok("plan", "--out", "p.json")
    options = json.loads(Path("p.json").read_text())["options"]
    Path("p.json").write_text(changed(options={**options, member: value}))
    ran = cli("apply", "p.json")
    assert (ran.code, "its options are invalid" in ran.err) == (64, True)


def test_a_plan_of_another_stack_is_refused(stack: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("plan", "--out", "p.json")
    stack.write_stack(uid="zzzzzz")
    ran = cli("apply", "p.json")
    assert (ran.code, service.creates) == (64, 0)
    assert "a plan for stack shop with uid a1b2c3" in ran.err


def test_manifests_from_standard_input_cannot_be_saved(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, stack: StackFolder
) -> None:
    text = stack.job_path("classify").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    stack.job_path("classify").unlink()
    ran = cli("plan", "-f", "-", "--out", "p.json")
    assert (ran.code, Path("p.json").exists()) == (64, False)
    assert "standard input, which cannot be read again" in ran.err


@pytest.mark.parametrize("option", ["--out", "--events"])
@pytest.mark.parametrize(
    ("file", "shown"), [("no/such/p.json", "no/such/p.json"), (".", "."), ("", "."), ("jobs", "jobs")]
)
def test_a_file_that_cannot_be_written_is_an_error(
    stack: StackFolder, cli: Cli, option: str, file: str, shown: str
) -> None:
    ran = cli("plan", option, file)
    assert (ran.code, ran.out) == (1, "")
    assert f"error: CannotWrite cannot write {shown}: " in ran.err
    assert list(stack.path.glob(".batchctl-*")) == []


def test_a_saved_plan_goes_on_waiting(cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(SOON)
    cli.ok("plan", "--out", "p.json")
    cli.ok("apply", "p.json", "--wait")
    assert set(cli.ok("status", "-o", "json").phases().values()) == {"Succeeded"}


def test_a_stale_plan_renames_nothing(stack: StackFolder, cli: Cli, service: Service) -> None:
    """The renames of `spec.moved` are written before a pass is planned."""
    cli.ok("apply", "--yes")
    stack.write_job("another")
    cli.ok("plan", "--out", "p.json")
    stack.job_path("sort").write_text(stack.job_path("classify").read_text().replace("name: classify", "name: sort"))
    stack.job_path("classify").unlink()
    stack.write_stack(moved=[{"from": "classify", "to": "sort"}])
    stack.write_job("another", model="gemini-2.5-pro")
    refused(cli("apply", "p.json"), "another: its manifest has changed. Nothing was changed")
    names = {one["job"] for one in cli.ok("state", "list", "-o", "json").json["jobs"]}
    assert names == {"classify", "translate"}
    stack.write_job("another")
    cli.ok("apply", "p.json")
    assert {one["job"] for one in cli.ok("state", "list", "-o", "json").json["jobs"]} == {
        "another",
        "sort",
        "translate",
    }
