"""The options that commands share: which jobs, which stack, which state, which variables."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.support.command_line import Cli, Service, StackFolder, manifest


class TestScope:
    @pytest.fixture
    def teams(self, stack: StackFolder) -> StackFolder:
        for folder in ("ads", "search"):
            (stack.path / "jobs" / folder).mkdir(parents=True)
            path = stack.path / "jobs" / folder / f"{folder}.yaml"
            path.write_text(manifest(folder, labels={"team": folder}))
        stack.write_job("top")
        return stack

    @pytest.mark.parametrize(
        ("arguments", "jobs"),
        [
            ([], ["ads", "search", "top"]),
            (["-f", "."], ["ads", "search", "top"]),
            (["-f", "jobs"], ["ads", "search", "top"]),
            (["-f", "jobs/ads"], ["ads"]),
            (["-f", "jobs/ads/ads.yaml"], ["ads"]),
            (["-f", "jobs/ads", "-f", "jobs/top.yaml"], ["ads", "top"]),
            (["-l", "team=ads"], ["ads"]),
            (["-l", "team!=ads"], ["search", "top"]),
            (["-l", "team in (ads, search)"], ["ads", "search"]),
            (["-l", "!team"], ["top"]),
            (["-f", "jobs/ads", "-l", "team=search"], []),
            (["top"], ["top"]),
        ],
        ids=" ".join,
    )
    def test_files_labels_and_names_narrow(
        self, teams: StackFolder, cli: Cli, arguments: list[str], jobs: list[str]
    ) -> None:
        assert cli.ok("plan", *arguments, "-o", "name").out.split() == jobs

    def test_what_was_removed_from_a_narrowed_folder_is_found_and_nothing_else(
        self, teams: StackFolder, cli: Cli, service: Service, quick: list[float]
    ) -> None:
        (teams.path / "jobs" / "ads" / "second.yaml").write_text(manifest("second", labels={"team": "ads"}))
        cli.ok("apply", "--yes", "--wait")
        (teams.path / "jobs" / "ads" / "ads.yaml").unlink()
        teams.job_path("top").unlink()
        ran = cli.ok("apply", "-f", "jobs/ads", "--yes", "-o", "json")
        assert ran.actions() == {"ads": "delete", "second": "none"}
        assert not service.of("top")[0]["deleted"]

    def test_standard_input(
        self, stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack.write_job("other")
        text = manifest("piped") + "---\n" + manifest("second")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert cli.ok("apply", "--yes", "-f", "-", "-o", "json").actions() == {"piped": "create", "second": "create"}
        assert service.creates == 2
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"kind: Nothing\n")))
        broken = cli("plan", "-f", "-")
        assert broken.code == 65
        assert "-:1:" in broken.err or "<stdin>:1:" in broken.err

    @pytest.mark.parametrize("command", ["plan", "apply", "watch", "drift", "status", "destroy", "validate"])
    @pytest.mark.parametrize(
        ("arguments", "warnings"),
        [
            ([], []),
            (["-l", "team=ads"], []),
            (["-l", "team=sales"], ["-l team=sales"]),
            (["-f", "jobs/empty"], ["-f jobs/empty"]),
            (["-f", "jobs/empty", "-f", "jobs/ads"], ["-f jobs/empty"]),
            (["-f", "jobs/empty", "-l", "team=sales"], ["-f jobs/empty"]),
            (["-f", "jobs/ads", "-l", "team=search"], ["-l team=search"]),
        ],
        ids=" ".join,
    )
    def test_a_scope_in_which_nothing_lies_is_warned_of(
        self, teams: StackFolder, cli: Cli, service: Service, command: str, arguments: list[str], warnings: list[str]
    ) -> None:
        (teams.path / "jobs" / "empty").mkdir()
        ran = cli(command, *arguments)
        assert [line for line in ran.err.splitlines() if "matches no job" in line] == [
            f"warning: {name} matches no job" for name in warnings
        ]

    def test_what_is_recorded_alone_is_no_empty_scope(self, teams: StackFolder, cli: Cli, service: Service) -> None:
        cli.ok("apply", "--yes")
        (teams.path / "jobs" / "ads" / "ads.yaml").unlink()
        for arguments in (["-f", "jobs/ads"], ["-l", "team=ads"]):
            assert "matches no job" not in cli("plan", *arguments).err


class TestPlaces:
    @pytest.fixture
    def away(self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StackFolder:
        """A stack with one job, seen from another folder."""
        stack.write_job("translate")
        monkeypatch.chdir(tmp_path)
        return stack

    @pytest.mark.parametrize(
        ("arguments", "env"),
        [
            (["plan", "-C", "stack"], {}),
            (["-C", "stack", "plan"], {}),
            (["plan"], {"BATCHCTL_CHDIR": "stack"}),
            (["plan", "--config", "stack/batchctl.yaml"], {}),
            (["--config", "stack/batchctl.yaml", "plan"], {}),
            (["plan", "--config", "stack"], {}),
            (["plan"], {"BATCHCTL_CONFIG": "stack/batchctl.yaml"}),
            (["plan", "-f", "stack/jobs"], {}),
            (["plan", "--config", "stack"], {"BATCHCTL_CONFIG": "nowhere.yaml"}),
        ],
    )
    def test_the_stack_is_found(
        self, away: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str], env: dict[str, str]
    ) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        assert cli.ok(*arguments, "-o", "name").out == "translate\n"

    def test_upwards_from_a_folder_below(self, away: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        below = away.path / "jobs" / "deep"
        below.mkdir()
        monkeypatch.chdir(below)
        assert cli.ok("plan", "-o", "name").out == "translate\n"

    @pytest.mark.parametrize("how", ["option", "environment"])
    def test_the_state_can_lie_elsewhere(
        self, away: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        monkeypatch.chdir(away.path)
        arguments = ["--state", "kept/here.db"] if how == "option" else []
        if how == "environment":
            monkeypatch.setenv("BATCHCTL_STATE", "kept/here.db")
        cli.ok("apply", "--yes", *arguments)
        assert (away.path / "kept" / "here.db").is_file()
        assert not (away.path / ".batchctl").exists()
        assert cli.ok("status", *arguments, "-o", "json").json["jobs"][0]["remote"]


class TestVariables:
    @pytest.fixture
    def nightly(self, stack: StackFolder) -> StackFolder:
        stack.write_stack(variables={"night": {"default": "1"}, "size": {"type": "number", "default": 64}})
        stack.write_job(
            "translate", runId="${var.night}", request={"generationConfig": {"maxOutputTokens": "${var.size}"}}
        )
        return stack

    def test_set_before_and_after_the_command(self, nightly: StackFolder, cli: Cli) -> None:
        cli.ok("apply", "--yes")
        ran = cli.ok("--set", "night=2", "plan", "--set", "size=128", "-o", "json")
        assert ran.changes("translate") == ["spec.request.generationConfig.maxOutputTokens", "spec.runId"]
        assert cli("plan", "--detailed-exitcode", "--set", "night=1").code == 0

    @pytest.mark.parametrize("setting", ["size=many", "nigth=2"])
    def test_a_wrong_value_or_name(self, nightly: StackFolder, cli: Cli, setting: str) -> None:
        ran = cli("plan", "--set", setting)
        assert ran.code == 65
        assert setting.partition("=")[0] in ran.err


def test_an_option_without_its_value_leads_to_the_help_of_its_command(cli: Cli) -> None:
    ran = cli("apply", "-l")
    assert (ran.code, "`batchctl apply --help` shows its usage" in ran.err) == (64, True), ran
    assert "`batchctl --help` shows its usage" in cli("--chdir").err


@pytest.mark.parametrize("option", [("--out", "-"), ("--report", "json=-"), ("--events", "-")])
def test_a_dash_is_no_file(stack: StackFolder, cli: Cli, option: tuple[str, str]) -> None:
    stack.write_job("a")
    ran = cli("plan", *option)
    assert (ran.code, "error: Usage - is not the name of a file" in ran.err) == (64, True), ran
    assert not (stack.path / "-").exists()
