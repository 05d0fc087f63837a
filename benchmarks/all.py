"""Runs every case beside its peers, and prints one table: case, target, measured, met or not.

    python benchmarks/all.py [CASE…] [--quick] [--rounds N] [--skip PEER] [--write] [--json FILE]

Competitors take turns in several rounds; a ratio is that of one round, and the table has its median and its span. A run
that did not do its work ends the command, so it has no figure. `--quick` has a tenth of the rows, shorter curves and
fewer rounds: it takes some ten minutes on two idle processors, and without it an hour. Ctrl-C ends it with what was
measured so far.
`--write` keeps the figures in benchmarks/figures.json, each case as it ends, and writes docs/performance.md and its
plots from them. Cases that were not measured keep the figures that they have there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import ALL_PEERS, ROW_CASES
from creates import ASYNC, NODE, SYNC, create_all
from curve import CURVES, Curve, measure, sizes_to
from emulator_store import store_all
from outcome import Table
from page import write_page
from record import Figures, Measured, Sizes, about_this, read_figures, write_figures
from scene import AGAIN, Scene
from start_cases import C_CHECKED, LOADER, START_CASES, plan
from targets import FEWER, GROUPS, rows_of, target_table
from timing import NotDoneError, machine, warm_up
from watch_pass import GET, LIST, watch_all
from world import serve_emulator, write_rows

_START = ("version", "help", "completion", "status")
_STORE_CALLS = 200
_PEERS = frozenset({*ALL_PEERS, C_CHECKED, LOADER, SYNC, ASYNC, NODE, GET, LIST}) - {"json loop"}
"""The peers that can be left out. Targets that need them are then not in the table."""
_SEVERAL = {"rows": tuple(ROW_CASES), "curves": tuple(f"{case}-curve" for case in CURVES)}
"""Names for several cases."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    sizes: Sizes
    rounds: Mapping[str, int]
    """Of the cases that have another number than the rest."""
    curves: Mapping[str, Sequence[int]]
    """The numbers of jobs of each curve."""


FULL = Effort(
    Sizes(rows=1_000_000, row_bytes=580, jobs=10_000, creates=1_000, rounds=3, latency=0.05),
    {"start": 21, **dict.fromkeys(_SEVERAL["rows"], 2), **dict.fromkeys(_SEVERAL["curves"], 1)},
    {"plan": sizes_to(100_000), "pass": sizes_to(100_000), "apply": sizes_to(10_000)},
)
QUICK = Effort(
    replace(FULL.sizes, rows=100_000, rounds=2),
    {"start": 11, **dict.fromkeys(_SEVERAL["curves"], 1)},
    {"plan": sizes_to(10_000), "pass": sizes_to(10_000), "apply": sizes_to(1_000)},
)
_TINY = Effort(Sizes(200, 580, 20, 4, 1, 0.0), {}, dict.fromkeys(CURVES, (2, 4)))
"""For tests: all cases run, and no figure means anything."""


@dataclass(frozen=True)
class Asked:
    """What one group of cases gets."""

    sizes: Sizes
    curves: Mapping[str, Sequence[int]]
    folder: Path
    skipped: frozenset[str]


@dataclass
class Found:
    """What a group has measured."""

    tables: Mapping[str, Table]
    curves: Mapping[str, Curve]


def _start(asked: Asked) -> Found:
    scene = Scene(asked.folder, Path(), 0, "", asked.sizes.rounds, asked.skipped)
    return Found({case: START_CASES[case](scene).table for case in _START}, {})


def _plan(asked: Asked) -> Found:
    scene = Scene(asked.folder, Path(), 0, "", asked.sizes.rounds, asked.skipped, asked.sizes.jobs)
    return Found({"plan": plan(scene).table}, {})


def _creates(asked: Asked) -> Found:
    sizes = asked.sizes
    table = create_all(sizes.creates, sizes.latency, sizes.rounds, asked.skipped, folder=asked.folder)
    return Found({"creates": table}, {})


def _watch(asked: Asked) -> Found:
    return Found({"watch": watch_all(asked.sizes.jobs, asked.sizes.rounds, asked.skipped, folder=asked.folder)}, {})


def _rows(case: str, asked: Asked) -> Found:
    """A case of rows alone with a tenth of them, for its memory, and then beside its peers."""
    sizes, tables = asked.sizes, {}
    with serve_emulator(asked.folder / "emulator", 0) as url:
        for name, rows, rounds, skipped in (
            (f"{case}, {FEWER}", sizes.rows // 10, 1, ALL_PEERS | {AGAIN}),
            (case, sizes.rows, sizes.rounds, asked.skipped),
        ):
            folder = asked.folder / str(rows)
            folder.mkdir()
            path = folder / "input.jsonl"
            write_rows(path, rows, sizes.row_bytes)
            tables[name] = ROW_CASES[case](Scene(folder, path, rows, url, rounds, skipped)).table
    return Found(tables, {})


def _emulator(asked: Asked) -> Found:
    calls = min(_STORE_CALLS, asked.sizes.jobs)
    tables = store_all(asked.sizes.jobs, calls, asked.sizes.rounds, folder=asked.folder)
    return Found({f"emulator, {kind}": table for kind, table in tables.items()}, {})


def _curve(case: str, asked: Asked) -> Found:
    return Found({}, {case: measure(case, asked.curves[case], asked.sizes.rounds, asked.folder)})


_RUNS: Mapping[str, Callable[[Asked], Found]] = {
    "start": _start,
    "plan": _plan,
    "creates": _creates,
    "watch": _watch,
    **{case: partial(_rows, case) for case in ROW_CASES},
    "emulator": _emulator,
    **{f"{case}-curve": partial(_curve, case) for case in CURVES},
}
assert tuple(_RUNS) == GROUPS, "every case has targets"


def main() -> int:
    """Run the cases, print the table, and write what is asked for; gives 1 if a run did not do its work."""
    asked = _arguments()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()), flush=True)
    if asked.effort is not _TINY:
        warm_up(("google.genai.types", "jsonschema", "httpx", "yaml", "click"))
    found: Figures = {}
    code = 0
    try:
        for group, measured in _run(asked):
            found[group] = measured
            for row in rows_of({group: measured}):
                print(row.words, flush=True)
            if asked.json is not None:
                write_figures(found, asked.json)
            if asked.write:
                write_figures(found)
                write_page(read_figures())
    except KeyboardInterrupt:
        print("\nstopped: the table has what was measured until then", file=sys.stderr)
    except NotDoneError as error:
        print(f"\nstopped: {error}", file=sys.stderr)
        code = 1
    rows = list(rows_of(found))
    met = [row.is_met for row in rows if row.is_met is not None]
    print(f"\n{target_table(rows)}\n\n{sum(met)} of {len(met)} targets are met.")
    return code


def _arguments() -> argparse.Namespace:
    names = [*GROUPS, *_SEVERAL]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or several of: {', '.join(names)}; default: all")
    parser.add_argument("--skip", action="append", default=[], metavar="PEER", help="leave a slow peer out; repeatable")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="effort", action="store_const", const=QUICK, default=FULL, help="in minutes")
    size.add_argument("--tiny", dest="effort", action="store_const", const=_TINY, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, metavar="N", help="the rounds of each case (default: by the case)")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the page and its plots")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round to FILE")
    parser.add_argument("--folder", type=Path, help="where stacks and rows are written (default: the system's)")
    asked = parser.parse_args()
    unknown = [name for name in asked.cases if name not in names]
    if unknown:
        parser.error(f"there is no case {unknown[0]}; there are {', '.join(names)}")
    unknown = [name for name in asked.skip if name not in _PEERS]
    if unknown:
        parser.error(f"there is no peer {unknown[0]} to skip; there are {'; '.join(sorted(_PEERS))}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds is at least 1")
    if asked.write and asked.effort is _TINY:
        parser.error("--tiny measures nothing that could be written")
    asked.cases = [group for name in asked.cases or GROUPS for group in _SEVERAL.get(name, (name,))]
    return asked


def _run(asked: argparse.Namespace) -> Iterator[tuple[str, Measured]]:
    """Run the groups one by one, each in a folder of its own."""
    effort: Effort = asked.effort
    for group in dict.fromkeys(asked.cases):
        about, begun = about_this(), time.monotonic()
        rounds = effort.rounds.get(group, effort.sizes.rounds) if asked.rounds is None else asked.rounds
        sizes = replace(effort.sizes, rounds=rounds)
        print(f"\n{group}: {sizes.rounds} rounds, load {about['load']}", flush=True)
        with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
            folder = Path(os.path.realpath(name))
            found = _RUNS[group](Asked(sizes, effort.curves, folder, frozenset(asked.skip)))
        takes = _words(time.monotonic() - begun)
        yield group, Measured({**about, "takes": takes}, sizes, found.tables, found.curves)


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two digits


if __name__ == "__main__":
    sys.exit(main())
