"""The files that users copy from docs/ci, and action.yml: other tools accept them, and they may do what they need only."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import pipeline_runs
from tests.support.image_file import IMAGE, instructions, stages
from tests.support.tools import check_with, tool
from tests.support.workflow_runs import ACTION, OURS, ROOT, Runner

CI = ROOT / "docs" / "ci"
OURS_HERE = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FOR_USERS = sorted((CI / "github").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
READ, IDENTITY = {"contents": "read"}, {"id-token": "write"}
PERMISSIONS = {
    ("batchctl-plan", "validate"): READ,
    ("batchctl-plan", "plan"): {**READ, **IDENTITY, "pull-requests": "write"},
    ("batchctl-apply", "apply"): {**READ, **IDENTITY, "pull-requests": "read"},
    ("batchctl-schedule", "drift"): {**READ, **IDENTITY, "issues": "write"},
    ("batchctl-schedule", "watch"): {**READ, **IDENTITY},
}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def uses(path: Path) -> list[str]:
    """The actions that a file uses, with the comment behind."""
    return re.findall(r"^\s*-?\s*uses:\s*(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def jobs(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from read(path)["jobs"].items()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A repository in which a user has copied the workflows and set OWNER and COMMIT."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in FOR_USERS:
        text = path.read_text().replace(OURS, f"acme/batchctl@{'a' * 40} # v0.1.0")
        (folder / path.name).write_text(text)
    shutil.copy(ROOT / "action.yml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", [*FOR_USERS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_each_action_is_pinned_by_its_whole_commit_and_says_its_version(path: Path) -> None:
    assert uses(path)
    assert [line for line in uses(path) if line != OURS and not PINNED.match(line)] == []


def test_an_action_has_one_version_in_all_files() -> None:
    used = {line for path in (*OURS_HERE, *FOR_USERS, ROOT / "action.yml") for line in uses(path)}
    assert len(used) == len({line.split("@")[0] for line in used})


def test_zizmor_finds_nothing_in_the_workflows(copied: Path) -> None:
    check_with("zizmor", "--offline", "--persona", "pedantic", copied)
    check_with("zizmor", "--offline", "--persona", "pedantic", *OURS_HERE)


def test_zizmor_would_find_something(copied: Path) -> None:
    path = copied / ".github" / "workflows" / "batchctl-plan.yml"
    path.write_text(path.read_text().replace("pull_request:", "pull_request_target:", 1))
    done = subprocess.run([tool("zizmor"), "--offline", copied], capture_output=True, text=True, check=False)
    assert (done.returncode != 0, "dangerous-triggers" in done.stdout) == (True, True)


def test_actionlint_finds_nothing_in_the_workflows(copied: Path) -> None:
    """It is not on PyPI with its program, so it runs where somebody has installed it."""
    check_with("actionlint", *OURS_HERE, *(copied / ".github" / "workflows").iterdir(), is_held=False)


def test_the_files_fit_the_schemas_of_github(copied: Path) -> None:
    check_with("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *OURS_HERE, *FOR_USERS)
    check_with("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")


def test_jobs_may_do_what_they_need_only() -> None:
    found = {(path.stem, name): job["permissions"] for path in FOR_USERS for name, job in jobs(path)}
    assert found == PERMISSIONS
    for path in FOR_USERS:
        workflow = read(path)
        assert workflow["permissions"] == {}
        assert workflow["concurrency"]["cancel-in-progress"] is (path.stem == "batchctl-plan"), "only a plan may be cut"
        for name, job in jobs(path):
            assert job["timeout-minutes"] <= 60, name
            (checkout,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
            assert checkout["with"] == {"persist-credentials": False}


def test_a_job_without_an_identity_gets_no_secret() -> None:
    for path in FOR_USERS:
        for name, job in jobs(path):
            has_secrets = "secrets." in str(job) or "google-github-actions/auth" in str(job)
            assert has_secrets == ("id-token" in job["permissions"]), name


def test_no_script_contains_an_expression() -> None:
    """What others can write, such as the name of a branch, would become a part of the script."""
    assert [step["run"] for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")] == []


def test_shellcheck_finds_nothing_in_the_scripts_of_the_action(tmp_path: Path) -> None:
    for number, step in enumerate(step for step in ACTION["runs"]["steps"] if "run" in step):
        script = tmp_path / f"{number}.sh"
        script.write_text(f"#!/usr/bin/env bash\n{step['run']}")
        check_with("shellcheck", script)


def test_the_action_installs_batchctl_as_it_is_here_and_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a new machine: pip installs batchctl with its dependencies."""
    monkeypatch.setenv("PIP_NO_COMPILE", "0")
    runner = Runner(tmp_path, ROOT, {"github": {"token": ""}})
    given = {"command": "validate", "working-directory": "specs/examples"}
    first = runner.act(given, {})
    assert first.code == 0, first.log
    assert "ok: " in first.log
    assert (tmp_path / "batchctl" / "bin" / "batchctl").exists()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    second = runner.act({**given, "args": "-f 'no such file'"}, {})
    assert (second.code, "no such file" in second.log) == (65, True), "the second action of a job installs nothing"


def test_gitlabs_schema_accepts_the_pipeline() -> None:
    check_with("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", CI / "gitlab" / "batchctl.gitlab-ci.yml")


def test_gitlab_cuts_no_run_that_writes_and_runs_one_at_a_time() -> None:
    jobs = {name: pipeline_runs.job(name) for name in pipeline_runs.names()}
    assert {name for name, job in jobs.items() if job["interruptible"]} == {"batchctl-validate", "batchctl-plan"}
    groups = {name: job.get("resource_group") for name, job in jobs.items()}
    assert groups["batchctl-apply"] == groups["batchctl-watch"] == "batchctl"
    assert "id_tokens" not in jobs["batchctl-validate"]


@pytest.mark.parametrize("name", pipeline_runs.names())
def test_shellcheck_finds_nothing_in_the_scripts_of_gitlab(name: str, tmp_path: Path) -> None:
    job = pipeline_runs.job(name)
    script = tmp_path / "script"
    script.write_text("\n".join(["#!/bin/sh", *job.get("before_script", []), *job["script"], ""]))
    check_with("shellcheck", script)


def test_hadolint_finds_nothing_in_the_instructions() -> None:
    check_with("hadolint", IMAGE)


def test_the_image_has_a_pinned_base_and_no_root() -> None:
    bases = {words[1] for words in instructions() if words[0] == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases.pop())
    assert [words[1] for words in instructions() if words[0] == "USER"] == ["10001"]


def test_the_image_is_built_of_files_that_are_enough(wheel: Path) -> None:
    """Without a Docker daemon: what the first stage copies is built, and what the second one copies starts."""
    assert wheel.name.startswith("batchctl-")
    _, build, run = stages()
    assert any("pip install" in " ".join(words) and ".${EXTRAS:+[$EXTRAS]}" in words for words in build)
    ((*_, program, target),) = [words for words in run if words[0] == "COPY" and "--from=build" not in words]
    assert target.endswith("/batchctl-ci")
    done = subprocess.run([ROOT / program, "--help"], env={"PATH": "/bin:/usr/bin"}, capture_output=True, text=True)  # noqa: PLW1510
    assert (done.returncode, "batchctl-ci: " in done.stderr) == (1, True), "batchctl itself is not on this PATH"


def test_kubernetes_schemas_accept_the_manifests() -> None:
    check_with("kubernetes-validate", "--strict", CI / "kubernetes" / "batchctl.yaml")


def test_pods_are_locked_down_and_the_service_runs_once() -> None:
    documents = list(yaml.safe_load_all((CI / "kubernetes" / "batchctl.yaml").read_text()))
    (deployment,) = [one["spec"] for one in documents if one["kind"] == "Deployment"]
    pod = deployment["template"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"}), (
        "two watchers wait for each other"
    )
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        locked = container["securityContext"]
        assert locked == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert ":" in container["image"]
        assert not container["image"].endswith(":latest")


def test_probes_ask_the_port_that_the_watch_serves() -> None:
    documents = list(yaml.safe_load_all((CI / "kubernetes" / "batchctl.yaml").read_text()))
    (deployment,) = [one["spec"] for one in documents if one["kind"] == "Deployment"]
    pod = deployment["template"]["spec"]
    (watch,) = [one for one in pod["containers"] if one["name"] == "watch"]
    (port,) = watch["ports"]
    assert watch["args"][watch["args"].index("--serve") + 1] == f"0.0.0.0:{port['containerPort']}"
    probes = [watch[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]
    assert probes == [{"path": path, "port": port["name"]} for path in ("/healthz", "/readyz")]
    folder = str(Path(watch["args"][watch["args"].index("--token-file") + 1]).parent)
    (mount,) = [one["name"] for one in watch["volumeMounts"] if one["mountPath"] == folder]
    assert [one["secret"] for one in pod["volumes"] if one["name"] == mount] == [{"secretName": "batchctl-page"}]


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in (CI / "systemd").iterdir():
        text = path.read_text().replace("/opt/batchctl/bin/batchctl", sys.executable)
        (tmp_path / path.name).write_text(text)
    check_with("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir()), is_held=False)
