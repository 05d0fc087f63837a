"""Runs jobs of workflows and the steps of action.yml, as a runner of GitHub does: expressions, environment, files.

Understands the expressions that these files have, and no others. Actions of others are not run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
OURS = "OWNER/batchctl@COMMIT"
_EXPRESSION = re.compile(r"\$\{\{ ?([^}]*?) ?\}\}")


@dataclass
class StepRan:
    """How a step ended."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """A machine with a checkout."""

    folder: Path
    checkout: Path
    context: dict[str, Any]
    """`github`, `vars`, `secrets`: what expressions read."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables that the runner sets."""

    def job_runs(self, job: Mapping[str, Any]) -> bool:
        """Whether the condition of a job is true."""
        condition = job.get("if")
        return condition is None or self._is_true(condition)

    def steps(self, job: Mapping[str, Any]) -> list[StepRan]:
        """Run the steps of a job that use our action."""
        ran = []
        for step in job["steps"]:
            if step.get("uses") != OURS:
                assert "run" not in step, "add it to this runner"
                continue
            given = {name: self._text(value) for name, value in step.get("with", {}).items()}
            env = {name: self._text(value) for name, value in step.get("env", {}).items()}
            ran.append(self.act(given, env))
            if ran[-1].code:
                break
        return ran

    def act(self, given: Mapping[str, str], env: Mapping[str, str]) -> StepRan:
        """Run the composite action; `steps.run` is the one whose outputs it gives."""
        known = ACTION["inputs"]
        assert given.keys() <= known.keys()
        assert [name for name, one in known.items() if one.get("required") and name not in given] == []
        inputs = {name: given.get(name, self._text(one.get("default", ""))) for name, one in known.items()}
        context = {**self.context, "inputs": inputs, "runner": {"temp": str(self.folder)}, "steps": {}}
        inner = Runner(self.folder, self.checkout, context, self.env)
        log = ""
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if "run" not in step:
                context["steps"][step["id"]] = {"outputs": {"python-path": sys.executable}}
                continue
            ran = inner.shell(step, env, number)
            log += ran.log
            context["steps"][step["id"]] = {"outputs": ran.outputs}
            if ran.code:
                return StepRan(ran.code, log, ran.outputs, ran.summary)
        outputs = {name: inner._text(one["value"]) for name, one in ACTION["outputs"].items()}
        return StepRan(0, log, outputs, ran.summary)

    def shell(self, step: Mapping[str, Any], env: Mapping[str, str], number: int) -> StepRan:
        """Run a `run` step by bash, with the options that GitHub gives it."""
        assert step["shell"] == "bash"
        script, outputs, summary = (self.folder / f"{name}-{number}" for name in ("script", "outputs", "summary"))
        script.write_text(step["run"])
        outputs.write_text("")
        summary.write_text("")
        given = {name: self._text(value) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
        place = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_ACTION_PATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.checkout / self._text(step.get("working-directory", ".")),
            env={**os.environ, **place, "GITHUB_WORKSPACE": str(self.checkout), **self.env, **env, **given, **files},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=240,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        found = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return StepRan(done.returncode, done.stdout, found, summary.read_text())

    def _text(self, value: object) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), str(value))

    def _value(self, path: str) -> str:
        """The value of `a.b.c`. Variables, secrets and inputs that nobody set are empty."""
        value: Any = self.context
        for name in path.split("."):
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        assert isinstance(value, str | int), path
        return str(value)

    def _is_true(self, condition: str) -> bool:
        left, operator, right = condition.split(" ", 2)
        read = [word[1:-1] if word.startswith("'") else self._value(word) for word in (left, right)]
        return (read[0] == read[1]) == {"==": True, "!=": False}[operator]


def event_file(folder: Path, event: Mapping[str, Any]) -> str:
    """The file of GITHUB_EVENT_PATH."""
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    return str(path)
