"""docs/ci/batchctl_ci.py by itself: what it passes to batchctl, and what it says when something is missing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, Cli, Ran, StackFolder
from tests.support.git_hosting import git

PROGRAM = ROOT / "docs" / "ci" / "batchctl_ci.py"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/jobs",
    "GITHUB_TOKEN": "t",
    "GITHUB_EVENT_PATH": "e.json",
}
SAYS = '#!/bin/sh\nprintf "%s\\n" "$@"\nenv | grep -E "TOKEN|KEY"\nexit 9\n'


@pytest.fixture
def run(tmp_path: Path) -> object:
    """Runs the program; `batchctl` is a script that prints its arguments, and which tokens it has."""
    script = tmp_path / "bin" / "batchctl"
    script.parent.mkdir()
    script.write_text(SAYS)
    script.chmod(0o755)

    def ran(*words: str, **env: str) -> Ran:
        given = {"PATH": f"{script.parent}:/usr/bin:/bin", **env}
        done = subprocess.run(
            [sys.executable, PROGRAM, *words], env=given, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return ran


def test_other_commands_are_batchctls_own(run: object) -> None:
    ran = run("watch", "--once", BATCHCTL_CI_ARGS="-l 'team in (a, b)' --set x=1")  # type: ignore[operator]
    assert (ran.code, ran.out.splitlines()) == (9, ["watch", "--once", "-l", "team in (a, b)", "--set", "x=1"])


def test_batchctl_gets_no_token_of_the_code_host(run: object) -> None:
    tokens = {"GITHUB_TOKEN": "t", "BATCHCTL_GITLAB_TOKEN": "t", "GEMINI_API_KEY": "k"}
    for command in ("validate", "plan", "drift"):
        ran = run(command, **{**GITHUB, **tokens, "GITHUB_API_URL": "http://127.0.0.1:9"})  # type: ignore[operator]
        assert ran.code == 9
        assert "GEMINI_API_KEY=k" in ran.out
        assert "TOKEN=" not in ran.out


@pytest.mark.parametrize(
    ("words", "env", "message"),
    [
        (["plan"], {}, "neither GITHUB_ACTIONS nor GITLAB_CI is set (hint: outside of CI, use batchctl itself)"),
        (["plan"], {**GITHUB, "GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set (hint: see docs/ci.md)"),
        (["validate"], {"BATCHCTL_CI_ARGS": "'open"}, "No closing quotation"),
        (["validate"], {"PATH": "/usr/bin:/bin"}, "No such file or directory: 'batchctl'"),
    ],
)
def test_what_is_missing_is_named(run: object, words: list[str], env: dict[str, str], message: str) -> None:
    given = {"GITHUB_API_URL": "http://127.0.0.1:9", **env} if env else env
    ran = run(*words, **given)  # type: ignore[operator]
    assert ran.code == 1
    assert ran.err.startswith("batchctl-ci: ")
    assert message in ran.err


@pytest.mark.parametrize("uid", ["a1b2c3", "Written-by-hand"])
def test_its_marker_is_that_of_the_plan(
    stack: StackFolder, cli: Cli, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PROGRAM.parent)
    program = importlib.import_module(PROGRAM.stem)
    stack.write_stack(uid=uid)
    stack.write_job("classify")
    cli.ok("plan", "--report", "json=plan.json", "--report", "markdown=plan.md")
    document = json.loads((stack.path / "plan.json").read_text())
    first = (stack.path / "plan.md").read_text().splitlines()[0]
    assert program.marker(document) == first


def test_it_can_be_run_as_it_is_in_the_repository() -> None:
    mode = git(ROOT, "ls-files", "-s", "docs/ci/batchctl_ci.py") if (ROOT / ".git").exists() else "100755"
    assert mode.startswith("100755")
    assert PROGRAM.stat().st_mode & 0o111
