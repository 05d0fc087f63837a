"""Changes that a person makes to the record: the conditions of `state mv` and `state rm`, and their writes."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, UsageError
from batchctl.model.observed import Moment
from batchctl.model.recorded import Ghost, Recorded
from batchctl.model.writes import ForgetJob, SaveGhost
from batchctl.reconcile import forget_job, found_by_mark, require_free_name, require_settled
from tests.support.decisions import HERE, LOCAL, NOW, attempt, job, row, unanswered
from tests.support.values import replace

RECORDED = Recorded({"a": row(job(), attempt())})


@pytest.mark.parametrize("name", ["b", "0", "b-2", "b" * 40])
def test_a_job_gets_a_valid_name_that_no_other_has(name: str) -> None:
    require_free_name(name, RECORDED)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", "there is a job a in the state already"),
        ("B", "'B' is not a name for a job"),
        ("", "'' is not a name for a job"),
        ("b-", "'b-' is not a name for a job"),
        ("b\n", r"'b\n' is not a name for a job"),
        ("b" * 41, f"'{'b' * 41}' is not a name for a job"),
    ],
)
def test_other_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        require_free_name(name, RECORDED)
    assert caught.value.message == message


def test_a_record_with_an_open_create_call_is_kept() -> None:
    require_settled([row(job(), attempt(1, "FAILED"), attempt(2))])
    with pytest.raises(GuardError) as caught:
        require_settled([row(job("b"), attempt(name="b")), row(job(), attempt(1, "FAILED"), unanswered(2))])
    assert (caught.value.code, caught.value.message) == (
        ErrorCode.UNSETTLED,
        "a has a create call without a known outcome",
    )


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (attempt(), ("batches/a-1",)),
        (attempt(remote=None), ()),
        (attempt(missed=Moment(LOCAL, NOW)), ()),
        (attempt(gone_time=NOW), ()),
        (attempt(delete_time=NOW), ()),
    ],
)
def test_remote_jobs_that_exist_are_found_again_by_their_marks(record: RecordedAttempt, found: tuple[str, ...]) -> None:
    assert found_by_mark(row(job(), record)) == found


def test_an_imported_job_has_no_mark() -> None:
    assert found_by_mark(row(job(), replace(attempt(), token=""))) == ()


def test_deleted_remote_jobs_of_a_deleted_record_stay_known() -> None:
    record = row(job(), attempt(1, delete_time=NOW), attempt(2))
    assert forget_job(record, LOCAL) == [ForgetJob("a"), SaveGhost(Ghost(HERE, "batches/a-1", LOCAL))]
