"""The jobs of the live screen, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from batchctl.model.states import NO_GOOD_PHASES, Phase
from batchctl.report.layout import count, outside
from batchctl.report.reports import StatusRow
from batchctl.report.rich_text import cut, wrapped
from batchctl.report.screen.cells import age_cell, bar, cost_cell, end_cell, rows_cell
from batchctl.report.screen.overview import Overview, Tally, needs_a_person
from batchctl.report.screen.table import Column, keep_columns, table_lines
from batchctl.report.screen.view import ScreenView
from batchctl.report.text import Text
from batchctl.report.words import PHASE_STYLES, state_text

_MOST_NOTES = 3
"""Lines for the reason of a job that needs a person."""
_NOTE_INDENT = 4
_LEAST_ROOM = 3
"""The lines of a table with one job: the header, the job, the number of the others."""


def job_lines(overview: Overview, view: ScreenView, width: int, room: int) -> list[Text]:
    """The table of jobs in at most `room` lines, with a count of those that are left out."""
    if not overview.listed or room < _LEAST_ROOM:
        return []
    rows = overview.listed[:room]
    title, *lines = table_lines(keep_columns(_columns(rows, overview, view, width), width), width)
    entries = [[line, *_notes(row, view, width)] for row, line in zip(rows, lines, strict=True)]
    taken = _fitting(entries, room - 1, is_all=len(rows) == overview.jobs)
    shown = [line for entry in entries[:taken] for line in entry]
    rest = [_more(overview.phases, rows[:taken], width)] if taken < overview.jobs else []
    return [title, *shown, *rest] if shown else []


def phase_parts(phases: Mapping[Phase, int]) -> list[Text]:
    """`1 Failed`, `12 Active`: those that need a person first."""
    order = sorted(Phase, key=lambda phase: phase not in NO_GOOD_PHASES)
    return [Text(f"{phases[phase]:,} {phase}", PHASE_STYLES[phase]) for phase in order if phases.get(phase)]


def _fitting(entries: Sequence[Sequence[Text]], room: int, *, is_all: bool) -> int:
    """The number of entries that fit, with a line for the count of the others unless these are all."""
    if is_all and sum(map(len, entries)) <= room:
        return len(entries)
    used = taken = 0
    for entry in entries:
        if used + len(entry) > room - 1:
            break
        used, taken = used + len(entry), taken + 1
    return taken


def _more(phases: Mapping[Phase, int], shown: Sequence[StatusRow], width: int) -> Text:
    hidden = dict(phases)
    for row in shown:
        hidden[row.phase] -= 1
    words = f"and {count(sum(hidden.values()), 'more job')}: "
    return cut(Text.assemble(words, Text.joined(", ", phase_parts(hidden)), style="dim"), width)


def _columns(rows: Sequence[StatusRow], overview: Overview, view: ScreenView, width: int) -> list[Column]:
    """The columns, with the order in which they are dropped. Names stay."""

    def column(title: str, cell: Callable[[StatusRow], Text], rank: int, least: int | None = None) -> Column:
        return Column(title, [cell(row) for row in rows], rank, least)

    columns = [
        column("  JOB", _job_cell, 0),
        column("PHASE", lambda row: Text(row.phase.value, PHASE_STYLES[row.phase]), 12),
        column("STATE", lambda row: Text(state_text(row.state)), 4),
        column("ATTEMPT", lambda row: Text("-" if row.attempt is None else str(row.attempt)), 5),
        column("DONE", lambda row: bar(Tally.of([row]), is_unicode=view.is_unicode), 7),
        column("ROWS", rows_cell, 11),
        column("AGE", lambda row: age_cell(row, overview.taken, view.now), 10),
        column("ENDS IN", lambda row: end_cell(row, overview.taken, view.now), 9),
        column("COST", cost_cell, 8),
        column("MODEL", lambda row: outside(row.model or "-"), 3, 16),
    ]
    if view.verbose:
        columns.append(column("PROVIDER", lambda row: outside(row.provider or "-"), 2))
        columns.append(column("REMOTE", lambda row: outside(row.remote or "-"), 1))
    # Where nothing is known of any job, there is no column.
    columns = [one for one in columns if one.title not in {"ENDS IN", "COST"} or any(cell.plain for cell in one.cells)]
    return [*columns, column("REASON", lambda row: _reason_cell(row, view, width), 6, 16)]


def _job_cell(row: StatusRow) -> Text:
    """The name. A sign marks what needs a person, so that no colour is needed for it."""
    return Text.assemble(("! ", "bold red") if needs_a_person(row) else "  ", outside(row.job, "bold"))


def _reason_cell(row: StatusRow, view: ScreenView, width: int) -> Text:
    """The reason, but not that of a job that needs a person: it is below, in full."""
    return Text() if needs_a_person(row) else cut(outside(view.reason(row)), width)


def _notes(row: StatusRow, view: ScreenView, width: int) -> list[Text]:
    """The whole reason of a job that needs a person, because the way out is often at its end."""
    space = width - _NOTE_INDENT
    if space < 1 or not needs_a_person(row) or not view.reason(row):
        return []
    lines = [line.plain for line in wrapped(outside(view.reason(row)), space)]
    kept = [*lines[: _MOST_NOTES - 1], " ".join(lines[_MOST_NOTES - 1 :])] if len(lines) > _MOST_NOTES else lines
    return [Text.assemble(" " * _NOTE_INDENT, cut(Text(line), space)) for line in kept]
