"""Completion: what is offered, by which imports, and in bash, zsh and fish as people use them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from batchctl.cli.main import run
from tests.cli.test_start import HEAVY, PROGRAM, imported
from tests.support.command_line import Cli, StackFolder
from tests.support.git_hosting import programs
from tests.support.shells import Shell
from tests.support.tools import tool

Asked: TypeAlias = Callable[[str], list[str]]
NAMES = ["classify", "summarise", "translate-fr", "translate-it"]


@pytest.fixture
def shop(stack: StackFolder) -> StackFolder:
    stack.write_stack(variables={"night": {"default": "2026-11-22"}, "city": {}, "odd": {"default": "a;b"}})
    for name, labels in {
        "translate-fr": {"team": "search", "lang": "fr"},
        "translate-it": {"team": "search", "lang": "it"},
        "classify": {"team": "support"},
    }.items():
        stack.write_job(name, labels=labels)
    stack.write_job("summarise", unknwn=1)
    return stack


def answer(line: str) -> dict[str, str]:
    """The variables with which the script of bash asks what comes after a line."""
    return {"_BATCHCTL_COMPLETE": "bash_complete", "BATCHCTL_LINE": line}


@pytest.fixture
def offered(capsys: pytest.CaptureFixture[str]) -> Asked:
    """What batchctl answers, in this process."""

    def lines(line: str) -> list[str]:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in answer(line).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit):
                run([])
        out, err = capsys.readouterr()
        assert err == ""
        return out.splitlines()

    return lines


@pytest.fixture
def values(offered: Asked) -> Asked:
    """The plain values that batchctl answers, and that it answers nothing else."""

    def of(line: str) -> list[str]:
        lines = offered(line)
        assert [one for one in lines if one and not one.startswith("plain,")] == []
        return [one.removeprefix("plain,") for one in lines if one]

    return of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("batchctl describe ", NAMES),
        ("batchctl plan tr", ["translate-fr", "translate-it"]),
        ("batchctl plan translate-fr tr", ["translate-it"]),
        ("batchctl plan --rerun su", ["summarise"]),
        ("batchctl state mv cl", ["classify"]),
        ("batchctl status -l team=s", ["team=search", "team=support"]),
        ("batchctl status -l lang!=", ["lang!=fr", "lang!=it"]),
        ("batchctl status --selector team=search,lang=", ["team=search,lang=fr", "team=search,lang=it"]),
        ("batchctl watch --until cl", ["classify=Succeeded"]),
        ("batchctl watch --until classify=Ca", ["classify=Cancelling", "classify=Cancelled"]),
        ("batchctl wait classify --for=Su", ["--for=Succeeded"]),
        ("batchctl plan 'tr", ["translate-fr", "translate-it"]),
        ("batchctl wait classify --for r", ["results"]),
        ("batchctl schema plan", ["plan"]),
        ("batchctl import x --as y --provider ", ["gemini"]),
        ("batchctl --set ", ["city=", "night=2026-11-22", "odd="]),
        ("batchctl completion ", ["bash", "zsh", "fish"]),
        ("batchctl plan -o j", ["json"]),
    ],
)
def test_values_are_offered(shop: StackFolder, line: str, expected: list[str], values: Asked) -> None:
    assert values(line) == expected


def test_names_come_from_the_folder_and_the_files_of_the_line(
    shop: StackFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Asked
) -> None:
    monkeypatch.chdir(tmp_path)
    assert values("batchctl describe ") == []
    assert values("batchctl -C stack describe ") == NAMES
    assert values("batchctl describe -C stack cl") == ["classify"]
    assert values("batchctl --config stack/batchctl.yaml describe cl") == ["classify"]
    (shop.path / "more.yaml").write_text(shop.job_path("classify").read_text().replace("classify", "more"))
    assert values("batchctl -C stack plan -f more.yaml mo") == ["more"]


def test_targets_and_what_they_change(shop: StackFolder, values: Asked) -> None:
    shop.write_stack(targets={"dev": {"providers": {"try": {"type": "gemini", "endpoint": "emulator"}}}, "prod": {}})
    assert values("batchctl --target ") == ["dev", "prod"]
    assert values("batchctl import x --target dev --provider ") == ["gemini", "try"]
    assert values("batchctl --target prod describe cl") == ["classify"]


def test_names_of_removed_jobs_come_from_the_state(shop: StackFolder, cli: Cli, values: Asked) -> None:
    shop.job_path("summarise").unlink()
    cli.ok("apply", "--yes")
    state = shop.path / ".batchctl" / "state.db"
    before = state.read_bytes()
    shop.job_path("classify").unlink()
    assert values("batchctl results cl") == ["classify"]
    assert state.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("batchctl plan -f jo", "file,jo"),
        ("batchctl apply pla", "file,pla"),
        ("batchctl plan --out ", "file,"),
        ("batchctl -C st", "dir,st"),
        ("batchctl state push ", "file,"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(shop: StackFolder, line: str, kind: str, offered: Asked) -> None:
    assert offered(line) == [kind]


def test_a_name_that_is_no_name_is_not_offered(shop: StackFolder, values: Asked) -> None:
    shop.write_job("classify", labels={"team": "$(reboot)"})
    shop.job_path("odd").write_text(shop.job_path("classify").read_text().replace("name: classify", "name: $(reboot)"))
    assert values("batchctl describe ") == NAMES
    assert values("batchctl plan -l team=") == ["team=search"]


def test_completion_loads_no_client_and_prints_no_error(shop: StackFolder, values: Asked) -> None:
    modules, _ = imported(PROGRAM, env={**os.environ, **answer("batchctl describe ")})
    assert not modules & (HEAVY - {"rich", "yaml", "sqlite_utils"})
    (shop.path / "batchctl.yaml").write_text("kind: [")
    assert values("batchctl describe ") == []
    shop.write_stack(state=".batchctl/state.db")
    (shop.path / ".batchctl").mkdir()
    (shop.path / ".batchctl" / "state.db").write_text("no database")
    assert values("batchctl describe cl") == ["classify"]


@pytest.fixture
def typed(shop: StackFolder, tmp_path: Path, warm_batchctl: Path) -> dict[str, str]:
    """The environment of a person, with `batchctl` on PATH."""
    (shop.path / "plan-of-today.json").write_text("{}")
    found = programs(tmp_path / "installed", warm_batchctl)
    passed = {name: os.environ[name] for name in ("TERM", "TMPDIR", "BATCHCTL_EMULATOR")}
    return {**passed, "PATH": f"{found}:/usr/bin:/bin", "HOME": str(tmp_path), "PS1": "READY ", "LC_ALL": "C.UTF-8"}


LINES = [
    ("batchctl describe cla", "describe classify "),
    ("batchctl plan translate-fr tra", "translate-fr translate-it "),
    ("batchctl status -l team=sea", "-l team=search "),
    ("batchctl status -l team=search,lang=f", "-l team=search,lang=fr "),
    ("batchctl watch --until classify=Exp", "--until classify=Expired "),
    ("batchctl wait classify --for=Expi", "--for=Expired "),
    ("batchctl apply plan-of", "apply plan-of-today.json "),
    ("batchctl --set nig", "--set night=2026-11-22 "),
]


def test_bash_completes_as_people_type(shop: StackFolder, typed: dict[str, str]) -> None:
    with Shell([tool("bash", is_held=False), "--norc", "-i"], shop.path, typed) as shell:
        shell.type("source <(batchctl completion bash); echo ENDED\n")
        shell.until("\nENDED")
        for line, expected in LINES:
            shell.complete(line, expected)


def test_zsh_completes_as_people_type(shop: StackFolder, typed: dict[str, str]) -> None:
    with Shell([tool("zsh", is_held=False), "-f", "-i"], shop.path, typed) as shell:
        shell.type("autoload -U compinit; compinit -u; source <(batchctl completion zsh); echo ENDED\n")
        shell.until("\nENDED")
        for line, expected in LINES:
            shell.complete(line, expected.rstrip())


def test_fish_completes_as_people_type(shop: StackFolder, typed: dict[str, str]) -> None:
    program = tool("fish", is_held=False)
    for line, expected in LINES:
        script = f"batchctl completion fish | source; complete -C '{line}'"
        done = subprocess.run(
            [program, "--no-config", "-c", script], cwd=shop.path, env=typed, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [expected.split()[-1]], (line, done.stderr)


def test_a_shell_has_to_be_named(cli: Cli) -> None:
    refused = cli("completion")
    assert refused.err.splitlines()[0] == "error: Usage Missing argument 'SHELL'. Choose from: bash, zsh, fish"
    assert "Invalid value for 'SHELL': 'tcsh' is not one of" in cli("completion", "tcsh").err
