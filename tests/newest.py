"""The test command without constraints: does the newest release of everything still work, and if not, which breaks?

    python tests/newest.py [arguments for pytest]

Makes a virtual environment of its own below a temporary folder, installs the newest releases that `pyproject.toml`
allows, and names those that differ from `constraints.txt`. Then it runs the test command there. When tests fail, each
of these releases is taken back alone, and the failed tests run again: the one that makes them pass is the one to mend.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"


@dataclass(frozen=True)
class Release:
    """One package whose newest release is not the one that the gate runs with."""

    name: str
    held: str
    """The version in `constraints.txt`."""
    newest: str


def parse(text: str) -> dict[str, str]:
    """The versions in the lines `name==version` of a constraints file, by the normalised name."""
    pairs = (line.split("==", 1) for line in text.splitlines() if "==" in line)
    return {name.strip().lower().replace("_", "-"): version.strip() for name, version in pairs}


def compare(held: dict[str, str], installed: dict[str, str]) -> tuple[list[Release], list[str]]:
    """The releases that are newer than those held, and the packages that are not held at all."""
    moved = [
        Release(name, held[name], version)
        for name, version in sorted(installed.items())
        if name in held and held[name] != version
    ]
    return moved, sorted(installed.keys() - held.keys())


class Environment:
    """A virtual environment with the newest releases."""

    def __init__(self, folder: Path) -> None:
        self._python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        self._install("-e", ".[dev]")

    def installed(self) -> dict[str, str]:
        """What is installed, batchctl itself left out."""
        command = [self._python, "-m", "pip", "freeze", "--exclude-editable"]
        return parse(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def passes(self, *command: str) -> bool:
        """Whether a command of this environment's Python ends well."""
        return subprocess.run([self._python, *command], cwd=ROOT, check=False).returncode == 0

    def put(self, name: str, version: str) -> None:
        """Install one version of one package, and nothing else."""
        self._install("--no-deps", f"{name}=={version}")

    def _install(self, *what: str) -> None:
        subprocess.run([self._python, "-m", "pip", "install", "-q", *what], cwd=ROOT, check=True)


def find_culprits(environment: Environment, moved: list[Release]) -> list[Release]:
    """The releases which, taken back alone, make the tests pass that failed last."""
    culprits = []
    for release in moved:
        environment.put(release.name, release.held)
        if environment.passes(
            "-m", "pytest", "-q", "-p", "no:randomly", "--last-failed", "--last-failed-no-failures=none"
        ):
            culprits.append(release)
        environment.put(release.name, release.newest)
    return culprits


def main() -> int:
    """Run the lane; gives 1 if the newest releases do not pass."""
    with tempfile.TemporaryDirectory(prefix="batchctl-newest-") as folder:
        environment = Environment(Path(folder))
        moved, unheld = compare(parse(CONSTRAINTS.read_text()), environment.installed())
        print("newer than constraints.txt:", *(f"  {r.name} {r.held} -> {r.newest}" for r in moved), sep="\n")
        print("not in constraints.txt:", ", ".join(unheld) or "nothing")
        if environment.passes("tests/check.py", *sys.argv[1:]):
            print("the newest releases pass")
            return 0
        culprits = find_culprits(environment, moved)
        print(
            "taken back alone, these make the failed tests pass:",
            *(f"  {r.name} {r.newest}" for r in culprits),
            sep="\n",
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
