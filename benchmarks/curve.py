"""Draws how the processor time and the memory of `plan` grow with the number of jobs.

    python benchmarks/curve.py [--most N] [--svg FILE]
    python benchmarks/curve.py --most 100000              # takes long

Each plan is made twice: for the first time, and again with the cache of manifests that the first one wrote.
Both axes are logarithmic, so a line of slope one is linear growth.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import make_many
from start_cases import offline, with_cache
from timing import Run, run_once

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 320, 60, 30
_MEASURES: Sequence[Callable[[Run], float]] = (lambda run: run.cpu, lambda run: run.peak)
_SERIES = (
    ("CPU seconds", "#1f6feb"),
    ("MiB", "#d1570c"),
    ("CPU seconds, again", "#7fb0f5"),
    ("MiB, again", "#f0a877"),
)


def main() -> int:
    """Measure plans of 100, 1,000, … jobs, print a table, and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000, help="the largest number of jobs (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the stacks are written (default: the system's)")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the plot to FILE")
    asked = parser.parse_args()
    sizes = [10**power for power in range(2, 7) if 10**power <= asked.most]
    runs: list[tuple[Run, Run]] = []
    print(f"{'':8} {'first':>16} {'again':>16}")
    print(f"{'jobs':>8} {'CPU s':>8} {'MiB':>7} {'CPU s':>8} {'MiB':>7}")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=asked.folder) as name:
            command = with_cache(Path(name) / "cache", offline(make_many(Path(name) / "many", size), "plan"))
            runs.append((run_once(command), run_once(command)))
        shown = " ".join(f"{run.cpu:8.2f} {run.peak:7.0f}" for run in runs[-1])
        print(f"{size:8} {shown}", flush=True)
    if asked.svg is not None:
        asked.svg.write_text(draw(sizes, runs), encoding="utf-8")
    return 0


def draw(sizes: Sequence[int], runs: Sequence[tuple[Run, Run]]) -> str:
    """The plot as SVG."""
    values = [[measure(pair[place]) for pair in runs] for place in (0, 1) for measure in _MEASURES]
    low, high = math.floor(_log(min(map(min, values)))), math.ceil(_log(max(map(max, values))))
    first, last = _log(sizes[0]), _log(sizes[-1])

    def x(size: float) -> float:
        return _LEFT + (_log(size) - first) / max(last - first, 1) * (_WIDTH - 2 * _LEFT)

    def y(value: float) -> float:
        return _HEIGHT - _TOP - (_log(value) - low) / (high - low) * (_HEIGHT - 2 * _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        line = y(10.0**power)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{line:.1f}" y2="{line:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{line + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    parts += [f'<text x="{x(size):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{size:,} jobs</text>' for size in sizes]
    for number, ((name, color), series) in enumerate(zip(_SERIES, values, strict=True)):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, series, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{_LEFT + 8}" y="{_TOP + 16 * number}" fill="{color}">plan: {name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _log(value: float) -> float:
    return math.log10(value)


if __name__ == "__main__":
    sys.exit(main())
