"""The targets: for each case what is compared, and how far it may or must be apart."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from creates import ASYNC, NODE, SYNC
from curve import Curve
from outcome import Series, Table, ratios
from scene import OURS
from start_cases import C_LOADER, CHANGED, LOADER
from watch_pass import COMPLETE, GET, QUICK

_QUICK_CHECKS = 10
"""Between two complete passes."""
_KIB = 1024
_LINEAR = 1.05
"""The largest exponent that counts as linear."""
_MOST_JOBS = 100_000


@dataclass(frozen=True)
class Figures:
    """All that one run of the benchmarks has measured. A case that was left out is missing."""

    tables: dict[str, Table]
    curves: dict[str, Curve]


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
        return f"{self.case}: {self.target}: {_number(self.median)} ({met})"

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


def _start(tables: Mapping[str, Table]) -> Iterator[Row]:
    for case, peer, shown, bound in (
        ("version", "python", "`--version`", 1.8),
        ("help", "click", "`--help`", 1.5),
        ("completion", "click", "completion of a command's name", 1.5),
    ):
        of = tables[case]
        yield at_most(shown, f"times bare {peer}", bound, ratios(of[OURS], of[peer], "cpu"))
    of = tables["status"]
    yield at_most("`status`, 100 jobs", "times bare click", 3, ratios(of[OURS], of["click"], "cpu"))


def _plan(tables: Mapping[str, Table]) -> Iterator[Row]:
    of = tables["plan"]
    if LOADER in of:
        yield faster("`plan`", "SafeLoader + jsonschema + json", 8, ratios(of[LOADER], of[OURS], "cpu"))
    for case, bound in (("`plan` for the first time", 1.5), ("`plan` again", 0.6)):
        yield at_most(case, "times the bare C loader", bound, ratios(of[OURS], of[C_LOADER], "cpu"))
    yield at_most("`plan`, one changed file", "times the unchanged case", 1.2, ratios(of[CHANGED], of[OURS], "cpu"))


def _creates(tables: Mapping[str, Table]) -> Iterator[Row]:
    of = tables["creates"]
    case = "creates until all have ended"
    for peer, bound in ((SYNC, 24), (ASYNC, 1.5), (NODE, 1.5)):
        if peer in of:
            yield faster(case, peer, bound, ratios(of[peer], of[OURS], "ended"))
    if SYNC in of:
        yield at_most(f"{case}: requests", f"times those of {SYNC}", 0.5, ratios(of[OURS], of[SYNC], "calls"))
    jobs = of[OURS].median("jobs")
    yield Row("the state after the creates", "KiB", [size / _KIB for size in of[OURS].values["state"]], None)
    yield at_most("commits", "for each create", 0.125, [commits / jobs for commits in of[OURS].values["commits"]])


def _watch(tables: Mapping[str, Table]) -> Iterator[Row]:
    of = tables["watch"]
    yield at_most(
        "a pass of `watch`: requests", "times those of a loop of gets", 0.01, ratios(of[QUICK], of[GET], "calls")
    )
    yield faster("quick check, 10 of 11 passes: CPU", "a loop of gets", 30, ratios(of[GET], of[QUICK], "cpu"))
    both = zip(of[QUICK].values["cpu"], of[COMPLETE].values["cpu"], strict=True)
    mean = Series("", {"cpu": [(_QUICK_CHECKS * quick + complete) / (_QUICK_CHECKS + 1) for quick, complete in both]})
    yield faster("mean of 11 passes: CPU", "a loop of gets", 30, ratios(of[GET], mean, "cpu"))


def _rows(tables: Mapping[str, Table]) -> Iterator[Row]:
    for case in ("validate", "upload", "collect", "results"):
        of = tables[case]
        checkers = [of[name] for name in ("jsonschema", "google.genai.types") if name in of]
        if checkers:
            fastest = min(checkers, key=lambda one: one.median("cpu"))
            yield faster(f"`{case}` of rows", fastest.name, 10, ratios(fastest, of[OURS], "cpu"))
        yield faster(f"`{case}` of rows", "a json loop", 2, ratios(of["json loop"], of[OURS], "cpu"))


def _store(tables: Mapping[str, Table]) -> Iterator[Row]:
    few, many = tables["emulator"].values()
    for kind in few.values:
        yield at_most(f"emulator with {many.name}: {kind}", f"times that with {few.name}", 2, ratios(many, few, kind))


_OF_TABLES: Mapping[str, Callable[[Mapping[str, Table]], Iterator[Row]]] = {
    "status": _start,
    "plan": _plan,
    "creates": _creates,
    "watch": _watch,
    "results": _rows,
    "emulator": _store,
}


def rows_of(figures: Figures) -> Iterator[Row]:
    """The rows of all cases that were measured."""
    for case, rows in _OF_TABLES.items():
        if case in figures.tables:
            yield from rows(figures.tables)
    for case, curve in figures.curves.items():
        for name, series in curve.series.items():
            for kind in curve.kinds:
                what = "processor time" if kind == "cpu" else "memory"
                size = f"{curve.sizes[-2]:,} to {curve.sizes[-1]:,} jobs"
                shown = f"`{case}`, {name}: growth of {what}, {size}"
                yield at_most(shown, "as exponent", _LINEAR, [curve.exponent(name, kind)])
            if case == "plan" and curve.sizes[-1] >= _MOST_JOBS:
                yield at_most(
                    f"memory of a plan of {_MOST_JOBS:,} jobs, {name}", "", 400, series[-1].values["peak"], "MiB"
                )


def markdown(rows: Sequence[Row]) -> str:
    """The table of targets as Markdown."""
    lines = ["| case | target | measured | from - to | met |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        span = f"{_number(min(row.measured))} - {_number(max(row.measured))}"
        met = {True: "yes", False: "no", None: ""}[row.is_met]
        lines.append(f"| {row.case} | {row.target} | {_number(row.median)} | {span} | {met} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
