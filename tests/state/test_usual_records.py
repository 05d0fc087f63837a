"""Records that are read many at once are those that are read one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from batchctl.model.recorded import JobRow
from batchctl.model.sources import UnknownSource
from batchctl.state.cells import Record
from batchctl.state.job_records import attempt_record, job_record, read_attempt, read_job
from batchctl.state.reading import UNREADABLE
from batchctl.state.usual_records import UsualRecords
from tests.state.test_roundtrip import ATTEMPTS, ROWS
from tests.support.long_mode import effort
from tests.support.state_samples import ACCOUNT, DIGEST, NOW, attempt, job

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
    return UsualRecords({}).read_jobs(columns, block)


def usual_attempts(columns: Sequence[str], block: Sequence[tuple[Any, ...]]) -> Sequence[RecordedAttempt] | None:
    return UsualRecords({}).read_attempts(columns, block, {}, {})


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


LIKE = DesiredJob(
    name="translate",
    kind=Kind.BATCH_JOB,
    provider="eu",
    account=ACCOUNT,
    model="m",
    source=UnknownSource(),
    digest=DIGEST,
    tree={"model": "m", "source": {"rows": 2}},
    path="jobs/translate.yaml",
    location=Location("jobs/translate.yaml"),
    display_name="Translate",
    input_bytes=4000,
    row_hashes='{"a":"b"}',
)
SAME = job(path=LIKE.path, display_name=LIKE.display_name)
SAME_ATTEMPT = attempt(tree=LIKE.tree, input_bytes=LIKE.input_bytes, row_hashes=LIKE.row_hashes)


@pytest.mark.parametrize(
    ("row", "recorded"),
    [
        (SAME, SAME_ATTEMPT),
        (job(), attempt()),
        (job(path="other.yaml", display_name="Other"), attempt(tree={"model": "n"}, digest=DIGEST[:-1] + "0")),
        (SAME, attempt(digest=DIGEST[:15], tree={}, input_bytes=1, row_hashes="{}")),
        (SAME, attempt(tree={}, adopted=True)),
    ],
)
def test_records_are_the_same_beside_their_manifests(row: JobRow, recorded: RecordedAttempt) -> None:
    usual = UsualRecords({LIKE.name: LIKE})
    columns, cells = in_order(job_record(row))
    assert usual.read_jobs(columns, [cells]) == [row]
    columns, cells = in_order(attempt_record(recorded))
    assert usual.read_attempts(columns, [cells], {}, {}) == [recorded]


def test_records_share_the_texts_of_their_manifests() -> None:
    usual = UsualRecords({LIKE.name: LIKE})
    columns, cells = in_order(job_record(SAME))
    (row,) = usual.read_jobs(columns, [cells]) or ()
    assert all(getattr(row, name) is getattr(LIKE, name) for name in ("name", "path", "display_name"))
    columns, cells = in_order(attempt_record(SAME_ATTEMPT))
    (found,) = usual.read_attempts(columns, [cells], {row.name: row}, {}) or ()
    assert all(getattr(found, name) is getattr(LIKE, name) for name in ("digest", "tree", "row_hashes", "input_bytes"))
    assert found.key.job is LIKE.name
