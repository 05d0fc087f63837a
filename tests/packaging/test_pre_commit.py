"""`.pre-commit-hooks.yaml` in a repository of a user: the real pre-commit installs batchctl from a clone, and runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, StackFolder
from tests.support.git_hosting import git
from tests.support.tools import check_with, tool

INSTALLED = ("batchctl", "schemas", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
CONFIG = ROOT / "docs" / "ci" / "pre-commit-config.yaml"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))


@pytest.fixture
def batchctl_repository(tmp_path: Path) -> Path:
    """A repository with batchctl as it is here."""
    folder = tmp_path / "batchctl"
    folder.mkdir()
    for name in INSTALLED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def commit(folder: Path, message: str) -> tuple[int, str]:
    """Commit all; gives how it ended."""
    git(folder, "add", "-A")
    words = ("git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-m", message)
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, re.sub(r"\.{4,}", " ", done.stdout + done.stderr)


def test_pre_commit_accepts_the_files() -> None:
    check_with("pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    check_with("pre-commit", "validate-config", CONFIG, ROOT / ".pre-commit-config.yaml")


def test_a_commit_with_a_wrong_manifest_is_refused(
    tmp_path: Path, batchctl_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tool("pre-commit")
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_COMPILE", "0")
    revision = git(batchctl_repository, "rev-parse", "HEAD")
    text = CONFIG.read_text().replace("https://github.com/OWNER/batchctl", str(batchctl_repository))
    stack = StackFolder(tmp_path / "user")
    (stack.path / ".pre-commit-config.yaml").write_text(text.replace("rev: COMMIT", f"rev: {revision}"))
    git(stack.path, "init", "-q")
    subprocess.run([program, "install"], cwd=stack.path, check=True, capture_output=True)
    stack.write_stack(providers={"gemini": {"type": "gemini"}})
    stack.write_job("classify")
    code, output = commit(stack.path, "a job")
    assert (code, "batchctl validate Passed" in output) == (0, True), output
    stack.write_job("classify", unknwn=1)
    code, output = commit(stack.path, "a mistake")
    assert code == 1
    assert re.search(r"^jobs/classify\.yaml:\d+:\d+: UnknownField ", output, re.MULTILINE), output
    assert git(stack.path, "log", "--format=%s") == "a job"
    git(stack.path, "reset", "-q", "--hard")
    (stack.path / "notes.txt").write_text("words")
    code, output = commit(stack.path, "words")
    assert (code, "batchctl validate (no files to check)Skipped" in output) == (0, True), output
