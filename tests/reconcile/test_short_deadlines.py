"""Deadlines that are compared with the history: which are too short, and what is said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.desired import DesiredJob
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.row_work import ShardLimits
from batchctl.model.sources import InlineRows, RequestRow, UploadedFile
from batchctl.reconcile import find_short_deadlines, learn_history
from tests.support.decisions import HOUR, THERE, job
from tests.support.past_jobs import MINUTE, TENS, history, past_attempt, past_job
from tests.support.values import replace

SECOND = timedelta(seconds=1)


def wanted(rows: int = 10, **lifecycle: Any) -> DesiredJob:
    return replace(job(**lifecycle), source=InlineRows((RequestRow(None, {}),) * rows))


def found(one: DesiredJob, past: RecordedJob) -> list[tuple[str, str]]:
    """The fields with their words."""
    short = find_short_deadlines([one], learn_history(Recorded({past.name: past})))
    assert all(each.job is one and each.field in each.hint for each in short)
    return [(each.field, each.words) for each in short]


TABLE: dict[str, tuple[DesiredJob, RecordedJob, list[str]]] = {
    "no deadline": (wanted(), history(), []),
    "below p90 of the run": (wanted(active_deadline=6 * HOUR), history(), ["activeDeadline"]),
    "just below": (wanted(active_deadline=9 * HOUR - SECOND), history(), ["activeDeadline"]),
    "p90 itself": (wanted(active_deadline=9 * HOUR), history(), []),
    "below p90 of the wait": (wanted(pending_deadline=8 * MINUTE), history(), ["pendingDeadline"]),
    "both": (
        wanted(pending_deadline=MINUTE, active_deadline=HOUR),
        history(),
        ["pendingDeadline", "activeDeadline"],
    ),
    "nine attempts are too few": (wanted(active_deadline=HOUR), history(TENS[:9]), []),
    "jobs of another size": (wanted(100, active_deadline=HOUR), history(), []),
    "of another account": (wanted(active_deadline=HOUR), history(account=THERE), []),
    "rows that are not known": (
        replace(wanted(active_deadline=HOUR), source=UploadedFile("files/x")),
        history(),
        [],
    ),
    "shards of that size": (
        replace(wanted(1000, active_deadline=HOUR), sharding=ShardLimits(rows=20)),
        history(),
        ["activeDeadline"],
    ),
    "fewer rows than a shard": (
        replace(wanted(10, active_deadline=HOUR), sharding=ShardLimits(rows=200)),
        history(),
        ["activeDeadline"],
    ),
}


@pytest.mark.parametrize(("one", "past", "fields"), TABLE.values(), ids=TABLE)
def test_a_deadline_below_the_ninetieth_is_too_short(one: DesiredJob, past: RecordedJob, fields: list[str]) -> None:
    assert [field for field, _ in found(one, past)] == fields


def test_jobs_like_each_other_have_the_same_deadlines_and_others_their_own() -> None:
    hours = {"a": 6, "b": 6, "c": 9, "d": 8}
    jobs = [replace(wanted(active_deadline=many * HOUR), name=name) for name, many in hours.items()]
    short = find_short_deadlines(jobs, learn_history(Recorded({"past": history()})))
    assert [(one.job.name, one.words.split(",")[0]) for one in short] == [
        ("a", "lifecycle.activeDeadline is 6h"),
        ("b", "lifecycle.activeDeadline is 6h"),
        ("d", "lifecycle.activeDeadline is 8h"),
    ]


def test_the_words_have_the_deadline_and_the_history() -> None:
    ((_, words),) = found(wanted(active_deadline=6 * HOUR), history())
    assert words == (
        "lifecycle.activeDeadline is 6h, but 4 of 10 attempts of gemini-2.5-flash with 10 to 99 rows ran for longer"
    )
    ((_, words),) = found(wanted(pending_deadline=MINUTE), history())
    assert words.endswith("9 of 10 attempts of gemini-2.5-flash with 10 to 99 rows waited for longer")


def test_a_deadline_that_stopped_most_jobs_is_too_short_although_nobody_knows_how_long_they_take() -> None:
    """A deadline of 6 hours on jobs of 8 hours: seven in a hundred were quick enough."""
    quick = [past_attempt(number, MINUTE, 5 * HOUR) for number in range(1, 8)]
    stopped = [
        past_attempt(number, MINUTE, 6 * HOUR, state="CANCELLED", cancel_cause=CancelCause.DEADLINE, results=None)
        for number in range(8, 101)
    ]
    past = past_job(*quick, *stopped)
    ((_, words),) = found(wanted(active_deadline=6 * HOUR), past)
    assert words == (
        "lifecycle.activeDeadline is 6h, but 93 of 100 attempts of gemini-2.5-flash with 10 to 99 rows ran for longer"
    )
    assert found(wanted(active_deadline=6 * HOUR + SECOND), past) == []
