"""Two targets of one stack on one account: their jobs never mix, and no command forgets the target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.model.keys import Mark
from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, Service, StackFolder, check_schema

TARGETS = {"dev": {"limits": {"maxCreate": 5}}, "prod": {"variables": {"night": "2"}}}
VARIABLES = {"night": {"default": "1"}}


@pytest.fixture
def targets(stack: StackFolder) -> StackFolder:
    stack.write_stack(targets=TARGETS, variables=VARIABLES)
    stack.write_job("a", runId="${var.target}-${var.night}")
    return stack


def marks(service: Service) -> list[str]:
    found = [Mark.find(job["displayName"]) for job in service.live()]
    return sorted(f"{mark.stack}/{mark.key.job}" for mark in found if mark is not None)


def test_the_jobs_of_two_targets_never_mix(targets: StackFolder, cli: Cli, service: Service) -> None:
    for target in ("dev", "prod"):
        cli.ok("apply", "--yes", "--target", target)
    assert marks(service) == ["shop-dev/a", "shop-prod/a"]
    for target in ("dev", "prod"):
        plan = cli("plan", "--target", target, "-o", "json", "--detailed-exitcode")
        assert (plan.code, plan.actions(), plan.json["drift"]) == (0, {"a": "wait"}, [])
    cli.ok("destroy", "--yes", "--target", "dev")
    states = {Mark.find(job["displayName"]).stack: job["state"].rpartition("_")[2] for job in service.jobs()}
    assert states == {"shop-dev": "CANCELLED", "shop-prod": "RUNNING"}
    assert cli.ok("status", "--target", "prod", "-o", "json").phases() == {"a": "Active"}
    states = {path.relative_to(targets.path).as_posix() for path in targets.path.rglob("state.db")}
    assert states == {".batchctl/dev/state.db", ".batchctl/prod/state.db"}


def test_results_of_two_targets_are_apart(targets: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    for target in ("dev", "prod"):
        cli.ok("apply", "--yes", "--wait", "--target", target)
        assert len(cli.ok("results", "a", "--target", target).rows) == 3
    assert sorted(path.name for path in (targets.path / "results").iterdir()) == ["dev", "prod"]


def test_the_environment_names_the_target_for_every_command(
    targets: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHCTL_TARGET", "dev")
    cli.ok("apply", "--yes")
    assert cli.ok("state", "list", "-o", "json").json["stack"] == "shop-dev"
    assert cli.ok("state", "list", "-o", "json", "--target", "prod").json["stack"] == "shop-prod"
    monkeypatch.setenv("BATCHCTL_TARGET", "staging")
    refused = cli("status")
    assert refused.code == 64
    assert "BATCHCTL_TARGET staging: there is no such target\n  hint: one of: dev, prod" in refused.err


@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes"), ("validate",), ("state", "list"), ("doctor",)])
def test_without_a_target_nothing_runs(
    targets: StackFolder, cli: Cli, service: Service, words: tuple[str, ...]
) -> None:
    refused = cli(*words)
    assert refused.code == 64
    assert "one of: dev, prod" in refused.err
    assert service.jobs() == []


def test_commands_in_hints_have_the_target(targets: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "`batchctl status --target dev` lists the jobs"
    assert hint in cli("plan", "nope", "--target", "dev").err
    assert cli("diff", "nope", "--target", "dev", "-o", "json").json["error"]["hint"] == hint
    waited = cli("wait", "a", "--target", "dev", "--timeout", "0s")
    assert "`batchctl explain a --target dev`" in waited.err
    assert "`batchctl wait --help` shows" in cli("wait", "a", "--target", "dev", "--for", "x").err
    monkeypatch.setenv("BATCHCTL_TARGET", "dev")
    assert "`batchctl status` lists" in cli("plan", "nope").err
    assert "`batchctl status --target prod` lists" in cli("plan", "nope", "--target", "prod").err


def test_commands_in_messages_have_the_options_that_select_the_stack(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(variables={"tone": {"default": "kind"}})
    stack.write_job("a")
    cli.ok("apply", "--yes")
    monkeypatch.chdir("/")
    where = str(stack.path)
    cli.ok("-C", where, "cancel", "a", "--yes")
    options = f"-C {where} --state 'my state.db'"
    refused = cli("-C", where, "plan", "nope", "--state", "my state.db", "--set", "tone=calm")
    assert f"`batchctl status {options} --set tone=…` lists the jobs" in refused.err
    service.advance("5s")
    explained = cli.ok("-C", where, "explain", "a").out
    assert f"`batchctl retry a -C {where}`" in explained
    monkeypatch.setenv("BATCHCTL_CHDIR", where)
    assert "`batchctl retry a`" in cli.ok("explain", "a").out


def test_jobs_from_before_the_targets_go_on(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    stack.write_stack(targets={"prod": {"name": "shop"}, "dev": {"results": "results-dev"}}, defaultTarget="prod")
    plan = cli("plan", "-o", "json", "--detailed-exitcode")
    assert (plan.code, plan.actions()) == (0, {"a": "wait"})
    assert cli("plan", "-o", "json", "--target", "dev").actions() == {"a": "create"}


def test_a_saved_plan_has_its_target(targets: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("plan", "--target", "prod", "--out", "plan.json")
    document = json.loads(Path("plan.json").read_text())
    check_schema("plan", document)
    assert (document["options"]["target"], document["stack"]) == ("prod", "shop-prod")
    refused = cli("apply", "plan.json", "--target", "dev")
    assert (refused.code, service.jobs()) == (64, [])
    assert "the plan was made with the target prod, and not with dev" in refused.err
    cli.ok("apply", "plan.json")
    assert marks(service) == ["shop-prod/a"]


def test_a_plan_without_a_target_is_not_applied_to_one(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    cli.ok("plan", "--out", "plan.json")
    refused = cli("apply", "plan.json", "--target", "dev")
    assert "the plan was made with no target, and not with dev" in refused.err
    assert (refused.code, service.jobs()) == (64, [])


def test_a_plan_of_variables_in_the_environment_needs_them(
    targets: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("BATCHCTL_VAR_NIGHT", "7")
        cli.ok("plan", "--target", "dev", "--out", "plan.json")
    assert json.loads(Path("plan.json").read_text())["options"]["variables"] == ["night"]
    refused = cli("apply", "plan.json")
    assert (refused.code, service.jobs()) == (64, [])
    assert "the plan was made with --set night=…" in refused.err
    monkeypatch.setenv("BATCHCTL_VAR_NIGHT", "7")
    cli.ok("apply", "plan.json")


def test_the_options_of_an_unknown_release_are_refused(targets: StackFolder, cli: Cli) -> None:
    cli.ok("plan", "--target", "dev", "--out", "plan.json")
    document = json.loads(Path("plan.json").read_text())
    document["options"]["target"] = 5
    Path("plan.json").write_text(json.dumps(document))
    refused = cli("apply", "plan.json")
    assert refused.code == 64
    assert "its options are invalid" in refused.err


def test_var_is_set(stack: StackFolder, cli: Cli) -> None:
    stack.write_stack(variables=VARIABLES)
    stack.write_job("a", runId="${var.night}")
    by_set, by_var = (cli.ok("validate", "-o", "json", option, "night=9").json for option in ("--set", "--var"))
    assert by_set == by_var != cli.ok("validate", "-o", "json").json


def test_the_emulator_refuses_a_target(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("emulator", "serve", "--target", "prod", "--port", "1")
    assert (ran.code, "emulator serve reads no stack, so --target has no effect" in ran.err) == (64, True), ran.err
    monkeypatch.setenv("BATCHCTL_TARGET", "prod")
    assert "--target" not in cli("emulator", "serve", "--host", "nowhere.invalid").err


def test_all_targets_are_checked_in_one_run(targets: StackFolder, cli: Cli, tmp_path: Path) -> None:
    ran = cli.ok("validate", "--all-targets")
    assert ran.out == "ok: 1 job in stack shop-dev\nok: 1 job in stack shop-prod\n"
    assert cli.ok("validate", "--all-targets", "-o", "name").out == "a\n"
    assert cli.ok("validate", "--all-targets", "-o", "json").json["valid"] is True
    targets.write_job("b", model="${var.model}")
    targets.write_job("c", modell="x")
    targets.write_stack(
        targets={"dev": {}, "prod": {"variables": {"model": "gemini-2.5-pro"}}}, variables={"model": {}}
    )
    targets.job_path("a").unlink()
    ran = cli("validate", "--all-targets", "--report", f"junit={tmp_path / 'report.xml'}")
    assert ran.code == 65
    lines = ran.err.splitlines()
    assert sum(line.startswith("jobs/c.yaml:") for line in lines) == 1, "shared errors come once"
    assert "of 2 targets these are not valid: dev, prod" in ran.err
    assert (tmp_path / "report.xml").read_text().count("jobs/c.yaml:") == 1
    targets.job_path("c").unlink()
    report = tmp_path / "report.json"
    ran = cli("validate", "--all-targets", "-o", "json", "--report", f"json={report}")
    assert (ran.code, "these are not valid: dev\n" in ran.err) == (65, True), ran.err
    check_closed("validate-targets", ran.json)
    of_targets = ran.json["targets"]
    assert {target: one["valid"] for target, one in of_targets.items()} == {"dev": False, "prod": True}
    assert [of_targets["prod"]["stack"], of_targets["dev"]["errors"][0]["code"]] == ["shop-prod", "UnsetVariable"]
    assert (ran.json["valid"], json.loads(report.read_text())) == (False, ran.json)
    assert of_targets["prod"] == cli.ok("validate", "--target", "prod", "-o", "json").json


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--target", "dev"), "--target and --all-targets exclude each other"),
        (("-f", "-"), "--all-targets reads manifests more than once"),
    ],
)
def test_what_all_targets_cannot_do(targets: StackFolder, cli: Cli, words: tuple[str, ...], message: str) -> None:
    ran = cli("validate", "--all-targets", *words)
    assert (ran.code, message in ran.err) == (64, True), ran.err


def test_all_targets_need_targets(stack: StackFolder, cli: Cli) -> None:
    ran = cli("validate", "--all-targets")
    assert (ran.code, "batchctl.yaml has no spec.targets" in ran.err) == (64, True), ran.err
