"""Runs jobs of docs/ci/gitlab as a runner of GitLab does: `extends`, rules, variables and scripts."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.command_line import ROOT, Ran

PIPELINE = yaml.safe_load((ROOT / "docs/ci/gitlab/batchctl.gitlab-ci.yml").read_text(encoding="utf-8"))


def job(name: str) -> dict[str, Any]:
    """A job with what it extends."""
    own = PIPELINE[name]
    return {**(job(own["extends"]) if "extends" in own else {}), **own}


def names() -> list[str]:
    """All jobs."""
    return [name for name in PIPELINE if not name.startswith(".")]


def jobs_of(variables: Mapping[str, str]) -> list[str]:
    """The jobs whose rules fit the variables of a pipeline."""
    return [name for name in names() if any(_holds(rule["if"], variables) for rule in job(name)["rules"])]


def _holds(condition: str, variables: Mapping[str, str]) -> bool:
    return all(_term(term, variables) for term in condition.split(" && "))


def _term(term: str, variables: Mapping[str, str]) -> bool:
    read = [word[1:-1] if word.startswith('"') else variables.get(word[1:], "") for word in term.split(" == ")]
    return read[0] == read[1] if len(read) == 2 else bool(read[0])


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Text with the values of its variables."""
    return re.sub(r"\$(\w+)", lambda found: variables.get(found[1], ""), text)


def run(name: str, folder: Path, variables: Mapping[str, str]) -> Ran:
    """Run the scripts of a job in one shell; stops at the first command that fails."""
    definition = job(name)
    own = {key: expand(value, variables) for key, value in definition.get("variables", {}).items()}
    script = "\n".join(["set -eo pipefail", *definition.get("before_script", []), *definition["script"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "GITLAB_CI": "true", "CI": "true", "CI_PROJECT_DIR": str(folder), **variables, **own},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)
