"""The outbox keeps notices until they are delivered, and renames them with their job."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.model.notices import Notice, NoticeType
from batchctl.model.writes import DropNotice, ForgetJob, RenameJob, SaveAttempt, SaveJob, SaveNotice
from batchctl.state.store import FileState
from tests.support.state_samples import NOW, attempt, job
from tests.support.values import replace

ONE = Notice("evt_1", "ops", "translate", 1, NoticeType.FAILED, NOW, '{"reason": "\\ud800 ü"}')
TRIED = replace(ONE, hook="log", tries=3, next_time=NOW + timedelta(hours=1), problem="NotDelivered: HTTP 503")
OLDER = replace(ONE, id="evt_2", type=NoticeType.STUCK, time=NOW - timedelta(days=1), delivered_time=NOW)
GIVEN_UP = replace(ONE, id="evt_3", attempt=2, given_up_time=NOW, problem="x")


def committed(store: FileState, *writes) -> tuple[Notice, ...]:
    with store.lock() as session:
        session.commit(writes)
        inside = session.load().outbox
    assert store.load().outbox == inside
    return inside


def test_what_is_committed_loads_back_oldest_first(store: FileState) -> None:
    assert store.load().outbox == ()
    assert committed(store, *map(SaveNotice, (GIVEN_UP, TRIED, ONE, OLDER))) == (OLDER, TRIED, ONE, GIVEN_UP)
    later = replace(TRIED, delivered_time=NOW, next_time=None, problem="")
    assert committed(store, SaveNotice(later)) == (OLDER, later, ONE, GIVEN_UP)
    assert committed(store, DropNotice(ONE)) == (OLDER, later, GIVEN_UP)
    assert committed(store, DropNotice(ONE)) == (OLDER, later, GIVEN_UP)


def test_a_notice_outlives_its_job_and_follows_its_name(store: FileState) -> None:
    other = replace(ONE, id="evt_9", job="other")
    committed(store, SaveJob(job()), SaveAttempt(attempt()), SaveNotice(ONE), SaveNotice(other))
    assert [notice.job for notice in committed(store, RenameJob("translate", "new"))] == ["new", "other"]
    assert [notice.job for notice in committed(store, ForgetJob("new"))] == ["new", "other"]


@pytest.mark.parametrize(
    "damage",
    [
        "update outbox set body = '{}'",
        "update outbox set hook = 'elsewhere'",
        "update outbox set type = 'job.bought'",
        "update outbox set tries = 1",
        "delete from outbox",
    ],
)
def test_a_changed_notice_is_detected(store: FileState, path: Path, damage: str) -> None:
    committed(store, SaveNotice(ONE))
    with sqlite3.connect(path, isolation_level=None) as conn:
        conn.execute(damage)
    conn.close()
    with pytest.raises(StateError) as caught:
        store.load()
    assert caught.value.code == "StateCorrupt"


def test_a_state_is_read_by_people(store: FileState, path: Path) -> None:
    committed(store, SaveNotice(TRIED))
    conn = sqlite3.connect(path)
    (found,) = conn.execute("select job, attempt, type, hook, tries, next_time, problem from outbox").fetchall()
    conn.close()
    assert found == ("translate", 1, "job.failed", "log", 3, "2026-11-22T11:00:00Z", "NotDelivered: HTTP 503")
