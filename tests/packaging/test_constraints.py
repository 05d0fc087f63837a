"""The versions that the gate runs with are written down, and they are those that `pyproject.toml` allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.newest import Release, compare, parse

ROOT = Path(__file__).resolve().parents[2]
HELD = parse((ROOT / "constraints.txt").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = [Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])]


def test_constraints_hold_names_and_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []


@pytest.mark.parametrize("needed", NEEDED, ids=lambda needed: needed.name)
def test_each_dependency_is_held_at_a_version_that_is_allowed(needed: Requirement) -> None:
    assert needed.specifier.contains(HELD[canonicalize_name(needed.name)])


@pytest.mark.parametrize("name", ["httpx", "google-auth"])
def test_what_sees_credentials_has_an_upper_bound(name: str) -> None:
    (needed,) = (needed for needed in NEEDED if needed.name == name)
    assert any(bound.operator == "<" for bound in needed.specifier)


def test_the_test_command_installs_what_is_held() -> None:
    command = next(line for line in (ROOT / "README.md").read_text().splitlines() if "tests/check.py" in line)
    assert "-c constraints.txt" in command
    assert "tests/check.py" in (ROOT / ".ci/run").read_text()


def test_newer_releases_and_new_packages_are_named() -> None:
    held = parse("PyYAML==6.0.3\nhttpx==0.28.1\n")
    installed = parse("pyyaml==6.0.4\nhttpx==0.28.1\nhttpx2==2.16.2\n")
    assert compare(held, installed) == ([Release("pyyaml", "6.0.3", "6.0.4")], ["httpx2"])
