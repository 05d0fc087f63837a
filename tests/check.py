"""The test command: format, lint, types, layers, tests, coverage. Runs all, then fails if any failed.

    python tests/check.py [--lane static|harnesses|tests|commands|decisions|page]… [arguments for pytest]

The lanes run side by side, each in one process, the longest in two that have different files: tests that pytest deals
out to several processes are collected by each of them, which costs more than it brings on two processors. At any time
there is one process more than there are processors, as tests also wait; the next lane begins where one has ended.
`--lane` runs one of them, and may be repeated. Further arguments go to pytest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 3 * 2**30
"""Bytes that must be free there: a container may have next to none, and the lanes leave half of this."""
COMMANDS = "tests/cli"
"""Command lines, most of them in the tests' own process."""
COMMAND_PARTS = 2
"""Into which the files of command lines are dealt out: in one process they would be the longest lane by far."""
HARNESSES = (
    "tests/benchmarks",
    "tests/clients",
    "tests/engine/test_crash.py",
    "tests/mutation",
    "tests/providers/test_arbitrary.py",
    "tests/reconcile/test_properties.py",
    "tests/reliability",
    "tests/sdk",
    "tests/search",
    "tests/state/test_damage.py",
)
"""Whole runs of the product, and tests that run much code many times; `BATCHCTL_LONG=1` makes them try much more."""
PAGE = "tests/web"
"""Alone in one process: one browser serves all, and Playwright's event loop disturbs other tests of its process."""
LANES = ("static", "harnesses", "tests", "commands", "decisions", "page")
"""The names of the lanes in the order in which they begin: what is soon known, then the longest, so that the short ones
fill the end. `noxfile.py` has a session for each."""
FULLY_COVERED = ("reconcile", "manifests")
"""Packages that hold the decisions and the door to them: their own tests reach every statement and branch. No other
test is measured, which would nearly double its time."""


@dataclass(frozen=True)
class Step:
    """One command."""

    name: str
    command: list[str]
    is_pytest: bool = False


def lanes(arguments: list[str]) -> dict[str, list[list[Step]]]:
    """The steps of each lane: those of one list run in their order, the lists side by side."""
    rooms = [f"tests/{room}" for room in FULLY_COVERED]
    others = (COMMANDS, *HARNESSES, PAGE)
    measured = [f"--cov=batchctl.{room}" for room in FULLY_COVERED]
    complete = ["--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
    chosen = {
        "harnesses": [[*HARNESSES]],
        "tests": [["tests", *_without(*others, *rooms)]],
        "commands": _parts(COMMANDS, COMMAND_PARTS),
        "decisions": [[*rooms, *_without(*others), *measured, *complete]],
        "page": [[PAGE]],
    }
    static = [
        Step("format", [str(TOOLS / "ruff"), "format", "--check", "."]),
        Step("lint", [str(TOOLS / "ruff"), "check", "."]),
        Step("types", [str(TOOLS / "mypy")]),
        Step("layers", [str(TOOLS / "lint-imports")]),
    ]
    tests = {lane: [[step] for step in _pytest(lane, parts, arguments)] for lane, parts in chosen.items()}
    return {"static": [static], **tests}


def _pytest(lane: str, parts: list[list[str]], arguments: list[str]) -> list[Step]:
    """A process of pytest for each part of a lane."""
    names = [lane] if len(parts) == 1 else [f"{lane} {number}" for number in range(1, len(parts) + 1)]
    pytest = [sys.executable, "-m", "pytest", "-q"]
    return [
        Step(name, [*pytest, *_folder(name.replace(" ", "-")), *words, *arguments], is_pytest=True)
        for name, words in zip(names, parts, strict=True)
    ]


def _parts(folder: str, count: int) -> list[list[str]]:
    """The files of tests in a folder, dealt out."""
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("test_*.py"))
    return [files[part::count] for part in range(count)]


def _without(*paths: str) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def _folder(name: str) -> list[str]:
    """Temporary files in memory where there is a place for them: SQLite waits for the disk at every commit."""
    folder = MEMORY / f"batchctl-tests-{os.getpid()}-{name}"
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
    return [f"--basetemp={folder}"] if has_room else []


def run(step: Step) -> tuple[bool, str]:
    """Run a step; gives whether all is well, and the last line that it printed."""
    start = time.monotonic()
    # Tests start hundreds of processes, each of which would compile the package again. The order of sets is the same in
    # each run, like all that chance has a part in (tests/support/chance.py), unless somebody asks for another one.
    env = {"PYTHONHASHSEED": "1", **os.environ}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(step.command, cwd=ROOT, env=env, check=False, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.rstrip().splitlines()
    is_well = done.returncode == 0
    # A test that did not run is named also where all is well.
    shown = [line for line in lines if line.startswith("SKIPPED")] + lines[-1:] if is_well else lines
    verdict = f"== {step.name}: {'ok' if is_well else 'failed'} in {time.monotonic() - start:.0f} s"
    print("\n".join([verdict, *shown]), flush=True)
    return is_well, lines[-1] if lines else ""


def main() -> int:
    """Run all lanes, or the one that was asked for; gives 1 if any step failed."""
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("--lane", choices=LANES, action="append", default=[])
    asked, arguments = parser.parse_known_args()
    chosen = [lists for name, lists in lanes(arguments).items() if not asked.lane or name in asked.lane]
    lists = [steps for lane in chosen for steps in lane]
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        work = [pool.submit(lambda steps=steps: [(step, *run(step)) for step in steps]) for steps in lists]
        ended = [item for lane in work for item in lane.result()]
    for folder in MEMORY.glob(f"batchctl-tests-{os.getpid()}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    failed = [step.name for step, is_well, _ in ended if not is_well]
    print(f"failed: {', '.join(failed)}" if failed else "all steps passed")
    print("\n".join(last for step, _, last in ended if step.is_pytest))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
