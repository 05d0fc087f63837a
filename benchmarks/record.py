"""The figures of the benchmarks, kept in `figures.json`: what docs/performance.md says is made from them.

A group of cases is measured in one run, so its ratios are those of one run. Groups may be of different runs: each has
its own date, version, machine and sizes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curve import Curve
from outcome import Series, Table, plain
from timing import ROOT, machine

FIGURES = Path(__file__).with_name("figures.json")
_DIGITS = 5


@dataclass(frozen=True)
class Sizes:
    """How much was measured."""

    rows: int
    row_bytes: int
    jobs: int
    creates: int
    rounds: int
    latency: float
    """Seconds of each call of a create."""


@dataclass(frozen=True)
class Measured:
    """What one run of a group has measured."""

    about: Mapping[str, str]
    """When, which version, and the machine."""
    sizes: Sizes
    tables: Mapping[str, Table] = field(default_factory=dict)
    """By case."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """By case."""


Figures = dict[str, Measured]
"""By group."""


def about_this() -> Mapping[str, str]:
    """The date, the version of batchctl, and the machine with its load now."""
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "version": _version(), **machine()}


def _version() -> str:
    """The commit; with a plus if the package was changed since."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if commit.returncode != 0:
        return "unknown"
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "batchctl"], cwd=ROOT, check=False)
    return commit.stdout.strip() + ("+" if changed.returncode else "")


def write_figures(figures: Figures, path: Path = FIGURES) -> None:
    """Replace the groups that are in these figures; others stay."""
    document = {**_read(path), **{group: _document(measured) for group, measured in figures.items()}}
    path.write_text(json.dumps(dict(sorted(document.items())), indent=1) + "\n", encoding="utf-8")


def read_figures(path: Path = FIGURES) -> Figures:
    """All groups that were ever measured."""
    return {group: _measured(found) for group, found in _read(path).items()}


def _read(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _document(measured: Measured) -> Mapping[str, object]:
    return {
        "about": measured.about,
        "sizes": asdict(measured.sizes),
        "tables": {case: _rounded(table) for case, table in measured.tables.items()},
        "curves": {
            case: {"sizes": curve.sizes, "points": [_rounded(point) for point in curve.points]}
            for case, curve in measured.curves.items()
        },
    }


def _rounded(table: Table) -> Mapping[str, Mapping[str, list[float]]]:
    return {
        name: {kind: [float(f"{value:.{_DIGITS}g}") for value in values] for kind, values in kinds.items()}
        for name, kinds in plain(table).items()
    }


def _measured(found: Mapping[str, Any]) -> Measured:
    curves = {
        case: Curve(case, of["sizes"], [_table(point) for point in of["points"]])
        for case, of in found["curves"].items()
    }
    tables = {case: _table(of) for case, of in found["tables"].items()}
    return Measured(found["about"], Sizes(**found["sizes"]), tables, curves)


def _table(found: Mapping[str, Any]) -> Table:
    return {name: Series(name, kinds) for name, kinds in found.items()}
