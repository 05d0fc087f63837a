"""Runs the batch and file tests that the SDK's own package ships, against the emulator, and holds them to a table.

The table, `upstream_outcomes.toml`, is for one version of the SDK. Renew it with `python tests/support/sdk_own_tests.py`: what
passes is written down as passed, what is known keeps its reason, and what is new gets the reason `?`, which the test
refuses until a person has replaced it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import certifi

HERE = Path(__file__).parents[1] / "sdk"
TABLE = HERE / "upstream_outcomes.toml"
UNKNOWN = "?"
"""The reason of a test that nobody has explained yet."""
_SUITES = ("batches", "files", "shared/batches", "shared/files")
_COMMON = ("__init__.py", "conftest.py", "pytest_helper.py", "shared/__init__.py")
_DATA = ("google.png", "google.jpg", "story.pdf", "animal.mp4", "pixel.m4a")
"""Files that the tests upload and the package leaves out; the emulator looks at no content."""
_PLUGINS = ("xdist", "randomly", "cov", "cacheprovider", "hypothesispytest")
_HIDDEN = ("GOOGLE_", "GEMINI_", "PYTEST_", "BATCHCTL_")
_TIMEOUT = 300


@dataclass(frozen=True)
class Ended:
    """How one test ended: `passed`, `failed` or `skipped`, and its last word."""

    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Listed:
    """Why a test does not pass."""

    outcome: str
    reason: str
    before_python: str = ""
    """The version of Python from which on it passes; empty when that makes no difference."""

    def holds(self) -> bool:
        """Whether the reason counts for this Python."""
        return not self.before_python or sys.version_info < tuple(map(int, self.before_python.split(".")))


@dataclass(frozen=True)
class Table:
    """What is expected of each test of one version of the SDK."""

    version: str
    passed: frozenset[str]
    listed: dict[str, Listed]
    """Every test that does not pass."""

    def expected(self, test: str) -> str | None:
        """The outcome that the table has for a test; None when it does not know it."""
        if test in self.listed:
            return self.listed[test].outcome if self.listed[test].holds() else "passed"
        return "passed" if test in self.passed else None


def installed_version() -> str:
    """The SDK's version here."""
    return importlib.metadata.version("google-genai")


def read_table() -> Table:
    """The table as it is checked in."""
    document = tomllib.loads(TABLE.read_text())
    listed = {
        test: Listed(group["outcome"], group["reason"], group.get("before_python", ""))
        for group in document.get("listed", [])
        for test in group["tests"]
    }
    return Table(document["version"], frozenset(document["passed"]), listed)


def problems(table: Table, ended: dict[str, Ended], version: str) -> list[str]:
    """Where the run and the table differ.

    Of another version of the SDK than the table's, only the tests that the table knows are held against it: new ones
    may need what the emulator has not got, and some will have gone.
    """
    found = [f"{test}: no reason is given" for test, why in sorted(table.listed.items()) if why.reason == UNKNOWN]
    found += [f"{test}: stands as passed and as listed" for test in sorted(table.passed & table.listed.keys())]
    same = version == table.version
    for test, end in sorted(ended.items()):
        expected = table.expected(test)
        if expected != end.outcome and (expected is not None or same):
            found.append(f"{test}: {expected or 'not in the table'}, but {end.outcome}: {end.detail}")
    if same:
        gone = sorted((table.passed | table.listed.keys()) - ended.keys())
        found += [f"{test}: in the table, but there is no such test" for test in gone]
    return found


def run_upstream(folder: Path) -> dict[str, Ended]:
    """Run the SDK's own tests in an empty folder; gives how each ended. Raises RuntimeError when they did not run."""
    _lay_out(folder)
    roots = folder / "roots.pem"
    roots.write_text(one_root())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    environment |= {
        "GOOGLE_API_KEY": "key",
        "GOOGLE_GENAI_REPLAYS_DIRECTORY": str(folder / "replays"),
        "HOME": str(folder),
        "NO_GCE_CHECK": "true",
        "NO_PROXY": "*",
        "SSL_CERT_FILE": str(roots),
        "PYTHONPATH": os.pathsep.join([str(folder), str(HERE), os.environ.get("PYTHONPATH", "")]),
        "UPSTREAM_FOLDER": str(folder),
    }
    suites = [f"google/genai/tests/{suite}" for suite in _SUITES]
    without = [word for plugin in _PLUGINS for word in ("-p", f"no:{plugin}")]
    options = ["-q", "--tb=no", "--mode=api", "--import-mode=importlib", "-c", "pytest.ini", "-p", "upstream_plugin"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *options, *without, *suites],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"the SDK's tests did not run:\n{done.stdout}\n{done.stderr}")
    seen = json.loads((folder / "outcomes.json").read_text())
    return {name: Ended(**end) for name, end in seen.items()}


def one_root() -> str:
    """One certificate for `SSL_CERT_FILE`: every client of the SDK reads the whole bundle three times, for nothing."""
    end = "-----END CERTIFICATE-----\n"
    bundle = Path(certifi.where()).read_text()
    return bundle[bundle.index("-----BEGIN") :].partition(end)[0] + end


def _lay_out(folder: Path) -> None:
    """The installed package once more, by links; its tests by copy, with the data files that the package lacks."""
    installed = Path(str(importlib.metadata.distribution("google-genai").locate_file("google/genai")))
    package = folder / "google" / "genai"
    package.mkdir(parents=True)
    for entry in installed.iterdir():
        if entry.name != "tests":
            (package / entry.name).symlink_to(entry)
    for suite in _SUITES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(installed / "tests" / suite, package / "tests" / suite, ignore=ignore)
    for name in _COMMON:
        shutil.copy(installed / "tests" / name, package / "tests" / name)
    for data in (package / "tests" / "data", folder / "tests" / "data"):
        data.mkdir(parents=True)
        for name in _DATA:
            (data / name).write_bytes(b"stand-in")
    (folder / "pytest.ini").write_text("[pytest]\nconsider_namespace_packages = true\n")


def _written(version: str, ended: dict[str, Ended], old: Table) -> str:
    """The table's text: the head that is there, the tests that pass, and a group for each outcome and reason."""
    listed = {
        test: why for test, why in old.listed.items() if test in ended and old.expected(test) == ended[test].outcome
    }
    for test, end in ended.items():
        if end.outcome != "passed":
            listed.setdefault(test, Listed(end.outcome, UNKNOWN))
    head = [line for line in TABLE.read_text().splitlines() if line.startswith("#")]
    lines = [*head, f'version = "{version}"', "passed = [", *_quoted(ended.keys() - listed.keys()), "]"]
    for why in sorted(set(listed.values()), key=lambda why: (why.outcome, why.reason)):
        lines += ["", "[[listed]]", f'outcome = "{why.outcome}"', f"reason = {json.dumps(why.reason)}"]
        if why.before_python:
            lines.append(f'before_python = "{why.before_python}"')
        lines += ["tests = [", *_quoted({test for test, other in listed.items() if other == why}), "]"]
    return "\n".join(lines) + "\n"


def _quoted(tests: Iterable[str]) -> list[str]:
    return [f"  {json.dumps(test)}," for test in sorted(tests)]


def main() -> None:
    """Write the table anew, and tell what has to be explained."""
    old = read_table()
    with tempfile.TemporaryDirectory() as folder:
        ended = run_upstream(Path(folder).resolve())
    TABLE.write_text(_written(installed_version(), ended, old))
    new = read_table()
    for test, why in sorted(new.listed.items()):
        if why.reason == UNKNOWN:
            sys.stdout.write(f"{test}: {why.outcome}: {ended[test].detail}\n")
    sys.stdout.write(f"{len(new.passed)} passed, {len(new.listed)} listed\n")


if __name__ == "__main__":
    main()
