"""Draws how the time and the memory of plans, passes and creates grow with the number of jobs.

    python benchmarks/curve.py [plan] [pass] [apply] [--most N] [--rounds N] [--folder DIR] [--svg DIR]
    python benchmarks/curve.py plan --most 100000         # takes long

A plan is one of unchanged jobs. A pass of `watch` is complete, or a quick check. `apply` creates the jobs against a
service without latency, whose jobs end at once, and collects them. Both axes of a plot are logarithmic, so a line of
slope one is linear growth: the exponent is the slope between the last two sizes, and 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from creates import create_all
from line_plot import Line, draw
from many_jobs import make_many
from outcome import Series
from scene import OURS
from start_cases import offline
from timing import machine, run_once
from watch_pass import COMPLETE, QUICK, watch_all

_LEAST = 100
_COLORS = ("#1f6feb", "#d1570c", "#7fb0f5", "#f0a877")
_UNITS = {"cpu": "CPU seconds", "peak": "MiB"}


@dataclass(frozen=True)
class Curve:
    """Figures by the number of jobs."""

    case: str
    sizes: Sequence[int]
    series: Mapping[str, Sequence[Series]]
    """For each way to do it, such as a complete pass: its figures at each size."""

    def exponent(self, name: str, kind: str) -> float:
        """The growth between the last two sizes: 1 is linear, 2 is quadratic."""
        *_, before, last = (one.median(kind) for one in self.series[name])
        return math.log(last / before) / math.log(self.sizes[-1] / self.sizes[-2])

    @property
    def kinds(self) -> Sequence[str]:
        """The figures that there are."""
        return tuple(next(iter(self.series.values()))[0].values)


def _plan(jobs: int, rounds: int, folder: Path | None) -> Mapping[str, Series]:
    series = Series("unchanged")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=folder) as name:
            run = run_once(offline(make_many(Path(name) / "many", jobs), "plan"))
            series.add(cpu=run.cpu, peak=run.peak)
    return {series.name: series}


def _pass(jobs: int, rounds: int, folder: Path | None) -> Mapping[str, Series]:
    table = watch_all(jobs, rounds, alone=True, folder=folder)
    names = {"complete": table[COMPLETE], "quick check": table[QUICK]}
    return {name: Series(name, {"cpu": one.values["cpu"]}) for name, one in names.items()}


def _apply(jobs: int, rounds: int, _folder: Path | None) -> Mapping[str, Series]:
    ours = create_all(jobs, 0.0, rounds, alone=True)[OURS]
    return {"create and collect": Series(OURS, {kind: ours.values[kind] for kind in _UNITS})}


CURVES: Mapping[str, Callable[[int, int, Path | None], Mapping[str, Series]]] = {
    "plan": _plan,
    "pass": _pass,
    "apply": _apply,
}


def measure(case: str, most: int, rounds: int, folder: Path | None = None) -> Curve:
    """Measure at 100, 1,000, … jobs, and print a line for each."""
    sizes = [10**power for power in range(2, 7) if 10**power <= max(most, 10 * _LEAST)]
    points = []
    for size in sizes:
        points.append(CURVES[case](size, rounds, folder))
        shown = [
            f"{name} {one.median(kind):.3g} {_UNITS[kind]}" for name, one in points[-1].items() for kind in one.values
        ]
        print(f"{case}, {size:,} jobs: {'; '.join(shown)}", flush=True)
    return Curve(case, sizes, {name: [point[name] for point in points] for name in points[0]})


def plot(curve: Curve) -> str:
    """The plot as SVG."""
    lines = [
        Line(f"{curve.case}, {name}: {_UNITS[kind]}", [one.median(kind) for one in series])
        for name, series in curve.series.items()
        for kind in curve.kinds
    ]
    colors = _COLORS if len(curve.kinds) > 1 else _COLORS[::2]
    return draw([f"{size:,} jobs" for size in curve.sizes], curve.sizes, lines, colors)


def main() -> int:
    """Measure, print the exponents, and write the plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or several of: {', '.join(CURVES)}")
    parser.add_argument("--most", type=int, default=10_000, help="the largest number of jobs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="runs at each size (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the stacks are written (default: the system's)")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="write plots into DIR, such as docs")
    asked = parser.parse_args()
    unknown = [name for name in asked.cases if name not in CURVES]
    if unknown:
        parser.error(f"there is no curve {unknown[0]}")
    print(", ".join(f"{name}: {value}" for name, value in machine().items()), flush=True)
    for case in asked.cases or CURVES:
        curve = measure(case, asked.most, asked.rounds, asked.folder)
        for name in curve.series:
            grows = ", ".join(f"{_UNITS[kind]} {curve.exponent(name, kind):.2f}" for kind in curve.kinds)
            print(f"{case}, {name}: exponent of growth: {grows}", flush=True)
        if asked.svg is not None:
            (asked.svg / f"{case}-curve.svg").write_text(plot(curve), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
