"""`--sort-by`."""

from __future__ import annotations

from itertools import permutations

import pytest

from batchctl.model.observed import RowCounts
from batchctl.model.states import Phase
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.status_order import SortKey, sort_status
from tests.support.report_samples import ago

OLD = StatusRow(
    "b",
    Phase.FAILED,
    state="JOB_STATE_FAILED",
    attempt=2,
    model="gemini-2.5-pro",
    provider="x",
    rows=RowCounts(total=5),
    create_time=ago(hours=9),
    start_time=ago(hours=1),
    end_time=ago(minutes=1),
)
YOUNG = StatusRow(
    "c",
    Phase.ACTIVE,
    state="JOB_STATE_RUNNING",
    attempt=1,
    model="gemini-2.5-flash",
    provider="y",
    rows=RowCounts(total=100),
    create_time=ago(hours=2),
    start_time=ago(hours=2),
    end_time=ago(minutes=2),
)
NEW = StatusRow("a", Phase.WAITING)
ALSO_NEW = StatusRow("d", Phase.WAITING)
ORDERS = {
    SortKey.JOB: "abcd",
    SortKey.PHASE: "adcb",
    SortKey.STATE: "bcad",
    SortKey.ATTEMPT: "cbad",
    SortKey.ROWS: "bcad",
    SortKey.MODEL: "cbad",
    SortKey.PROVIDER: "bcad",
    SortKey.AGE: "cbad",
    SortKey.CREATE_TIME: "bcad",
    SortKey.START_TIME: "cbad",
    SortKey.END_TIME: "cbad",
}


@pytest.mark.parametrize("key", SortKey)
def test_jobs_without_a_value_come_last_and_equal_ones_by_name(key: SortKey) -> None:
    for jobs in permutations([OLD, YOUNG, NEW, ALSO_NEW]):
        ordered = sort_status(StatusReport("s", jobs), key)
        assert "".join(row.job for row in ordered.jobs) == ORDERS[key]
