"""The commands of docs/ci/kubernetes and docs/ci/systemd, with their settings, follow jobs to their end."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import ROOT, Cli, Service, StackFolder

MANIFESTS = list(yaml.safe_load_all((ROOT / "docs/ci/kubernetes/batchctl.yaml").read_text(encoding="utf-8")))
UNIT = ROOT / "docs" / "ci" / "systemd" / "batchctl-watch.service"


def kubernetes() -> tuple[list[str], dict[str, str]]:
    """The arguments of the container, and the variables of the ConfigMap."""
    (settings,) = [one["data"] for one in MANIFESTS if one["kind"] == "ConfigMap"]
    (deployment,) = [one for one in MANIFESTS if one["kind"] == "Deployment"]
    (watch,) = [one for one in deployment["spec"]["template"]["spec"]["containers"] if one["name"] == "watch"]
    return watch["args"], settings


def systemd() -> tuple[list[str], dict[str, str]]:
    """The words of ExecStart after the program, and the variables of Environment."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "batchctl"
    settings = dict(word.split("=", 1) for word in unit["Service"]["Environment"].split())
    return words, settings


@pytest.mark.parametrize("read", [kubernetes, systemd])
def test_the_service_follows_jobs_and_buys_nothing(
    read: object, tmp_path: Path, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, settings = read()  # type: ignore[operator]
    service.seed(buckets={"team": {}})
    stack, link = StackFolder(tmp_path / "rev1"), tmp_path / "current"
    link.symlink_to(stack.path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    stack.write_stack(state="gs://team/prod/state.db", results="gs://team/prod/results/")
    stack.write_job("classify")
    cli.ok("-C", str(link), "apply", "--yes")
    stack.write_job("later")
    place = arguments[arguments.index("-C") + 1]
    (tmp_path / "token").write_text("0123456789abcdef0123")
    there = {place: str(link), "/etc/batchctl/token": str(tmp_path / "token"), "0.0.0.0:8420": "127.0.0.1:0"}
    words = [there.get(word, word) for word in arguments]
    assert cli(*words, "--timeout", "10m").code == 6, "a change waits for consent"
    assert [name for name in service.objects("team") if re.fullmatch("prod/results/classify/.*/results.jsonl", name)]
    assert {one.name for one in stack.path.iterdir()} == {"jobs", "batchctl.yaml"}, "a read-only checkout"
    assert service.creates == 1
