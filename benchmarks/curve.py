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
from outcome import Series, Table
from scene import OURS
from start_cases import plan_alone
from timing import alternate, machine
from watch_pass import COMPLETE, QUICK, watch_all

_LEAST = 100
_COLORS = ("#1f6feb", "#d1570c", "#7fb0f5", "#f0a877")
UNITS = {"cpu": "CPU s", "peak": "MiB"}


@dataclass(frozen=True)
class Curve:
    """Figures by the number of jobs."""

    case: str
    sizes: Sequence[int]
    points: Sequence[Table]
    """At each size: the figures of each way to do it, such as a complete pass."""

    @property
    def names(self) -> Sequence[str]:
        """The ways to do it."""
        return tuple(self.points[0])

    def medians(self, name: str, kind: str) -> Sequence[float]:
        """One figure at each size."""
        return [point[name].median(kind) for point in self.points]

    def exponent(self, name: str, kind: str) -> float:
        """The growth between the last two sizes: 1 is linear, 2 is quadratic."""
        *_, before, last = self.medians(name, kind)
        return math.log(last / before) / math.log(self.sizes[-1] / self.sizes[-2])

    @property
    def kinds(self) -> Sequence[str]:
        """The figures that there are."""
        return tuple(self.points[0][self.names[0]].values)


def _plan(jobs: int, rounds: int, folder: Path | None) -> Table:
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=folder) as name:
        measure = plan_alone(make_many(Path(name) / "many", jobs), jobs)
        alternate([measure], rounds)
    return {"unchanged": _chosen(measure.series, "cpu", "peak")}


def _pass(jobs: int, rounds: int, folder: Path | None) -> Table:
    table = watch_all(jobs, rounds, alone=True, folder=folder)
    return {"complete": _chosen(table[COMPLETE], "cpu"), "quick check": _chosen(table[QUICK], "cpu")}


def _apply(jobs: int, rounds: int, folder: Path | None) -> Table:
    ours = create_all(jobs, 0.0, rounds, alone=True, folder=folder)[OURS]
    return {"create and collect": _chosen(ours, "cpu", "peak")}


def _chosen(series: Series, *kinds: str) -> Series:
    return Series(series.name, {kind: series.values[kind] for kind in kinds})


CURVES: Mapping[str, Callable[[int, int, Path | None], Table]] = {
    "plan": _plan,
    "pass": _pass,
    "apply": _apply,
}


def sizes_to(most: int) -> Sequence[int]:
    """100, 1,000 and so on."""
    return [10**power for power in range(2, 7) if 10**power <= max(most, 10 * _LEAST)]


def measure(case: str, sizes: Sequence[int], rounds: int, folder: Path | None = None) -> Curve:
    """Measure at these numbers of jobs, and print a line for each."""
    points = []
    for size in sizes:
        points.append(CURVES[case](size, rounds, folder))
        shown = [
            f"{name} {one.median(kind):.3g} {UNITS[kind]}" for name, one in points[-1].items() for kind in one.values
        ]
        print(f"{case}, {size:,} jobs: {'; '.join(shown)}", flush=True)
    return Curve(case, sizes, points)


def plot(curve: Curve) -> str:
    """The plot as SVG."""
    lines = [
        Line(f"{curve.case}, {name}: {UNITS[kind]}", curve.medians(name, kind))
        for name in curve.names
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
        curve = measure(case, sizes_to(asked.most), asked.rounds, asked.folder)
        for name in curve.names:
            grows = ", ".join(f"{UNITS[kind]} {curve.exponent(name, kind):.2f}" for kind in curve.kinds)
            print(f"{case}, {name}: exponent of growth: {grows}", flush=True)
        if asked.svg is not None:
            (asked.svg / f"{case}-curve.svg").write_text(plot(curve), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
