"""The rows of jobs over all their attempts, while some of them are sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.row_settings import Canary
from batchctl.server.documents.summary import summary_document
from batchctl.server.view import View
from tests.support.engine import inline, job
from tests.support.values import replace
from tests.support.web import snapshot_of

QUOTA = {"code": 8, "message": "Quota exceeded."}
TEN = tuple(f"k{number}" for number in range(10))


def again(first):
    """A job whose first attempt goes so, and whose second one runs for long."""
    return (
        {"match": {"displayName": "*/a@1*"}, **first},
        {"match": {"displayName": "*/a@2*"}, "running": "5h", "pending": "1s"},
    )


def rows_of(world, *jobs):
    return summary_document(View(snapshot_of(world, *jobs), "e", 1, None), rows_shown=False, lock_holder=None)["rows"]


@pytest.fixture
def retried():
    return job("a", inline(*TEN), backoff_limit=2, retry_on=frozenset({"ROWS"}))


def test_rows_that_are_sent_again_do_not_hide_the_others(world, retried):
    world.here.rules(*again({"fate": "rows", "rowOutcomes": [{"share": 0.3, "error": QUOTA}]}))
    world.watch(retried, timeout=timedelta(hours=1))
    attempts = world.recorded().jobs["a"].attempts
    assert [one.key.attempt for one in attempts] == [1, 2]
    assert attempts[1].sent.rows == 3
    rows = rows_of(world, retried)
    assert (rows["total"], rows["ok"], rows["failed"]) == (10, 7, 3)
    assert rows["verdicts"] == attempts[0].rows.verdicts


def test_a_canary_is_a_part_of_its_job(world):
    world.here.rules({"running": "5h", "pending": "1s"})
    probed = replace(job("a", inline(*TEN)), canary=Canary(rows=2))
    world.watch(probed, timeout=timedelta(hours=1))
    assert rows_of(world, probed)["total"] == 10
