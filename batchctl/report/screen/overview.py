"""The jobs of the live screen: their order and their counts, made once for each plan."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from batchctl.model.cost.job_cost import CostTotal, total_cost
from batchctl.model.forecast import ExpectedEnd, StackForecast
from batchctl.model.observed import RowCounts
from batchctl.model.states import ENDED_PHASES, NO_GOOD_PHASES, Phase
from batchctl.report.reports import StatusRow

CROWD = 200
"""The largest number of jobs that are listed one by one."""
_OLDEST = 5
"""The number of active jobs of a crowd that are listed although nothing is wrong with them."""


class Tally(Struct, frozen=True):
    """The rows of several jobs; jobs whose number of rows is not known are left out."""

    ok: int = 0
    failed: int = 0
    total: int = 0

    @classmethod
    def of(cls, rows: Iterable[StatusRow]) -> Tally:
        """The sum over jobs."""
        ok = failed = total = 0
        for row in rows:
            if row.rows.total is not None:
                ok += row.rows.ok or 0
                failed += failed_rows(row.rows)
                total += row.rows.total
        return cls(ok, failed, total)


def failed_rows(rows: RowCounts) -> int:
    """The rows without a good answer; of collected ones, those without any answer too."""
    return rows.bad - rows.not_sent if rows.verdicts else rows.failed or 0


class Group(Struct, frozen=True):
    """The jobs of one model."""

    model: str
    jobs: int
    phases: Mapping[Phase, int]
    rows: Tally


class Overview(Struct, frozen=True):
    """All jobs of a stack at one moment."""

    stack: str
    taken: datetime
    """The moment, by the local clock."""
    jobs: int
    phases: Mapping[Phase, int]
    rows: Tally
    cost: CostTotal | None
    """None if the stack has no price list."""
    end: ExpectedEnd | None
    """When the last job ends; None if that is not known of one of them."""
    listed: tuple[StatusRow, ...]
    """The jobs that are listed one by one: those that need a person first."""
    groups: tuple[Group, ...] = ()
    """By model, the largest first; only of a crowd."""


def make_overview(
    stack: str,
    rows: Sequence[StatusRow],
    taken: datetime,
    forecast: StackForecast | None = None,
    *,
    in_order: bool = False,
) -> Overview:
    """The overview of the jobs of a plan. `in_order`: their order is kept, because a person chose it."""
    phases = Counter(row.phase for row in rows)
    is_crowd = len(rows) > CROWD
    listed = _that_matter(rows) if is_crowd else tuple(rows) if in_order else by_attention(rows)
    return Overview(
        stack,
        taken,
        len(rows),
        phases,
        Tally.of(rows),
        total_cost(row.cost for row in rows) if any(row.cost.currency for row in rows) else None,
        None if forecast is None else forecast.end,
        tuple(listed),
        _by_model(rows) if is_crowd else (),
    )


def needs_a_person(row: StatusRow) -> bool:
    """Whether the job does not go on by itself, or a call for it fails."""
    return (
        row.phase in NO_GOOD_PHASES
        or row.phase is Phase.UNKNOWN
        or row.refused
        or row.trouble is not None
        or _is_stuck(row)
    )


def _is_stuck(row: StatusRow) -> bool:
    return row.forecast is not None and row.forecast.stuck is not None


def by_attention(rows: Iterable[StatusRow]) -> tuple[StatusRow, ...]:
    """First the jobs that need a person, the ended ones before others; then those that have not ended; by name."""
    return tuple(sorted(rows, key=lambda row: (_urgency(row), row.job)))


def _that_matter(rows: Sequence[StatusRow]) -> tuple[StatusRow, ...]:
    """Of a crowd: the jobs that need a person, and a few active ones."""
    urgent = by_attention(filter(needs_a_person, rows))
    return (*urgent, *_oldest(row for row in rows if not needs_a_person(row)))


def _urgency(row: StatusRow) -> int:
    if row.phase in NO_GOOD_PHASES:
        return 0
    if needs_a_person(row):
        return 1
    return 3 if row.phase in ENDED_PHASES else 2


def _oldest(rows: Iterable[StatusRow]) -> list[StatusRow]:
    """The active jobs whose deadline is nearest, then the oldest, in this order."""
    active = (row for row in rows if row.phase is Phase.ACTIVE)
    dated = [(row.deadline is None, row.deadline or row.create_time, row.job, row) for row in active]
    return [
        row
        for *_, row in heapq.nsmallest(
            _OLDEST, (entry for entry in dated if entry[1] is not None), key=lambda entry: entry[:3]
        )
    ]


def _by_model(rows: Iterable[StatusRow]) -> tuple[Group, ...]:
    found: dict[str, list[StatusRow]] = defaultdict(list)
    for row in rows:
        found[row.model or "-"].append(row)
    groups = (
        Group(model, len(jobs), Counter(row.phase for row in jobs), Tally.of(jobs)) for model, jobs in found.items()
    )
    return tuple(sorted(groups, key=lambda group: (-group.jobs, group.model)))
