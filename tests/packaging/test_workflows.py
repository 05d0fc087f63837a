"""Workflows, nox sessions and hooks run what README and tests/check.py say, with actions that cannot be moved."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from tests import check

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
README = (ROOT / "README.md").read_text(encoding="utf-8")
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _jobs(path: Path) -> Mapping[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def _steps(path: Path) -> Iterator[Mapping[str, Any]]:
    for job in _jobs(path).values():
        yield from job["steps"]


def _commands(path: Path) -> list[str]:
    return [step["run"].strip() for step in _steps(path) if "run" in step]


@each_workflow
def test_each_action_is_pinned_by_its_whole_commit_and_says_its_version(path: Path) -> None:
    used = re.findall(r"^\s*-?\s*uses:\s*(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(used) == sum("uses" in step for step in _steps(path)) > 0
    assert [line for line in used if not PINNED.match(line)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in _steps(path) if "uses" in step}
    assert len(used) == len({line.split("@")[0] for line in used})


@each_workflow
def test_a_workflow_may_read_the_code_and_nothing_else(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}
    for name, job in _jobs(path).items():
        assert job["permissions"] == {"contents": "read"}, name
        assert job["timeout-minutes"] <= 120, name
    checkouts = [step for step in _steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@each_workflow
def test_no_command_contains_what_somebody_else_can_write(path: Path) -> None:
    assert [command for command in _commands(path) if "${{" in command] == []


@each_workflow
def test_each_command_runs_a_file_that_is_here(path: Path) -> None:
    for command in _commands(path):
        scripts = re.findall(r"[\w./-]+\.py\b", command)
        assert scripts or "pip install" in command or "apt-get install" in command, command
        assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_ci_runs_the_test_command_of_readme_on_each_version_of_python() -> None:
    (job,) = _jobs(ROOT / ".github" / "workflows" / "ci.yml").values()
    (command,) = (line for line in README.splitlines() if "tests/check.py" in line and "pip install" in line)
    *installs, test = (step["run"] for step in job["steps"] if "run" in step)
    assert test == command
    assert all(one.startswith("sudo apt-get update -q && sudo apt-get install ") for one in installs)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    classified = {line.rsplit(" ", 1)[1] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)}
    tried = job["strategy"]["matrix"]["python"]
    assert classified <= set(tried)
    assert tried[0] == project["requires-python"].removeprefix(">=")
    assert tuple(tried) == _load_noxfile({}).PYTHONS


def test_the_scheduled_workflow_compares_the_reference_and_tries_the_newest_releases() -> None:
    path = ROOT / ".github" / "workflows" / "newest.yml"
    # `on` is a boolean to YAML 1.1.
    triggers = yaml.safe_load(path.read_text(encoding="utf-8"))[True]
    assert [list(entry) for entry in triggers["schedule"]] == [["cron"]]
    run = " ".join(_commands(path))
    assert "tests/sdk/reference.py" in run
    assert "tests/newest.py" in run


class _Session:
    """What a session does, in place of nox's own."""

    def __init__(self) -> None:
        self.posargs: list[str] = []
        self.installed: list[tuple[str, ...]] = []
        self.ran: list[tuple[str, ...]] = []
        self.env: dict[str, str] = {}

    def install(self, *words: str) -> None:
        self.installed.append(words)

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        self.ran.append(words)
        self.env.update(env or {})


def _load_noxfile(sessions: dict[str, Callable[[Any], None]]) -> ModuleType:
    """The noxfile, with a nox that notes its sessions: nox itself is no dependency."""

    def session(function: Callable[[Any], None] | None = None, *, name: str = "", **_: object) -> Any:
        if function is None:
            return lambda decorated: session(decorated, name=name)
        sessions[name or function.__name__] = function
        return function

    nox = ModuleType("nox")
    vars(nox).update(session=session, options=SimpleNamespace(), Session=_Session)
    spec = importlib.util.spec_from_file_location("noxfile_under_test", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get("nox"), list(sys.path)
    sys.modules["nox"] = nox
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before[1]
        if before[0] is None:
            del sys.modules["nox"]
        else:
            sys.modules["nox"] = before[0]
    return module


def _ran(name: str) -> _Session:
    sessions: dict[str, Callable[[Any], None]] = {}
    _load_noxfile(sessions)
    session = _Session()
    sessions[name](session)
    return session


def test_there_is_a_session_for_each_lane_and_each_runs_files_that_are_here() -> None:
    sessions: dict[str, Callable[[Any], None]] = {}
    _load_noxfile(sessions)
    assert sessions.keys() >= {"check", "docs", "long", "mutation", *check.LANES}
    for name in sessions:
        ran = _ran(name).ran
        assert ran, name
        assert [words for words in ran if words[0] != "python" or not (ROOT / words[1]).is_file()] == []
    for lane in check.LANES:
        assert _ran(lane).ran == [("python", "tests/check.py", "--lane", lane)]
        assert [words[-2:] for words in _ran(lane).installed] == [("-c", "constraints.txt")]


def test_the_session_for_docs_runs_every_generator_and_the_long_one_tries_more() -> None:
    generators = {f"docs/{path.name}" for path in ROOT.glob("docs/generate_*.py")}
    assert {words[1] for words in _ran("docs").ran} == generators
    assert _ran("long").env == {"BATCHCTL_LONG": "1"}


def test_the_lanes_hold_every_test_and_further_arguments_go_to_pytest() -> None:
    lanes = check.lanes(["-k", "one"])
    assert tuple(lanes) == check.LANES
    steps = {name: [step for steps in lists for step in steps] for name, lists in lanes.items()}
    assert {step.is_pytest for step in steps.pop("static")} == {False}
    assert all(step.is_pytest and step.command[-2:] == ["-k", "one"] for each in steps.values() for step in each)
    of_pytest = {name: [word for step in each for word in step.command] for name, each in steps.items()}
    elsewhere = (check.COMMANDS, *check.HARNESSES, check.PAGE)
    assert [path for path in elsewhere if not (ROOT / path).exists()] == []
    commands = [word for word in of_pytest.pop("commands") if word.startswith("tests/")]
    assert sorted(commands) == sorted(str(path.relative_to(ROOT)) for path in (ROOT / check.COMMANDS).glob("test_*.py"))
    assert len(steps["commands"]) == check.COMMAND_PARTS
    for path in (*check.HARNESSES, check.PAGE):
        assert [path in command for name, command in of_pytest.items() if name not in {"tests", "decisions"}].count(
            True
        ) == 1
    decisions = {"tests/reconcile", "tests/manifests"}
    left_out = {word.removeprefix("--ignore=") for word in of_pytest["tests"] if word.startswith("--ignore=")}
    assert left_out == {*elsewhere, *decisions}
    assert decisions <= set(of_pytest["decisions"])
    assert "--cov-fail-under=100" in of_pytest["decisions"]


def test_an_unknown_lane_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/check.py", "--lane", "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "static" in done.stderr


def test_hooks_run_the_static_lane_with_the_tools_that_are_held() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in repository["hooks"]}
    assert tools == {f".venv/bin/{Path(step.command[0]).name}" for steps in check.lanes([])["static"] for step in steps}
