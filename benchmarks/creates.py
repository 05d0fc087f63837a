"""Measures `apply --wait` of many small jobs beside loops over google-genai, against a service with a latency.

    python benchmarks/creates.py [--jobs N] [--latency SECONDS] [--rounds N] [--skip PEER] [--json FILE]

Every competitor creates the same jobs and waits until all have ended. batchctl also collects and keeps their results,
and writes its intents before each call. The service is `latency_server.py`, a process of its own for each run. It notes
when it has shown the last job as ended: "ended" is the time from the start of the client until then, in which all do
the same, and "calls" are those of that time; "whole" is the time of the process, with batchctl's collection. The peer
in JavaScript runs if `node` and `npm` are there; its package is installed in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import job_name
from scene import OURS, peer
from timing import Measure, machine
from world import MODEL, PROGRAM

HERE = Path(__file__).resolve().parent
CONCURRENCY = 64
_NODE_PACKAGE = "@google/genai@2.32.0"


@dataclass
class Creates:
    """What the competitors run on: a folder, a number of jobs, and the service of the present run."""

    folder: Path
    jobs: int
    url: str = ""


def ours(creates: Creates, folder: Path) -> Sequence[str]:
    """`batchctl apply --wait` on a stack with a manifest for each job."""
    folder.mkdir()
    limits = {"concurrency": CONCURRENCY, "active": creates.jobs}
    spec = {"providers": {"local": {"type": "gemini", "endpoint": creates.url}}, "defaults": {"provider": "local"}}
    stack = {"apiVersion": "batchctl.dev/v1", "kind": "Stack", "metadata": {"name": "creates", "uid": "bench1"}}
    (folder / "batchctl.yaml").write_text(json.dumps({**stack, "spec": {**spec, "limits": limits}}))
    for number in range(creates.jobs):
        request = {"contents": [{"role": "user", "parts": [{"text": f"Say {number}"}]}]}
        work = {"model": MODEL, "src": {"inlinedRequests": [{"key": "a", "request": request}]}}
        name = job_name(number)
        job = {"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": name}, "spec": work}
        (folder / f"{name}.yaml").write_text(json.dumps(job))
    return [*PROGRAM, "apply", "--yes", "--wait", "--quiet", "--max-create", str(creates.jobs), "-C", str(folder)]


def sdk_peer(creates: Creates, name: str, *more: str) -> Callable[[int], Sequence[str]]:
    """A loop over google-genai for Python."""
    return lambda _: peer(name, creates.url, str(creates.jobs), *more)


def node_peer(creates: Creates, modules: Path) -> Callable[[int], Sequence[str]]:
    """128 loops over @google/genai at once."""
    script = modules / "creates.mjs"
    shutil.copy(HERE / script.name, script)
    return lambda _: ["node", str(script), creates.url, str(creates.jobs), "128"]


@dataclass(frozen=True)
class End:
    """The moment at which a client could know that every job has ended."""

    seconds: float
    """Since its start."""
    calls: int
    """Made up to then."""


def end_of(measure: Measure, figures: Mapping[str, Any], jobs: int) -> End:
    """The end of the last run. Raises RuntimeError if it has not created and followed all jobs, each once."""
    if (figures["jobs"], figures["ended"]) != (jobs, jobs):
        raise RuntimeError(f"{measure.name} created {figures['jobs']} jobs, and saw the end of {figures['ended']}")
    return End(figures["lastEnd"] - measure.runs[-1].begun, figures["callsToEnd"])


@contextmanager
def service(latency: float, job_seconds: float = 2.0) -> Iterator[str]:
    """A new service; gives its URL."""
    command = [sys.executable, str(HERE / "latency_server.py"), "--latency", str(latency)]
    command += ["--job-seconds", str(job_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def figures_of(url: str) -> Mapping[str, Any]:
    """The number of calls that the service had, and of its jobs."""
    with urllib.request.urlopen(f"{url}/figures") as reply:
        figures: Mapping[str, Any] = json.loads(reply.read())
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
        creates = Creates(Path(os.path.realpath(name)), asked.jobs)
        measures = [one for one in all_measures(creates) if one.name not in asked.skip]
        ends: dict[str, list[End]] = {one.name: [] for one in measures}
        for number in range(asked.rounds):
            for one in measures:
                with service(asked.latency) as creates.url:
                    one.run(number)
                    ends[one.name].append(end_of(one, figures_of(creates.url), asked.jobs))
        show(measures, ends)
        states = [state_of(creates.folder / str(number)) for number in range(asked.rounds)]
        commits = [one for one, _ in states]
        print(f"\nbatchctl wrote its state in {min(commits)} to {max(commits)} commits; ", end="")
        print(f"the file has {states[0][1] / 1024:,.0f} KiB")
    if asked.json is not None:
        runs = {one.name: [asdict(run) for run in one.runs] for one in measures}
        ended = {name: [asdict(end) for end in found] for name, found in ends.items()}
        found = {"machine": machine(), "jobs": asked.jobs, "latency": asked.latency, "runs": runs, "ends": ended}
        asked.json.write_text(json.dumps({**found, "commits": commits}, indent=2) + "\n", encoding="utf-8")
    return 0


def all_measures(creates: Creates) -> list[Measure]:
    """The competitors that can run here, batchctl first."""
    found = [
        Measure(OURS, lambda number: ours(creates, creates.folder / str(number))),
        Measure("google-genai", sdk_peer(creates, "create_sdk")),
        Measure("google-genai, async", sdk_peer(creates, "create_sdk_async", "32")),
    ]
    if shutil.which("npm") is None:
        print("npm is not installed: without the peer in JavaScript")
        return found
    modules = creates.folder / "node"
    modules.mkdir()
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _NODE_PACKAGE]
    subprocess.run(command, cwd=modules, check=True, stdout=subprocess.DEVNULL)
    return [*found, Measure("@google/genai", node_peer(creates, modules))]


def state_of(folder: Path) -> tuple[int, int]:
    """The commits of a stack's state, and the bytes of its file."""
    (path,) = folder.glob(".batchctl/*.db")
    with sqlite3.connect(path) as db:
        return db.execute("SELECT serial FROM meta").fetchone()[0], path.stat().st_size


def show(measures: Sequence[Measure], ends: Mapping[str, Sequence[End]]) -> None:
    """Print medians. The ratio says how many times as long as batchctl a peer takes until all jobs have ended."""
    columns = ("ended s", "from - to", "ratio", "calls", "whole s", "CPU s", "MiB", "switches")
    print(f"\n{'':20}" + "".join(f"{one:>{14 if one == 'from - to' else 9}}" for one in columns))
    first = median(end.seconds for end in ends[measures[0].name])
    for one in measures:
        seconds = sorted(end.seconds for end in ends[one.name])
        ratio = "" if one.name == OURS else f"{median(seconds) / first:.2f}"
        span = f"{seconds[0]:.2f} - {seconds[-1]:.2f}"
        calls, switches = median(end.calls for end in ends[one.name]), median(run.switches for run in one.runs)
        line = f"{one.name:20}{median(seconds):9.2f}{span:>14}{ratio:>9}{calls:9.0f}{one.wall:9.2f}"
        print(f"{line}{one.cpu:9.2f}{one.peak:9.0f}{switches:9.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
