"""Measures batchctl beside its peers: time, processor time, memory, and the ratios of one run.

    python benchmarks/run.py [CASE…] [--rows N] [--row-bytes N] [--jobs N] [--rounds N] [--skip PEER] [--json FILE]

Competitors take turns within a run. Machines and their load differ, so only the ratios of one run can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import CASES, SDK_PEERS
from scene import OURS, Outcome, Scene
from timing import machine, warm_up
from world import serve_emulator, write_rows

_MB = 1_000_000


def main() -> int:
    """Run the cases, print a table, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or several of: {', '.join(CASES)}; default: all")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the input (default: %(default)s)")
    parser.add_argument("--row-bytes", type=int, default=1000, help="bytes of a row, about (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of the case `plan` (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each competitor (default: %(default)s)")
    parser.add_argument("--skip", action="append", default=[], metavar="PEER", help="leave a slow peer out; repeatable")
    parser.add_argument("--port", type=int, default=0, help="port of the emulator (default: a free one)")
    parser.add_argument("--folder", type=Path, help="where the input is written (default: the system's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    unknown = [name for name in asked.cases if name not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]}")
    chosen = asked.cases or list(CASES)
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    print(f"{asked.rows:,} rows of about {asked.row_bytes:,} bytes, {asked.rounds} rounds", flush=True)
    figures: dict[str, object] = {"machine": machine(), "rows": asked.rows, "rounds": asked.rounds}
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
        folder = Path(os.path.realpath(name))
        warm_up(() if set(asked.skip) >= SDK_PEERS else ("google.genai.types", "jsonschema", "httpx"))
        rows = folder / "input.jsonl"
        write_rows(rows, asked.rows, asked.row_bytes)
        with serve_emulator(folder / "emulator", asked.port) as url:
            for case in chosen:
                outcome = CASES[case](
                    Scene(folder, rows, asked.rows, url, asked.rounds, frozenset(asked.skip), asked.jobs)
                )
                show(case, outcome)
                figures[case] = figures_of(outcome)
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def show(case: str, outcome: Outcome) -> None:
    """Print the table of a case. The ratio says how many times as much processor time as batchctl a peer takes."""
    ours = outcome.measures[0]
    print(f"\n{case}: {outcome.size / _MB:,.1f} MB")
    print(f"{'':22} {'CPU s':>8} {'± %':>5} {'wall s':>8} {'MB/s':>8} {'MiB':>7} {'ratio':>7}")
    for one in outcome.measures:
        speed = outcome.size / _MB / one.cpu if one.cpu else 0.0
        ratio = "" if one.name == OURS else f"{one.cpu / ours.cpu:.2f}"
        times = f"{one.cpu:8.3f} {100 * one.spread:5.0f} {one.wall:8.2f}"
        print(f"{one.name:22} {times} {speed:8.1f} {one.peak:7.0f} {ratio:>7}", flush=True)


def figures_of(outcome: Outcome) -> Mapping[str, object]:
    """The figures of a case, for programs."""
    return {
        "bytes": outcome.size,
        "measures": [
            {"name": one.name, "runs": [[run.wall, run.cpu, run.peak] for run in one.runs]} for one in outcome.measures
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
