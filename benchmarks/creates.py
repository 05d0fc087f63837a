"""Measures `apply --wait` of many small jobs beside loops over google-genai, against a service with a latency.

    python benchmarks/creates.py [--jobs N] [--latency SECONDS] [--rounds N] [--skip PEER] [--json FILE]

Every competitor creates the same jobs and waits until all have ended. batchctl also collects and keeps their results,
and writes its intents before each call. The service is `latency_server.py`, a process of its own for each run. The
peer in JavaScript runs if `node` and `npm` are there; its package is installed in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from timing import Run, machine, run_once
from world import MODEL, PROGRAM

HERE = Path(__file__).resolve().parent
OURS = "batchctl"
CONCURRENCY = 64
_NODE_PACKAGE = "@google/genai@2.32.0"


@dataclass
class Competitor:
    """One way to create the jobs, and its runs."""

    name: str
    command: Callable[[Path, int, str], Sequence[str]]
    """The command line for an empty folder, a number of jobs and the address of the service."""
    runs: list[Run] = field(default_factory=list)
    calls: int = 0

    @property
    def wall(self) -> float:
        """The median of the elapsed time."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of the processor time."""
        return statistics.median(run.cpu for run in self.runs)


def ours(folder: Path, jobs: int, url: str) -> Sequence[str]:
    """`batchctl apply --wait` on a stack with a manifest for each job."""
    folder.mkdir()
    limits = {"concurrency": CONCURRENCY, "active": jobs}
    spec = {"providers": {"local": {"type": "gemini", "endpoint": url}}, "defaults": {"provider": "local"}}
    stack = {"apiVersion": "batchctl.dev/v1", "kind": "Stack", "metadata": {"name": "creates", "uid": "bench1"}}
    (folder / "batchctl.yaml").write_text(json.dumps({**stack, "spec": {**spec, "limits": limits}}))
    for number in range(jobs):
        request = {"contents": [{"role": "user", "parts": [{"text": f"Say {number}"}]}]}
        work = {"model": MODEL, "src": {"inlinedRequests": [{"key": "a", "request": request}]}}
        name = f"job-{number:05}"
        job = {"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": name}, "spec": work}
        (folder / f"{name}.yaml").write_text(json.dumps(job))
    return [*PROGRAM, "apply", "--yes", "--wait", "--quiet", "--max-create", str(jobs), "-C", str(folder)]


def python_peer(name: str, *more: str) -> Callable[[Path, int, str], Sequence[str]]:
    """A loop over google-genai for Python."""
    return lambda _, jobs, url: [sys.executable, str(HERE / "peers.py"), name, url, str(jobs), *more]


def node_peer(modules: Path) -> Callable[[Path, int, str], Sequence[str]]:
    """128 loops over @google/genai at once."""
    script = modules / "creates.mjs"
    shutil.copy(HERE / "creates.mjs", script)
    return lambda _, jobs, url: ["node", str(script), url, str(jobs), "128"]


@contextmanager
def service(latency: float) -> Iterator[str]:
    """A new service; gives its URL."""
    command = [sys.executable, str(HERE / "latency_server.py"), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def figures_of(url: str) -> Mapping[str, object]:
    """The number of calls that the service had, and of its jobs."""
    with urllib.request.urlopen(f"{url}/figures") as reply:
        figures: Mapping[str, object] = json.loads(reply.read())
        return figures


def main() -> int:
    """Run the competitors in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs to create (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of each call (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each competitor (default: %(default)s)")
    parser.add_argument("--skip", action="append", default=[], metavar="PEER", help="leave a slow peer out; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    print(f"{asked.jobs:,} jobs, {asked.latency * 1000:g} ms a call, {asked.rounds} rounds", flush=True)
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-") as name:
        folder = Path(os.path.realpath(name))
        competitors = [one for one in all_competitors(folder) if one.name not in asked.skip]
        commits, size = 0, 0
        for number in range(asked.rounds):
            for one in competitors:
                stack = folder / f"{number}-{competitors.index(one)}"
                with service(asked.latency) as url:
                    one.runs.append(run_once(one.command(stack, asked.jobs, url)))
                    figures = figures_of(url)
                one.calls = sum(figures["calls"].values())  # type: ignore[attr-defined]
                if figures["jobs"] != asked.jobs:
                    raise RuntimeError(f"{one.name} created {figures['jobs']} jobs")
                if one.name == OURS:
                    commits, size = state_of(stack)
        show(competitors)
        print(f"\nbatchctl wrote its state in {commits} commits; the file has {size / 1024:,.0f} KiB")
    if asked.json is not None:
        runs = {one.name: [[run.wall, run.cpu, run.peak] for run in one.runs] for one in competitors}
        calls = {one.name: one.calls for one in competitors}
        found = {"machine": machine(), "jobs": asked.jobs, "latency": asked.latency, "runs": runs, "calls": calls}
        asked.json.write_text(json.dumps({**found, "commits": commits}, indent=2) + "\n", encoding="utf-8")
    return 0


def all_competitors(folder: Path) -> list[Competitor]:
    """Those that can run here, batchctl first."""
    found = [
        Competitor(OURS, ours),
        Competitor("google-genai", python_peer("create_sdk")),
        Competitor("google-genai, async", python_peer("create_sdk_async", "32")),
    ]
    if shutil.which("npm") is None:
        print("npm is not installed: without the peer in JavaScript")
        return found
    modules = folder / "node"
    modules.mkdir()
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _NODE_PACKAGE]
    subprocess.run(command, cwd=modules, check=True, stdout=subprocess.DEVNULL)
    return [*found, Competitor("@google/genai", node_peer(modules))]


def state_of(folder: Path) -> tuple[int, int]:
    """The commits of a stack's state, and the bytes of its file."""
    (path,) = folder.glob(".batchctl/*.db")
    with sqlite3.connect(path) as db:
        return db.execute("SELECT serial FROM meta").fetchone()[0], path.stat().st_size


def show(competitors: Sequence[Competitor]) -> None:
    """Print the table. The ratio says how many times as long as batchctl a peer takes."""
    print(f"\n{'':20} {'wall s':>8} {'CPU s':>8} {'MiB':>7} {'calls':>7} {'ratio':>7}")
    for one in competitors:
        ratio = "" if one.name == OURS else f"{one.wall / competitors[0].wall:.2f}"
        peak = max(run.peak for run in one.runs)
        print(f"{one.name:20} {one.wall:8.2f} {one.cpu:8.2f} {peak:7.0f} {one.calls:7} {ratio:>7}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
