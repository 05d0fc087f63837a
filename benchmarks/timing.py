"""Runs commands as processes of their own, and measures time, processor time and memory of each."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

from outcome import Series

ROOT = Path(__file__).resolve().parent.parent
NO_CACHE = "/dev/null/no-cache"
_OTHERS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENV = {**_OTHERS, "GEMINI_API_KEY": "bench", "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": NO_CACHE}
_KIB_PER_MIB = 1024
_ERRORS = 2000
_PEERS = ("click", "google-genai", "jsonschema", "pydantic", "PyYAML")
_PROGRAM = Path(__file__).with_name("measured_run.py")


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    wall: float
    cpu: float
    """Seconds of the processor, in user and system mode."""
    peak: float
    """The most memory at once, in MiB."""
    begun: float = 0.0
    """When it began, on the monotonic clock."""
    switches: int = 0
    """How often its threads gave the processor to another one, or had to."""
    lines: int = 0
    """The lines of its output."""
    start: str = ""
    """The first 64 KiB of its output."""
    end: str = ""
    """The last 64 KiB of its output."""
    errors: str = ""
    """The last lines of its standard error."""


Proof = Callable[[Run], str]
"""What is wrong with a run, in a sentence; empty if it did its work."""


class NotDoneError(RuntimeError):
    """A run that failed, or that did not do its work. Its figure would mean nothing."""


@dataclass
class Measure:
    """All runs of one competitor in one case."""

    name: str
    command: Callable[[int], Sequence[str]]
    """The command line of a round. Preparing it is not measured."""
    proof: Proof
    """What shows that a run did its work."""
    accepted: frozenset[int] = frozenset({0})
    """The exit codes of a run that did its work."""
    runs: list[Run] = field(default_factory=list)

    def run(self, number: int) -> None:
        """Run it once. Raises NotDoneError if it fails, or did not do its work."""
        run = run_once(self.command(number), self.accepted)
        if wrong := self.proof(run):
            raise NotDoneError(f"{self.name} did not do its work: {wrong}")
        self.runs.append(run)

    @property
    def series(self) -> Series:
        """The figures of all runs."""
        found = Series(self.name)
        for run in self.runs:
            found.add(cpu=run.cpu, wall=run.wall, peak=run.peak, switches=run.switches)
        return found

    @property
    def cpu(self) -> float:
        """The median of the processor time."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def wall(self) -> float:
        """The median of the elapsed time."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def spread(self) -> float:
        """The difference between the slowest and the fastest run, as a share of the median processor time."""
        times = [run.cpu for run in self.runs]
        return (max(times) - min(times)) / self.cpu if self.cpu else 0.0

    @property
    def peak(self) -> float:
        """The most memory of all runs, in MiB."""
        return max(run.peak for run in self.runs)


def run_once(command: Sequence[str], accepted: frozenset[int] = frozenset({0})) -> Run:
    """Run a command. Raises NotDoneError if it ends with another exit code."""
    program = [sys.executable, "-S", str(_PROGRAM), *command]
    done = subprocess.run(program, env=ENV, capture_output=True, check=True)
    found = json.loads(done.stdout)
    errors = done.stderr.decode(errors="replace")[-_ERRORS:]
    if (code := found.pop("code")) not in accepted:
        raise NotDoneError(f"{' '.join(command)} ended with {code}: {errors}")
    return Run(peak=found.pop("kib") / _KIB_PER_MIB, errors=errors, **found)


def warm_up(modules: Sequence[str]) -> None:
    """Compile batchctl and what these modules import, as an installation does."""
    imports = ", ".join(("compileall", *modules))
    run_once([sys.executable, "-c", f"import {imports}; compileall.compile_dir({str(ROOT / 'batchctl')!r}, quiet=2)"])


def alternate(measures: Sequence[Measure], rounds: int) -> None:
    """Run all competitors in turn, round by round, so that a change of the machine's load meets each of them."""
    for number in range(rounds):
        for measure in measures:
            measure.run(number)


def machine() -> Mapping[str, str]:
    """Facts about the machine that explain a figure."""
    name = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    python = sys.version.split()[0]
    return {"processor": f"{os.cpu_count()} of {name}", "python": python, "load": load, "peers": ", ".join(_peers())}


def _peers() -> Iterator[str]:
    for name in _PEERS:
        with suppress(PackageNotFoundError):
            yield f"{name} {package_version(name)}"
