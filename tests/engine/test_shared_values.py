"""A remote job that shares memory with its record is the job as the API shows it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from batchctl.engine.shared_values import with_recorded_values
from batchctl.model.keys import Account, Api, AttemptKey, BrokenMark, Mark
from batchctl.model.observed import RemoteJob, RowCounts, Status
from tests.support.state_samples import ACCOUNT, DIGEST, NOW, attempt
from tests.support.values import replace

RECORD = attempt(
    remote="batches/1", state="JOB_STATE_RUNNING", create_time=NOW, start_time=NOW, rows=RowCounts(total=2)
)
MARK = Mark("demo", "abc123", AttemptKey("translate", 1), DIGEST[:15], "abcdefghij")
SEEN = RemoteJob("batches/1", ACCOUNT, str(MARK), MARK, "JOB_STATE_RUNNING", "m", NOW, NOW, rows=RowCounts(total=2))
LATER = NOW + timedelta(seconds=1)


def fresh(job: RemoteJob) -> RemoteJob:
    """An equal job that shares nothing."""
    found: RemoteJob = msgspec.msgpack.decode(msgspec.msgpack.encode(job), type=RemoteJob)
    return found


@pytest.mark.parametrize(
    "job",
    [
        SEEN,
        replace(SEEN, mark=None),
        replace(SEEN, mark=None, broken=BrokenMark("[bc1 x")),
        replace(SEEN, mark=replace(MARK, key=AttemptKey("other", 2, 1), token="zzzzzzzzzz", stack="x", uid="other1")),
        replace(SEEN, state="JOB_STATE_SUCCEEDED", end_time=LATER, rows=RowCounts(2, 1, 1)),
        replace(SEEN, create_time=LATER, start_time=None, model=""),
        replace(SEEN, name="batches/2", account=Account(Api.GEMINI, "emulator"), error=Status(3, "no")),
        replace(SEEN, is_altered=True, display_name="x"),
    ],
)
def test_it_is_equal(job: RemoteJob) -> None:
    assert with_recorded_values(fresh(job), RECORD) == job
    assert repr(with_recorded_values(fresh(job), RECORD)) == repr(job)


def test_it_shares_what_is_equal() -> None:
    shared = with_recorded_values(fresh(SEEN), RECORD)
    assert shared.name is RECORD.remote
    assert shared.mark is not None
    assert shared.mark.key is RECORD.key
    assert shared.mark.token is RECORD.token
    assert shared.create_time is RECORD.create_time
    assert shared.rows is RECORD.rows
