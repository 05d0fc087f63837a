"""Measures one pass of `watch` over many active jobs beside loops over google-genai.

    python benchmarks/watch_pass.py [--jobs N] [--rounds N] [--skip PEER] [--json FILE]

Nothing changes between the passes. A complete pass comes first, with the start of the process, and then one that finds
the state as it is now. From then on batchctl looks whether anything has changed, and makes a complete pass only after
ten such checks. The peers ask for each job, or read the list; their start is not in their processor time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from creates import figures_of, service
from many_jobs import write_manifests, write_state
from outcome import Series, Table, plain
from scene import peer
from timing import ENV, NotDoneError, machine

HERE = Path(__file__).resolve().parent
FIRST, COMPLETE, QUICK = "batchctl, first pass", "batchctl, complete pass", "batchctl, quick check"
GET, LIST = "google-genai, get", "google-genai, list"
_PEERS = {GET: "get_sdk", LIST: "list_sdk"}
_QUICK_CHECKS = 5
_STATE = ".batchctl"
_FOREVER = 1e9


def lines_of(command: Sequence[str], stream: str, accepted: int = 0) -> list[Mapping[str, float]]:
    """The lines of JSON that a command prints on a stream. Raises NotDoneError if it fails."""
    done = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False)
    if done.returncode != accepted:
        raise NotDoneError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in getattr(done, stream).splitlines() if line.startswith("{")]


def calls_of(url: str) -> int:
    """The calls that the service had so far."""
    return int(sum(figures_of(url)["calls"].values()))


def seed(url: str, jobs: Sequence[tuple[str, str]]) -> None:
    """Let the service have these jobs."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/seed", json.dumps(jobs).encode())) as reply:
        reply.read()


def main() -> int:
    """Run the competitors in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="active jobs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each competitor (default: %(default)s)")
    parser.add_argument("--skip", action="append", default=[], metavar="PEER", help="leave a slow peer out; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    print(f"{asked.jobs:,} active jobs, {asked.rounds} rounds", flush=True)
    table = watch_all(asked.jobs, asked.rounds, frozenset(asked.skip))
    show(table)
    if asked.json is not None:
        found = {"machine": machine(), "jobs": asked.jobs, "figures": plain(table)}
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def watch_all(
    jobs: int, rounds: int, skipped: frozenset[str] = frozenset(), *, alone: bool = False, folder: Path | None = None
) -> Table:
    """Run the competitors in turn; `alone`: batchctl alone. Gives the processor time and calls of a pass."""
    peers = {} if alone else {name: script for name, script in _PEERS.items() if name not in skipped}
    table = {name: Series(name) for name in (QUICK, COMPLETE, FIRST, *peers)}
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=folder) as name, service(0, _FOREVER) as url:
        stack, names = Path(name).resolve() / "stack", Path(name) / "names"
        write_manifests(stack, jobs, url)
        remote = write_state(stack)
        names.write_text("\n".join(one for one, _ in remote), encoding="ascii")
        seed(url, remote)
        kept = shutil.copytree(stack / _STATE, Path(name) / "state")
        for _ in range(rounds):
            for peer_name, script in peers.items():
                before = calls_of(url)
                (found,) = lines_of(peer(script, url, str(names)), "stdout")
                if found["done"] != jobs:
                    raise NotDoneError(f"{peer_name} saw {found['done']} active jobs, not {jobs}")
                table[peer_name].add(cpu=found["cpu"], calls=calls_of(url) - before)
            # The first pass writes down what it finds, so the second one is complete, too.
            shutil.rmtree(stack / _STATE)
            shutil.copytree(kept, stack / _STATE)
            _watch(stack, url, jobs, table)
    return table


def _watch(stack: Path, url: str, jobs: int, table: Table) -> None:
    """The passes of one round. The calls are those of each of them."""
    before = figures_of(url)
    passes = _QUICK_CHECKS + 2
    command = [sys.executable, str(HERE / "watched_passes.py"), str(stack), str(passes)]
    measured = lines_of(command, "stderr", accepted=130)
    calls = looked_at_all(before, figures_of(url), jobs, passes)
    if len(measured) != passes:
        raise NotDoneError(f"watch made {len(measured)} passes, not {passes}")
    first, complete, *quick = measured
    table[FIRST].add(cpu=first["cpu"], calls=calls)
    table[COMPLETE].add(cpu=complete["cpu"], calls=calls)
    table[QUICK].add(cpu=statistics.median(one["cpu"] for one in quick), calls=calls)


def looked_at_all(before: Mapping[str, Any], after: Mapping[str, Any], jobs: int, passes: int) -> float:
    """The calls of each pass. Raises NotDoneError if the passes created jobs, or one of them did not see each job."""
    listed = after["listed"] - before["listed"]
    creates = after["calls"].get("POST", 0) - before["calls"].get("POST", 0)
    calls = sum(after["calls"].values()) - sum(before["calls"].values())
    if listed < passes or after["jobs"] != jobs or creates:
        words = (
            f"one of {after['jobs']} jobs was in {listed} lists; {passes} passes over {jobs} jobs made {calls} calls"
        )
        raise NotDoneError(f"{words}, {creates} of them creates")
    return calls / passes


def show(table: Table) -> None:
    """Print the table. The ratio says how many times the processor time of a quick check something takes."""
    quick = table[QUICK].median("cpu")
    print(f"\n{'':26} {'CPU s':>8} {'spread':>7} {'calls':>7} {'÷ quick check':>14}")
    for name, one in table.items():
        ratio = one.median("cpu") / quick
        shown = f"{name:26} {one.median('cpu'):8.3f} {one.spread('cpu'):7.0%}"
        print(f"{shown} {one.median('calls'):7.0f} {ratio:14.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
