"""Writes the figures of `figures.json` into docs/performance.md, and the plots beside it.

    python benchmarks/page.py

The texts between the marks of the page are written by this program, and by nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import ROW_CASES
from curve import UNITS, plot
from outcome import Series, Table
from record import Figures, Measured, read_figures
from start_cases import FEW
from targets import GROUPS, number, rows_of, target_table
from timing import ROOT

PAGE = ROOT / "docs" / "performance.md"


def blocks(figures: Figures) -> Mapping[str, str]:
    """What belongs between the marks of the page, by the name of the mark."""
    return {
        "targets": f"{target_table(list(rows_of(figures)))}\n\n{_counted(figures)}",
        "runs": _runs(figures),
        "figures": _figures(figures),
        "growth": _growth(figures),
    }


def written(page: str, figures: Figures) -> str:
    """The page with these figures. Raises ValueError if a mark is missing."""
    for name, text in blocks(figures).items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise ValueError(f"the page has no place for {name}: <!-- {name} -->")
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page


def plots(figures: Figures) -> Mapping[str, str]:
    """The plots, by the name of their file."""
    return {f"{case}-curve.svg": plot(curve) for one in figures.values() for case, curve in one.curves.items()}


def _counted(figures: Figures) -> str:
    """How many targets are met."""
    met = [row.is_met for row in rows_of(figures) if row.is_met is not None]
    return f"{sum(met)} of {len(met)} targets are met."


def _in_order(figures: Figures) -> Iterator[tuple[str, Measured]]:
    return ((group, figures[group]) for group in GROUPS if group in figures)


def _runs(figures: Figures) -> str:
    lines = [
        "| case | size | measured on | version | rounds | load | takes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for group, one in _in_order(figures):
        of, when = one.about, date.fromisoformat(one.about["date"])
        shown = f"{when.day} {when:%B %Y} | `{of['version']}` | {one.sizes.rounds} | {of['load']} | {of['takes']}"
        lines.append(f"| {group} | {_size(group, one)} | {shown} |")
    machines = {f"{of.about['processor']}, Python {of.about['python']}, {of.about['peers']}" for of in figures.values()}
    return "\n".join([*lines, "", f"Machine and peers: {'; '.join(sorted(machines))}."])


def _size(group: str, measured: Measured) -> str:
    """What a group was measured with."""
    sizes = measured.sizes
    if group in ROW_CASES:
        return f"{sizes.rows:,} rows of {sizes.row_bytes} bytes"
    if group == "creates":
        return f"{sizes.creates:,} jobs, {sizes.latency * 1000:g} ms a call"
    if measured.curves:
        return "; ".join(f"up to {curve.sizes[-1]:,} jobs" for curve in measured.curves.values())
    return f"{FEW if group == 'start' else sizes.jobs:,} jobs"


_HEAD = """\
| case | | CPU s | spread | s | MiB | calls |
| --- | --- | --- | --- | --- | --- | --- |"""


def _figures(figures: Figures) -> str:
    lines = [_HEAD]
    for _, one in _in_order(figures):
        for case, table in one.tables.items():
            lines += _figures_of(case, table)
    return "\n".join(lines)


def _figures_of(case: str, table: Table) -> Iterator[str]:
    for name, series in table.items():
        seconds = _shown(series, "ended" if "ended" in series.values else "wall")
        rest = f"{_shown(series, 'peak')} | {_shown(series, 'calls')}"
        yield f"| {case} | {name} | {_shown(series, 'cpu')} | {series.spread('cpu'):.0%} | {seconds} | {rest} |"


def _shown(series: Series, kind: str) -> str:
    return number(series.median(kind)) if kind in series.values else ""


def _growth(figures: Figures) -> str:
    curves = [curve for _, one in _in_order(figures) for curve in one.curves.values()]
    sizes = sorted({size for curve in curves for size in curve.sizes})
    lines = [
        "| | " + "".join(f"{size:,} jobs | " for size in sizes) + "exponent of growth |",
        "| --- | " + "--- | " * (len(sizes) + 1),
    ]
    for curve in curves:
        for name in curve.names:
            for kind in curve.kinds:
                values = dict(zip(curve.sizes, curve.medians(name, kind), strict=True))
                shown = "".join(f"{number(values[size]) if size in values else ''} | " for size in sizes)
                lines.append(f"| `{curve.case}`, {name}: {UNITS[kind]} | {shown}{curve.exponent(name, kind):.2f} |")
    return "\n".join(line.rstrip() for line in lines)


def write_page(figures: Figures, page: Path = PAGE) -> None:
    """Write the texts and the plots."""
    page.write_text(written(page.read_text(encoding="utf-8"), figures), encoding="utf-8")
    for name, text in plots(figures).items():
        (page.parent / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_page(read_figures())
