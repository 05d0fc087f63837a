"""The targets: for each case what is compared, and how far it may or must be apart."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cases import ROW_CASES
from creates import ASYNC, NODE, SYNC
from curve import CURVES
from outcome import Series, ratios
from record import Figures, Measured
from scene import AGAIN, OURS
from start_cases import C_LOADER, CHANGED, FEW, LOADER
from watch_pass import COMPLETE, GET, QUICK

_QUICK_CHECKS = 10
"""Between two complete passes."""
_KIB = 1024
_LINEAR = 1.05
"""The largest exponent that counts as linear."""
_MOST_JOBS = 100_000
_FLAT = 1.1
"""The largest growth of memory, for ten times as many rows, that counts as none."""
FEWER = "a tenth of the rows"
_CHECKERS = ("jsonschema", "google.genai.types")
_FROM_JSON = "google.genai.types, from JSON"
"""The fastest use of its types: without a target, because for rows of an input it takes two types of one's own."""


@dataclass(frozen=True)
class Row:
    """One row of the table of targets."""

    case: str
    target: str
    measured: Sequence[float]
    """The ratio of each round."""
    bound: float | None
    """None: there is no target, the figure is only shown."""
    at_least: bool = False

    @property
    def median(self) -> float:
        """The middle of all rounds."""
        return statistics.median(self.measured)

    @property
    def words(self) -> str:
        """It in one line."""
        met = {True: "met", False: "missed", None: "no target"}[self.is_met]
        return f"{self.case}: {self.target}: {number(self.median)} ({met})"

    @property
    def is_met(self) -> bool | None:
        """Whether the median keeps the bound; None without one."""
        if self.bound is None:
            return None
        return self.median >= self.bound if self.at_least else self.median <= self.bound


def at_most(case: str, what: str, bound: float, measured: Sequence[float]) -> Row:
    """A target that is met by staying below."""
    return Row(case, f"at most {bound:g} {what}", measured, bound)


def faster(case: str, peer: str, bound: float, measured: Sequence[float]) -> Row:
    """A target that is met by being so many times as fast as a peer."""
    return Row(case, f"at least {bound:g} times as fast as {peer}", measured, bound, at_least=True)


def shown_only(case: str, what: str, measured: Sequence[float]) -> Row:
    """A figure without a target."""
    return Row(case, what, measured, None)


def _start(of: Measured) -> Iterator[Row]:
    for case, peer, shown, bound in (
        ("version", "python", "`--version`", 1.8),
        ("help", "click", "`--help`", 1.5),
        ("completion", "click", "completion of a command's name", 1.5),
        ("status", "click", f"`status`, {FEW} jobs", 3),
    ):
        table = of.tables[case]
        yield at_most(shown, f"times bare {peer}", bound, ratios(table[OURS], table[peer], "cpu"))


def _plan(of: Measured) -> Iterator[Row]:
    table, case = of.tables["plan"], f"`plan` of {of.sizes.jobs:,} unchanged jobs"
    if LOADER in table:
        yield faster(case, "SafeLoader + jsonschema + json", 8, ratios(table[LOADER], table[OURS], "cpu"))
    yield at_most(case, "times the bare C loader", 1.5, ratios(table[OURS], table[C_LOADER], "cpu"))
    yield at_most(f"{case}, again", "times the bare C loader", 0.6, ratios(table[AGAIN], table[C_LOADER], "cpu"))
    again = ratios(table[CHANGED], table[AGAIN], "cpu")
    yield at_most(f"{case}, one changed", "times the unchanged case", 1.2, again)


def _creates(of: Measured) -> Iterator[Row]:
    table, creates = of.tables["creates"], f"{of.sizes.creates:,} creates"
    for peer, bound in ((SYNC, 24), (ASYNC, 1.5), (NODE, 1.5)):
        if peer in table:
            yield faster(f"{creates} until all have ended", peer, bound, ratios(table[peer], table[OURS], "ended"))
    for peer in (SYNC, ASYNC, NODE):
        if peer in table:
            fewer = ratios(table[OURS], table[peer], "calls")
            yield at_most(f"{creates}: requests", f"times those of {peer}", 0.5, fewer)
    ours = table[OURS].values
    yield at_most(
        f"{creates}: commits", "for each create", 0.125, [commits / of.sizes.creates for commits in ours["commits"]]
    )
    yield shown_only(f"{creates}: state", "KiB in the file", [size / _KIB for size in ours["state"]])
    yield shown_only(f"{creates}: state", "KiB written into its log", [size / _KIB for size in ours["logged"]])
    yield shown_only(f"{creates}: lock", "s held in all", ours["held"])
    yield shown_only(f"{creates}: lock", "s held at once", ours["longest"])


def _watch(of: Measured) -> Iterator[Row]:
    table, jobs = of.tables["watch"], f"{of.sizes.jobs:,} active jobs"
    if GET not in table:
        return
    case = f"a pass of `watch` over {jobs}: requests"
    yield at_most(case, "times those of a loop of gets", 0.01, ratios(table[QUICK], table[GET], "calls"))
    yield faster("quick check, 10 of 11 passes: CPU", "a loop of gets", 30, ratios(table[GET], table[QUICK], "cpu"))
    both = zip(table[QUICK].values["cpu"], table[COMPLETE].values["cpu"], strict=True)
    mean = Series("", {"cpu": [(_QUICK_CHECKS * quick + complete) / (_QUICK_CHECKS + 1) for quick, complete in both]})
    yield faster("mean of 11 passes: CPU", "a loop of gets", 30, ratios(table[GET], mean, "cpu"))


def _rows(case: str, of: Measured) -> Iterator[Row]:
    table, shown = of.tables[case], f"`{case}`, {of.sizes.rows:,} rows"
    checkers = [table[name] for name in _CHECKERS if name in table]
    if checkers:
        fastest = min(checkers, key=lambda one: one.median("cpu"))
        yield faster(shown, fastest.name, 10, ratios(fastest, table[OURS], "cpu"))
    if _FROM_JSON in table:
        yield shown_only(shown, f"times as fast as {_FROM_JSON}", ratios(table[_FROM_JSON], table[OURS], "cpu"))
    yield faster(shown, "a json loop", 2, ratios(table["json loop"], table[OURS], "cpu"))
    fewer = of.tables[f"{case}, {FEWER}"][OURS]
    growth = [peak / fewer.median("peak") for peak in table[OURS].values["peak"]]
    yield at_most(f"{shown}: memory", f"times that of {FEWER}", _FLAT, growth)


def _emulator(of: Measured) -> Iterator[Row]:
    for case, table in of.tables.items():
        few, many = table.values()
        yield at_most(f"{case}, {many.name} stored", f"times that with {few.name}", 2, ratios(many, few, "cpu"))


def _curves(of: Measured) -> Iterator[Row]:
    for case, curve in of.curves.items():
        span = f"{curve.sizes[-2]:,} to {curve.sizes[-1]:,} jobs"
        for name in curve.names:
            for kind in curve.kinds:
                what = "processor time" if kind == "cpu" else "memory"
                shown = f"`{case}`, {name}: growth of {what}, {span}"
                yield at_most(shown, "as exponent", _LINEAR, [curve.exponent(name, kind)])
        if case == "plan" and _MOST_JOBS in curve.sizes:
            point = curve.points[curve.sizes.index(_MOST_JOBS)]
            for name, series in point.items():
                megabytes = [peak * _KIB**2 / 1e6 for peak in series.values["peak"]]
                yield at_most(f"memory of a plan of {_MOST_JOBS:,} jobs, {name}", "MB", 400, megabytes)


_OF_GROUPS: Mapping[str, Callable[[Measured], Iterator[Row]]] = {
    "start": _start,
    "plan": _plan,
    "creates": _creates,
    "watch": _watch,
    **{case: partial(_rows, case) for case in ROW_CASES},
    "emulator": _emulator,
    **{f"{case}-curve": _curves for case in CURVES},
}
GROUPS = tuple(_OF_GROUPS)
"""The groups of cases, in the order of the table."""


def rows_of(figures: Figures) -> Iterator[Row]:
    """The rows of all cases that were measured."""
    for group, rows in _OF_GROUPS.items():
        if group in figures:
            yield from rows(figures[group])


def target_table(rows: Sequence[Row]) -> str:
    """The table of targets as Markdown."""
    lines = ["| case | target | measured | from - to | met |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        span = f"{number(min(row.measured))} - {number(max(row.measured))}"
        met = {True: "yes", False: "no", None: ""}[row.is_met]
        lines.append(f"| {row.case} | {row.target} | {number(row.median)} | {span} | {met} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits, or all in front of the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
