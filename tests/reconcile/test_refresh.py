"""What is written down of a look."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import Intent, Operation, RecordedAttempt, Trouble
from batchctl.model.observed import Moment, RowCounts
from batchctl.model.states import TERMINAL_STATES
from batchctl.model.steps import Collect, Note, RecordAttempt
from batchctl.reconcile.view import refresh as refreshing
from batchctl.reconcile.view.refresh import refresh
from tests.support.decisions import (
    FAILURE,
    HOUR,
    MINUTE,
    NOW,
    THERE,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
)
from tests.support.values import replace

RUNNING = attempt(1)


# --- what is written down of a look


def refreshed(record: RecordedAttempt, **fields: object) -> RecordedAttempt:
    made = decide([job()], [row(job(), record)], [look(seen(record, **fields))])
    assert made.jobs[0].attempt is not None
    return made.jobs[0].attempt


def test_a_refresh_takes_over_state_times_rows_and_error() -> None:
    record = attempt(1, "PENDING")
    ended = NOW - MINUTE

    made = Situation(
        job(),
        row(job(), record),
        look(seen(record, "FAILED", start_time=NOW - HOUR, end_time=ended, rows=RowCounts(3, 1, 2), error=FAILURE)),
    ).decide()

    steps = made.jobs[0].steps
    changed = replace(
        record,
        state="JOB_STATE_FAILED",
        start_time=NOW - HOUR,
        end_time=ended,
        rows=RowCounts(3, 1, 2),
        error=FAILURE,
    )
    assert steps[0] == RecordAttempt(changed, Note.REFRESHED)
    assert isinstance(steps[1], Collect)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
@pytest.mark.parametrize("later", ["RUNNING", "SUCCEEDED", "FAILED", "BREWING"])
def test_nothing_leaves_a_terminal_state(state: str, later: str) -> None:
    record = attempt(1, state, results="a/1", rows=RowCounts(10, 9, 1))

    assert refreshed(record, state=later) == record


def test_an_end_that_the_api_does_not_tell_is_the_time_of_the_first_look() -> None:
    assert refreshed(RUNNING, state="SUCCEEDED", end_time=None).end_time == NOW
    assert refreshed(replace(RUNNING, end_time=NOW - HOUR), state="SUCCEEDED", end_time=None).end_time == NOW - HOUR
    assert refreshed(replace(RUNNING, end_time=NOW - HOUR), end_time=None).end_time is None


def test_the_count_of_collected_rows_is_better_than_the_apis() -> None:
    record = attempt(1, "RUNNING", results="a/1", rows=RowCounts(10, 9, 1))

    assert refreshed(record, state="SUCCEEDED", rows=RowCounts(10, 4, 0)).rows == RowCounts(10, 9, 1)


def test_a_creation_time_once_known_stays() -> None:
    assert refreshed(RUNNING, create_time=None, rows=RowCounts(1)).create_time == RUNNING.create_time


def test_the_end_of_one_job_says_nothing_of_another() -> None:
    wanted = [job("a"), job("b")]
    records = [row(wanted[0], collected()), row(wanted[1], attempt(1, name="b"))]

    made = decide(wanted, records, [look(found(1, "SUCCEEDED", rows=RowCounts(10, 10, 0)), found(1, name="b"))])

    assert [decided.job for decided in made.jobs] == ["a", "b"]
    assert (show(made, "a"), show(made, "b")) == ("none Succeeded", "wait Active")
    assert made.summary()["none"] == made.summary()["wait"] == 1


# --- what is shown as it is recorded


KNOWN: dict[str, dict[str, object]] = {
    "nothing else": {},
    "an open intent": {"intent": Intent(NOW)},
    "a refusal": {"rejected": True},
    "an absence": {"missed": Moment(NOW, NOW)},
    "gone": {"gone_time": NOW},
    "no start": {"start_time": None},
    "counts": {"rows": RowCounts(4, 4), "results": "a/1"},
    "another address": {"account": THERE},
    **{f"trouble: {one}": {"trouble": Trouble(one, "X", "words", "", NOW, NOW)} for one in Operation},
}
"""What is recorded besides a state."""
OTHERWISE: dict[str, dict[str, object]] = {
    "state": {"state": "CANCELLING"},
    "ended": {"state": "SUCCEEDED", "end_time": NOW},
    "create time": {"create_time": NOW - HOUR},
    "start time": {"start_time": NOW - MINUTE},
    "no start time": {"start_time": None},
    "rows": {"rows": RowCounts(9)},
    "error": {"error": FAILURE},
}


@pytest.mark.parametrize("known", sorted(KNOWN))
def test_a_record_is_kept_only_where_the_long_way_gives_an_equal_one(
    known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = ("PENDING", "RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "PAUSED")
    records = [replace(attempt(1, state), **KNOWN[known]) for state in states]
    cases = [(record, seen(record, **shown)) for record in records for shown in ({}, *OTHERWISE.values())]
    at_once = [refresh(record, remote, NOW) for record, remote in cases]
    monkeypatch.setattr(refreshing, "_shows_nothing_new", lambda _record, _job: False)
    assert at_once == [refresh(record, remote, NOW) for record, remote in cases]


def test_most_records_are_not_made_again() -> None:
    record = attempt(1)
    assert refresh(record, seen(record), NOW) is record
    assert refresh(record, seen(record, start_time=None), NOW) is record
