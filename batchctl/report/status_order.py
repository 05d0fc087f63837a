"""The order of the jobs of a status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from batchctl.model.states import Phase
from batchctl.report.reports import StatusReport, StatusRow


class SortKey(StrEnum):
    """The key that a list of jobs is sorted by."""

    JOB = "job"
    PHASE = "phase"
    STATE = "state"
    ATTEMPT = "attempt"
    ROWS = "rows"
    MODEL = "model"
    PROVIDER = "provider"
    AGE = "age"
    CREATE_TIME = "createTime"
    START_TIME = "startTime"
    END_TIME = "endTime"


def sort_status(report: StatusReport, key: SortKey) -> StatusReport:
    """The same jobs, smallest and oldest first, those without a value last, and equal ones by name.

    Phases come in the order of a job's life. By age, the youngest come first.
    """
    value = _VALUES[key]
    keyed = [(value(row), row) for row in sorted(report.jobs, key=lambda row: row.job)]
    known = [(found, row) for found, row in keyed if found is not None]
    known.sort(key=lambda pair: pair[0])
    unknown = [row for found, row in keyed if found is None]
    return replace(report, jobs=(*(row for _, row in known), *unknown))


_PHASES = {phase: place for place, phase in enumerate(Phase)}
_VALUES: Mapping[SortKey, Callable[[StatusRow], str | float | None]] = {
    SortKey.JOB: lambda row: row.job,
    SortKey.PHASE: lambda row: _PHASES[row.phase],
    SortKey.STATE: lambda row: row.state,
    SortKey.ATTEMPT: lambda row: row.attempt,
    SortKey.ROWS: lambda row: row.rows.total,
    SortKey.MODEL: lambda row: row.model,
    SortKey.PROVIDER: lambda row: row.provider,
    SortKey.AGE: lambda row: None if row.create_time is None else -row.create_time.timestamp(),
    SortKey.CREATE_TIME: lambda row: _seconds(row.create_time),
    SortKey.START_TIME: lambda row: _seconds(row.start_time),
    SortKey.END_TIME: lambda row: _seconds(row.end_time),
}


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
