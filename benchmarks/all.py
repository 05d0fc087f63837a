"""Runs every case beside its peers, and prints one table: case, target, measured, met or not.

    python benchmarks/all.py [CASE…] [--quick] [--skip PEER] [--write] [--json FILE] [--folder DIR]

The cases are `start`, `plan`, `rows`, `creates`, `watch`, `emulator` and `curves`. Competitors take turns in several
rounds; a ratio is that of one round, and the table has its median and its span. `--quick` takes some 15 minutes on two
idle processors, with fewer jobs and rows; without it, the sizes are those of the targets, which takes hours.
Ctrl-C ends it with what was measured so far.
`--write` writes the table into docs/performance.md and the plots beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import CASES
from creates import create_all
from curve import CURVES, measure, plot
from emulator_store import store_all
from outcome import Table, plain
from scene import OURS, Scene
from targets import Figures, markdown, rows_of
from timing import ROOT, machine, warm_up
from watch_pass import watch_all
from world import serve_emulator, write_rows

_START, _ROWS = ("version", "help", "completion", "status"), ("validate", "upload", "collect", "results")
_PAGE = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- targets -->\n", "<!-- /targets -->"
_ROW_BYTES = 580


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rows: int
    jobs: int
    creates: int
    curves: Mapping[str, int]
    start_rounds: int
    rounds: int
    latency: float = 0.05

    @property
    def words(self) -> str:
        """The sizes in words."""
        sizes = f"{self.jobs:,} jobs, {self.creates:,} creates, {self.rows:,} rows of {_ROW_BYTES} bytes"
        return f"{sizes}; {self.rounds} rounds, {self.start_rounds} for the start"


FULL = Sizes(1_000_000, 10_000, 1_000, {"plan": 100_000, "pass": 100_000, "apply": 10_000}, 21, 3)
QUICK = Sizes(100_000, 2_000, 200, {"plan": 10_000, "pass": 1_000, "apply": 1_000}, 11, 2)
_TINY = Sizes(200, 20, 4, {}, 1, 1, 0.0)
"""For tests: all cases run, and no figure means anything."""

_SKIPPED_ROWS = frozenset({"the same, from JSON"})
_STORE_CALLS = 200


def _scenes(
    cases: tuple[str, ...], *, with_rows: bool = False, of_start: bool = False
) -> Callable[[Sizes, Path, frozenset[str]], Mapping[str, Table]]:
    """Run cases of `run.py`."""

    def run(sizes: Sizes, folder: Path, skipped: frozenset[str]) -> Mapping[str, Table]:
        path = folder / f"{cases[0]}.jsonl"
        write_rows(path, sizes.rows if with_rows else 1, _ROW_BYTES)
        rounds = sizes.start_rounds if of_start else sizes.rounds
        with serve_emulator(folder / f"emulator-{cases[0]}", 0) as url:
            scene = Scene(folder / cases[0], path, url, rounds, _SKIPPED_ROWS | skipped, sizes.jobs)
            scene.folder.mkdir()
            return {case: CASES[case](scene).table for case in cases}

    return run


def _creates(sizes: Sizes, _folder: Path, skipped: frozenset[str]) -> Mapping[str, Table]:
    table = create_all(sizes.creates, sizes.latency, sizes.rounds, skipped)
    table[OURS].add(jobs=sizes.creates)
    return {"creates": table}


def _watch(sizes: Sizes, folder: Path, skipped: frozenset[str]) -> Mapping[str, Table]:
    return {"watch": watch_all(sizes.jobs, sizes.rounds, skipped, folder=folder)}


def _emulator(sizes: Sizes, _folder: Path, _skipped: frozenset[str]) -> Mapping[str, Table]:
    return {"emulator": store_all(sizes.jobs, min(_STORE_CALLS, sizes.jobs), sizes.rounds)}


GROUPS: Mapping[str, Callable[[Sizes, Path, frozenset[str]], Mapping[str, Table]]] = {
    "start": _scenes(_START, of_start=True),
    "plan": _scenes(("plan",)),
    "creates": _creates,
    "watch": _watch,
    "rows": _scenes(_ROWS, with_rows=True),
    "emulator": _emulator,
}
_CASES = (*GROUPS, "curves")


def main() -> int:
    """Run the cases, print the table, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or several of: {', '.join(_CASES)}")
    parser.add_argument("--skip", action="append", default=[], metavar="PEER", help="leave a slow peer out; repeatable")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="fewer jobs, creates, rows and rounds")
    size.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write the table and the plots into docs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round to FILE")
    parser.add_argument("--folder", type=Path, help="where stacks and rows are written (default: the system's)")
    asked = parser.parse_args()
    unknown = [name for name in asked.cases if name not in _CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]}")
    chosen = asked.cases or _CASES
    sizes = _TINY if asked.tiny else QUICK if asked.quick else FULL
    begun = _words()
    print(begun, flush=True)
    warm_up(("google.genai.types", "jsonschema", "httpx", "yaml", "click"))
    found = Figures({}, {})
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
        try:
            for group in chosen:
                _run(group, sizes, Path(os.path.realpath(name)), frozenset(asked.skip), found)
                if asked.json is not None:
                    asked.json.write_text(_for_programs(sizes, found), encoding="utf-8")
        except KeyboardInterrupt:
            print("\nstopped: the table has what was measured until then", file=sys.stderr)
    rows = list(rows_of(found))
    met = [row.is_met for row in rows if row.is_met is not None]
    print(f"\n{markdown(rows)}\n\n{sum(met)} of {len(met)} targets are met.")
    if asked.write:
        write_page(f"{sizes.words}; {begun}, at the start.\n\n{markdown(rows)}\n")
        for case, curve in found.curves.items():
            (_PAGE.parent / f"{case}-curve.svg").write_text(plot(curve), encoding="utf-8")
    return 0


def _run(group: str, sizes: Sizes, folder: Path, skipped: frozenset[str], found: Figures) -> None:
    """Run the cases of one name, add their figures, and show how they do."""
    before = list(rows_of(found))
    if group in GROUPS:
        found.tables.update(GROUPS[group](sizes, folder, skipped))
    else:
        for case, most in sizes.curves.items():
            found.curves[case] = measure(case, most, 1, folder)
    for row in rows_of(found):
        if row not in before:
            print(row.words, flush=True)


def _for_programs(sizes: Sizes, found: Figures) -> str:
    cases = {case: plain(one) for case, one in found.tables.items()}
    curves = {
        case: {"sizes": curve.sizes, "series": {name: [one.values for one in of] for name, of in curve.series.items()}}
        for case, curve in found.curves.items()
    }
    document = {"machine": machine(), "sizes": vars(sizes), "cases": cases, "curves": curves}
    return json.dumps(document, indent=2) + "\n"


def _words() -> str:
    return ", ".join(f"{name}: {value}" for name, value in machine().items())


def write_page(text: str, page: Path = _PAGE) -> None:
    """Write the table between the marks of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


assert set(CURVES) == set(FULL.curves), "every curve has a size"

if __name__ == "__main__":
    sys.exit(main())
