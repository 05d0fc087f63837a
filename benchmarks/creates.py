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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import job_name
from outcome import Series, Table, plain
from proofs import all_of, prints
from scene import OURS, peer
from timing import Measure, NotDoneError, Proof, Run, machine
from world import MODEL, PROGRAM

HERE = Path(__file__).resolve().parent
CONCURRENCY = 64
SYNC, ASYNC, NODE = "google-genai", "google-genai, async", "@google/genai"
_NODE_PACKAGE = "@google/genai@2.32.0"


@dataclass
class Creates:
    """What the competitors run on: a folder, a number of jobs, and the service of the present run."""

    folder: Path
    jobs: int
    url: str = ""
    runs: int = 0
    """Those of batchctl so far."""

    @property
    def stack(self) -> Path:
        """The folder of batchctl's last run."""
        return self.folder / f"stack-{self.runs}"


def ours(creates: Creates, *program: str) -> Sequence[str]:
    """`batchctl apply --wait` on a new stack with a manifest for each job."""
    creates.runs += 1
    folder = creates.stack
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
    return [*program, "apply", "--yes", "--wait", "--quiet", "--max-create", str(creates.jobs), "-C", str(folder)]


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


def end_of(creates: Creates, run: Run) -> End:
    """The end of a run, as the service saw it."""
    figures = figures_of(creates.url)
    return End(figures["lastEnd"] - run.begun, figures["callsToEnd"])


def created_all(creates: Creates) -> Proof:
    """The service has all jobs, each once, and has shown to its client that each has ended."""

    def check(_: Run) -> str:
        figures = figures_of(creates.url)
        found = (figures["jobs"], figures["calls"].get("POST", 0), figures["ended"])
        if found == (creates.jobs,) * 3:
            return ""
        return "of {} jobs it created {} in {} calls, and saw the end of {}".format(creates.jobs, *found)

    return check


def kept_all(creates: Creates) -> Proof:
    """The stack of batchctl: it has said that all have succeeded, and has the results of each."""

    def check(_: Run) -> str:
        kept = list(creates.stack.glob("results/*/current/results.jsonl"))
        if len(kept) != creates.jobs:
            return f"there are results of {len(kept)} jobs, not {creates.jobs}"
        return next((f"{path} has not one row" for path in kept if path.read_bytes().count(b"\n") != 1), "")

    said = prints(f"\n{creates.jobs} jobs in stack creates: {creates.jobs} Succeeded.")
    return all_of(said, created_all(creates), check)


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
    table = create_all(asked.jobs, asked.latency, asked.rounds, frozenset(asked.skip))
    show(table)
    commits, size = table[OURS].values["commits"], table[OURS].median("state")
    print(f"\nbatchctl wrote its state in {min(commits):.0f} to {max(commits):.0f} commits; ", end="")
    print(f"the file has {size / 1024:,.0f} KiB, and {table[OURS].median('logged') / 1024:,.0f} went into its log")
    held, longest = table[OURS].median("held"), table[OURS].median("longest")
    print(f"it held the lock for {held:.2f} s, and for {longest:.2f} s at once")
    if asked.json is not None:
        found = {"machine": machine(), "jobs": asked.jobs, "latency": asked.latency, "figures": plain(table)}
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def create_all(
    jobs: int,
    latency: float,
    rounds: int,
    skipped: frozenset[str] = frozenset(),
    *,
    alone: bool = False,
    folder: Path | None = None,
) -> Table:
    """Run the competitors in turn; `alone`: batchctl alone.

    `ended` and `calls` are those of an `End`, the rest is of the process. batchctl has `commits`, and the bytes of its
    `state`, and from another run of each round what `noted_locks.py` saw.
    """
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=folder) as name:
        creates = Creates(Path(os.path.realpath(name)), jobs)
        measures = [_ours(creates)] if alone else all_measures(creates, skipped)
        table = {one.name: Series(one.name) for one in measures}
        for number in range(rounds):
            for one in measures:
                with service(latency) as creates.url:
                    one.run(number)
                    run = one.runs[-1]
                    end = end_of(creates, run)
                series = table[one.name]
                series.add(ended=end.seconds, calls=end.calls, wall=run.wall, cpu=run.cpu, peak=run.peak)
                series.add(switches=run.switches)
            commits, size = state_of(creates.stack)
            table[OURS].add(commits=commits, state=size)
            if not alone:
                with service(latency) as creates.url:
                    table[OURS].add(**_noted(creates))
    return table


def _ours(creates: Creates) -> Measure:
    return Measure(OURS, lambda _: ours(creates, *PROGRAM), kept_all(creates))


def _noted(creates: Creates) -> Mapping[str, float]:
    """Another run, for the lock alone: the seconds for which it is held, and what is written meanwhile."""
    noted = Measure(OURS, lambda _: ours(creates, sys.executable, str(HERE / "noted_locks.py")), kept_all(creates))
    noted.run(0)
    found: Mapping[str, float] = json.loads(noted.runs[0].errors.rstrip("\n").rpartition("\n")[2])
    if found["commits"] != state_of(creates.stack)[0]:
        raise NotDoneError(f"{found['commits']} commits were seen of {state_of(creates.stack)[0]}")
    return {name: found[name] for name in ("held", "longest", "logged")}


def all_measures(creates: Creates, skipped: frozenset[str]) -> list[Measure]:
    """The competitors that can run here, batchctl first, without those that are skipped."""
    proof = created_all(creates)
    peers = [
        Measure(SYNC, sdk_peer(creates, "create_sdk"), proof),
        Measure(ASYNC, sdk_peer(creates, "create_sdk_async", "32"), proof),
    ]
    found = [_ours(creates), *(one for one in peers if one.name not in skipped)]
    if NODE in skipped:
        return found
    if shutil.which("npm") is None:
        print("npm is not installed: without the peer in JavaScript")
        return found
    modules = creates.folder / "node"
    modules.mkdir()
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _NODE_PACKAGE]
    subprocess.run(command, cwd=modules, check=True, stdout=subprocess.DEVNULL)
    return [*found, Measure(NODE, node_peer(creates, modules), proof)]


def state_of(folder: Path) -> tuple[int, int]:
    """The commits of a stack's state, and the bytes of its file."""
    (path,) = folder.glob(".batchctl/*.db")
    with sqlite3.connect(path) as db:
        return db.execute("SELECT serial FROM meta").fetchone()[0], path.stat().st_size


def show(table: Table) -> None:
    """Print medians. The ratio says how many times as long as batchctl a peer takes until all jobs have ended."""
    columns = ("ended s", "from - to", "ratio", "calls", "whole s", "CPU s", "MiB", "switches")
    print(f"\n{'':20}" + "".join(f"{one:>{14 if one == 'from - to' else 9}}" for one in columns))
    for name, one in table.items():
        seconds, middle = one.values["ended"], one.median("ended")
        ratio = "" if name == OURS else f"{middle / table[OURS].median('ended'):.2f}"
        line = f"{name:20}{middle:9.2f}{f'{min(seconds):.2f} - {max(seconds):.2f}':>14}{ratio:>9}"
        rest = f"{one.median('calls'):9.0f}{one.median('wall'):9.2f}{one.median('cpu'):9.2f}"
        print(f"{line}{rest}{one.median('peak'):9.0f}{one.median('switches'):9.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
