"""`status`, `validate` and `version` as text."""

from __future__ import annotations

from datetime import datetime

from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.report.console import Console
from batchctl.report.cost_text import cost_text, has_money, retirement_sentences, spent_sentence
from batchctl.report.display_times import age
from batchctl.report.fit import Column, fit
from batchctl.report.forecast import end_words, ends_in
from batchctl.report.layout import (
    GAP,
    LEAST_WIDTH,
    NOTE_INDENT,
    Row,
    count,
    outside,
    write_heading,
    write_line,
    write_table,
)
from batchctl.report.reports import StatusReport, StatusRow, VersionReport
from batchctl.report.text import Text
from batchctl.report.words import PHASE_STYLES, phase_summary, rows_text, state_text

HEADER = ("JOB", "PHASE", "STATE", "ATTEMPT", "ROWS", "MODEL", "AGE")


def write_status(report: StatusReport, console: Console, now: datetime, *, verbose: bool = False) -> None:
    """The table of all jobs and a count of phases. `verbose` adds provider and remote name.

    `now` is this machine's clock, for rows whose account was not read.
    """
    if report.jobs:
        _write_rows(console, status_columns(report, now, verbose=verbose))
        write_line(console)
    write_line(console, (status_summary(report), "bold"))
    spent = spent_sentence(row.cost for row in report.jobs)
    for line in (*([spent] if spent else []), *retirement_sentences(report.retirements)):
        write_line(console, line)
    if report.forecast is not None and report.forecast.end is not None:
        write_line(console, f"The last job ends {end_words(report.forecast.end, _clock(report, now))}.")
    _write_stuck(report, console)
    if report.unread:
        write_heading(console, "Could not be read in full; shown as last recorded")
        rows = [Row((outside(name), outside(problem))) for name, problem in report.unread]
        write_table(console, rows, indent=2)


def _clock(report: StatusReport, now: datetime) -> datetime:
    """The time by the clock of the provider that was read, else by this machine's."""
    return max((row.now for row in report.jobs if row.now is not None), default=now)


def _write_stuck(report: StatusReport, console: Console) -> None:
    """The jobs that are stuck, and the way out."""
    stuck = [(row.job, row.forecast.stuck) for row in report.jobs if row.forecast and row.forecast.stuck]
    if stuck:
        write_heading(console, "Stuck; `batchctl explain NAME` says what to do")
        write_table(console, [Row((outside(job), Text(one.words))) for job, one in stuck], indent=2)


def status_columns(report: StatusReport, now: datetime, *, verbose: bool = False) -> list[Column]:
    """The columns of a table with at least one job; the reason is the last one."""
    priced = verbose and has_money(row.cost for row in report.jobs)
    header = (*HEADER, *(("COST",) if priced else ()), *(("ENDS", "PROVIDER", "REMOTE") if verbose else ()), "REASON")
    cells = zip(*(_status_cells(row, now, verbose=verbose, priced=priced) for row in report.jobs), strict=True)
    return [Column(title, column) for title, column in zip(header, cells, strict=True)]


def status_summary(report: StatusReport) -> str:
    """The number of jobs, and of those in each phase."""
    phases = phase_summary(row.phase for row in report.jobs)
    total = f"{count(len(report.jobs), 'job')} in stack {report.stack}"
    return f"{total}: {phases}." if phases else f"{total}."


def _write_rows(console: Console, columns: list[Column]) -> None:
    """The table; on a narrow terminal the reason moves under its job, and then columns shrink."""
    *others, reasons = columns
    if console.width - sum(column.width + GAP for column in others) >= min(LEAST_WIDTH, reasons.width):
        rows = [Row(cells) for cells in zip(*(column.cells for column in columns), strict=True)]
        write_table(console, rows, header=[column.title for column in columns])
        return
    first, *lines = fit(others, console.width)
    write_line(console, first)
    for line, reason in zip(lines, reasons.cells, strict=True):
        write_line(console, line)
        if reason.plain:
            write_line(console, " " * NOTE_INDENT, reason)


def write_valid(desired: DesiredStack, console: Console, *, verbose: bool = False) -> None:
    """That all manifests are valid. `verbose` lists the jobs and their places."""
    if verbose:
        rows = [
            Row((outside(job.name), Text(job.kind.value), outside(job.model), outside(_place(job))))
            for job in desired.jobs
        ]
        write_table(console, rows, indent=2)
    made = [(job.path, job.expansion.line) for job in desired.jobs if job.expansion is not None]
    matrices = "1 matrix" if len(set(made)) == 1 else f"{len(set(made))} matrices"
    more = f", {len(made)} of them from {matrices}" if made else ""
    write_line(console, ("ok", "green"), f": {count(len(desired.jobs), 'job')} in stack {desired.stack.name}{more}")


def _place(job: DesiredJob) -> str:
    """The place of the manifest, and the axis values if it has a matrix."""
    return str(job.location) if job.expansion is None else f"{job.location} with {job.expansion}"


def write_version(report: VersionReport, console: Console, *, verbose: bool = False) -> None:
    """One line; `verbose` adds the libraries."""
    write_line(console, outside(f"batchctl {report.version} (python {report.python}, {report.platform})"))
    if verbose:
        rows = [Row((outside(name), outside(version))) for name, version in sorted(report.libraries.items())]
        write_table(console, rows, indent=2)


def _status_cells(row: StatusRow, now: datetime, *, verbose: bool, priced: bool) -> tuple[Text, ...]:
    ends = "-" if row.forecast is None else ends_in(row.forecast.end, row.now or now)
    extra = (Text(ends), outside(row.provider or "-"), outside(row.remote or "-")) if verbose else ()
    return (
        outside(row.job, "bold"),
        Text(row.phase.value, PHASE_STYLES[row.phase]),
        outside(state_text(row.state)),
        Text("-" if row.attempt is None else str(row.attempt)),
        Text(rows_text(row.rows, row.part_of)),
        outside(row.model or "-"),
        Text(age(row.create_time, row.now or now)),
        *((Text(cost_text(row.cost)),) if priced else ()),
        *extra,
        outside(row.reason),
    )
