"""Records that are read many at once are those that are read one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.recorded import JobRow
from batchctl.state.cells import Record
from batchctl.state.job_records import attempt_record, job_record, read_attempt, read_job
from batchctl.state.reading import UNREADABLE
from batchctl.state.usual_records import read_usual_attempts, read_usual_jobs
from tests.state.test_roundtrip import ATTEMPTS, ROWS
from tests.support.long_mode import effort
from tests.support.state_samples import NOW, attempt, job

STRANGE = (
    None,
    "",
    "x",
    "2026-11-22T10:00:00",
    "[]",
    "{}",
    "null",
    0,
    1,
    2,
    -1,
    0.5,
    b"x",
)
"""Values for every column, most of which batchctl never writes there."""


def usual_jobs(columns: Sequence[str], block: Sequence[tuple[Any, ...]]) -> Sequence[JobRow] | None:
    return read_usual_jobs(columns, block)


def usual_attempts(columns: Sequence[str], block: Sequence[tuple[Any, ...]]) -> Sequence[RecordedAttempt] | None:
    return read_usual_attempts(columns, block, {}, {})


def in_order(record: Record) -> tuple[Sequence[str], tuple[Any, ...]]:
    columns = sorted(record)
    return columns, tuple(record[column] for column in columns)


def outcome(read: Callable[[], object]) -> object:
    """What a reader gives, by its representation: 1 equals true."""
    try:
        return repr(read())
    except UNREADABLE:
        return None


@settings(max_examples=effort(25, 1000), deadline=None)
@given(rows=ROWS, attempts=ATTEMPTS)
def test_everything_that_is_written_is_usual(rows: JobRow, attempts: RecordedAttempt) -> None:
    columns, cells = in_order(job_record(rows))
    assert usual_jobs(columns, [cells, cells]) == [read_job(dict(zip(columns, cells, strict=True)))] * 2 == [rows, rows]
    columns, cells = in_order(attempt_record(attempts))
    one = read_attempt(dict(zip(columns, cells, strict=True)), None)
    assert usual_attempts(columns, [cells]) == [one]
    assert repr(usual_attempts(columns, [cells])) == repr([one])


@pytest.mark.parametrize(
    ("record", "many", "single"),
    [
        (job_record(job(webhook={}, removing_time=NOW)), usual_jobs, read_job),
        (attempt_record(attempt(create_time=NOW)), usual_attempts, lambda stored: read_attempt(stored, None)),
    ],
    ids=["jobs", "attempts"],
)
def test_a_strange_value_is_left_to_the_reader_of_single_records(
    record: Record, many: Callable[..., Any], single: Callable[..., object]
) -> None:
    left = 0
    for column in record:
        for value in STRANGE:
            columns, cells = in_order({**record, column: value})  # type: ignore[dict-item]
            usual = outcome(lambda cells=cells, columns=columns: many(columns, [cells])[0])
            if usual is None:
                left += 1
            else:
                assert usual == outcome(lambda changed={**record, column: value}: single(changed)), (column, value)
    assert left > len(record)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    columns, cells = in_order({**attempt_record(attempt()), "end_time": "2026-11-22T11:00:00+01:00"})
    assert usual_attempts(columns, [cells]) == [attempt(end_time=NOW)]


def test_a_table_with_other_columns_is_not_usual() -> None:
    columns, cells = in_order({**job_record(job()), "cost": 7})
    assert usual_jobs(columns, [cells]) is None
    columns, cells = in_order({**attempt_record(attempt()), "cost": 7})
    assert usual_attempts(columns, [cells]) is None
