"""The lines of the live screen: a function of values, which knows neither clock nor terminal."""

from __future__ import annotations

from batchctl.report.layout import count, outside
from batchctl.report.rich_text import cut
from batchctl.report.screen.cells import bar, cost_words, ends_in
from batchctl.report.screen.jobs import job_lines, phase_parts
from batchctl.report.screen.overview import Group, Overview, Tally
from batchctl.report.screen.table import Column, keep_columns, table_lines
from batchctl.report.screen.view import ScreenView
from batchctl.report.text import Text

_AIRY = 24
"""The number of lines from which blank lines separate the parts."""
_MOST_TASKS = 3
_MOST_GROUPS = 8
_HEAD_BAR = 20


def draw(view: ScreenView, width: int, height: int) -> list[Text]:
    """The lines, none wider than `width`. A quarter of the screen is left to the lines above it."""
    most = max(1, height - max(3, height // 4))
    foot = [*_tasks(view, width), *_foot(view, width)][-most:]
    if view.overview is None:
        return foot
    air = [Text()] if most >= _AIRY else []
    head = [*air, *_head(view.overview, view, width), *air]
    groups = [*_groups(view.overview, view, width), *air] if view.overview.groups else []
    jobs = job_lines(view.overview, view, width, most - len(head) - len(groups) - len(foot) - len(air))
    lines = [*head, *groups, *jobs, *(air if jobs else ()), *foot]
    # On a screen of a few lines, the counts and the last line are what is left.
    return lines if len(lines) <= most else [*head[: most - 1], *foot[-1:]][:most]


def _head(overview: Overview, view: ScreenView, width: int) -> list[Text]:
    """The phases of all jobs, and the rows of all."""
    phases = [piece for part in phase_parts(overview.phases) for piece in (", ", part)]
    line = Text.assemble((overview.stack, "bold"), f": {count(overview.jobs, 'job')}", *phases)
    facts = [*_rows_words(overview.rows, view), *_outlook(overview, view)]
    lines = [line, *([Text.joined(", ", facts)] if facts else [])]
    return [cut(one, width) for one in lines]


def _rows_words(rows: Tally, view: ScreenView) -> list[Text]:
    if not rows.total:
        return []
    share = 100 * (rows.ok + rows.failed) // rows.total
    done = Text.assemble(
        "rows ",
        bar(rows, _HEAD_BAR, is_unicode=view.is_unicode),
        f" {rows.ok:,}/{rows.total:,}",
        (f" ({share} %)", "dim"),
    )
    return [done, *([Text(f"{rows.failed:,} failed", "red")] if rows.failed else [])]


def _outlook(overview: Overview, view: ScreenView) -> list[Text]:
    """When all jobs end, and the cost of all, as far as that is known."""
    words = []
    if overview.end is not None:
        words.append(Text.assemble("ends in ", ends_in(overview.end, view.now)))
    cost = "" if overview.cost is None else cost_words(overview.cost)
    return [*words, *([Text(cost)] if cost else [])]


def _groups(overview: Overview, view: ScreenView, width: int) -> list[Text]:
    """A line for each model."""
    groups = overview.groups[:_MOST_GROUPS]
    columns = [
        Column("MODEL", [outside(group.model, "bold") for group in groups], 0),
        Column("JOBS", [Text(f"{group.jobs:,}") for group in groups], 0),
        Column("DONE", [bar(group.rows, is_unicode=view.is_unicode) for group in groups], 1),
        Column("ROWS", [Text(_group_rows(group)) for group in groups], 2),
        Column("PHASES", [Text.joined(", ", phase_parts(group.phases)) for group in groups], 3, 8),
    ]
    more = len(overview.groups) - len(groups)
    rest = [Text(f"and {count(more, 'more model')}", "dim")] if more else []
    return [*table_lines(keep_columns(columns, width), width), *rest]


def _group_rows(group: Group) -> str:
    return f"{group.rows.ok:,}/{group.rows.total:,}" if group.rows.total else "-"


def _tasks(view: ScreenView, width: int) -> list[Text]:
    """Slow work, with a bar where the number of bytes is known."""
    lines = []
    for task in view.tasks[:_MOST_TASKS]:
        done: list[Text | str] = []
        if task.total and task.done:
            done = [bar(Tally(min(task.done, task.total), 0, task.total), is_unicode=view.is_unicode), " "]
        lines.append(cut(Text.assemble(outside(task.what), "  ", *done, (task.amount, "dim")), width))
    more = len(view.tasks) - len(lines)
    return [*lines, *([Text(f"and {count(more, 'more task')}", "dim")] if more > 0 else [])]


def _foot(view: ScreenView, width: int) -> list[Text]:
    waits = [outside(view.waits, "yellow")] if view.waits else []
    foot = [Text(view.foot, "dim")] if view.foot else []
    return [cut(line, width) for line in (*waits, *foot)]
