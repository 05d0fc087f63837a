"""What a record keeps of another whose place it takes: create calls, and jobs that may still be at work."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.observed import Observation
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import SaveAttempt, SaveJob
from batchctl.reconcile import Rebuilt, find_lost_calls, find_open, rebuild, record_results, with_open
from tests.support.decisions import (
    GRACE,
    HERE,
    LOCAL,
    NOW,
    STACK,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    unanswered,
    with_row,
)
from tests.support.values import replace


def recorded(*jobs: RecordedJob) -> Recorded:
    return Recorded({one.name: one for one in jobs}, identities={HERE: "00c0ffee"})


def anew(
    former: RecordedJob,
    *looks: Observation,
    wanted: tuple[DesiredJob, ...] = (job(),),
    kept: tuple[RecordedAttempt, ...] = (),
) -> Rebuilt:
    desired = DesiredStack(STACK, wanted)
    known = with_open(
        record_results(desired, kept, {"a": {"old"}}, {HERE}, NOW), find_open(recorded(former), desired), desired
    )
    return rebuild(desired, known, {one.account: one for one in looks}, NOW)


@pytest.mark.parametrize(
    ("former", "kept"),
    [
        (unanswered(), True),
        (attempt(1, "PENDING"), True),
        (attempt(1, "BREWING"), True),
        (attempt(1, "SUCCEEDED"), False),
        (attempt(gone_time=NOW), False),
        (attempt(delete_time=NOW), False),
        (attempt(1, None, remote=None), False),
        (attempt(1, None, remote=None, rejected=True), False),
    ],
)
def test_what_may_still_go_on(former: RecordedAttempt, kept: bool) -> None:
    found = find_open(recorded(row(job(), former)), DesiredStack(STACK, (job(),)))
    assert [one.attempts for one in found.jobs.values()] == ([(former,)] if kept else [])
    assert found.identities == {HERE: "00c0ffee"}


def test_of_a_job_without_a_manifest_open_calls_alone_are_kept() -> None:
    former = row(job(), attempt(), unanswered(2), removing_time=LOCAL)
    made = anew(former, look(), wanted=(job("b"),))
    assert made.jobs == (replace(former, attempts=(unanswered(2),)),)
    assert made.left_out == ()


def test_its_other_jobs_come_back_by_their_marks() -> None:
    (back,) = anew(row(job(), unanswered(2)), look(found()), wanted=()).jobs
    assert [one.remote for one in back.attempts] == ["batches/a-1", None]


def test_an_open_call_is_settled_as_if_the_record_had_never_been_lost() -> None:
    before = row(job(), unanswered(first_look=LOCAL), cancel_requested=LOCAL)
    (back,) = anew(before, look()).jobs
    assert (back.attempts, back.row.cancel_requested) == (before.attempts, LOCAL)
    waiting = decide([job()], [back], [look()])
    assert waiting.jobs[0].phase == "Settling"
    # Without the order of `batchctl cancel`, which calls it off.
    back = with_row(back, cancel_requested=None)
    late = replace(look(), now=NOW + GRACE)
    (sent,) = [
        step for step in decide([job()], [back], [late], local=LOCAL + GRACE).jobs[0].steps if hasattr(step, "token")
    ]
    assert sent.token == "token00001"


def test_a_job_that_the_list_lacks_and_a_get_shows_is_kept() -> None:
    (back,) = anew(row(job(), attempt()), look(shown={"batches/a-1": found()})).jobs
    assert (back.attempts[0].remote, back.attempts[0].gone_time) == ("batches/a-1", None)


def test_a_call_whose_mark_shows_is_settled() -> None:
    (back,) = anew(row(job(), unanswered()), look(found())).jobs
    assert (back.attempts[0].intent, back.attempts[0].remote) == (None, "batches/a-1")


def test_what_was_collected_is_settled() -> None:
    results = replace(collected(), tree={}, adopted=True)
    (back,) = anew(row(job(), unanswered()), look(), kept=(results,)).jobs
    assert (back.attempts[0].results, back.attempts[0].intent, back.row.former_names) == ("a/1", None, ("old",))


def test_collected_and_open_attempts_stand_side_by_side() -> None:
    results = replace(collected(), tree={}, adopted=True)
    former = row(job(), collected(), unanswered(2), former_names=("older",))
    (back,) = anew(former, look(), kept=(results,)).jobs
    assert [one.key.attempt for one in back.attempts] == [1, 2]
    assert (back.row.current, back.row.former_names) == (2, ("old", "older"))


@pytest.mark.parametrize(
    ("given", "writes", "taken"),
    [
        ([], ["row", "attempt"], []),
        ([row(job())], ["attempt"], []),
        ([row(job(), unanswered())], [], []),
        ([row(job(), attempt())], [], []),
        ([row(job("z"), replace(attempt(name="z"), token="token00001"))], [], []),
        ([row(job(), attempt(1, None, remote=None))], ["attempt"], []),
        ([row(job(), replace(attempt(), token="0therca11s"))], ["attempt"], ["a@1.0"]),
    ],
    ids=["job unknown", "attempt unknown", "open there too", "settled", "settled, renamed", "not sent", "another's"],
)
def test_calls_that_another_record_knows_nothing_of(
    given: list[RecordedJob], writes: list[str], taken: list[str]
) -> None:
    lost = find_lost_calls(recorded(row(job(), unanswered()), row(job("b"), attempt(name="b"))), recorded(*given))
    assert [{SaveJob: "row", SaveAttempt: "attempt"}[type(write)] for write in lost.writes] == writes  # type: ignore[index]
    assert [str(key) for key in lost.taken] == taken


def test_a_lost_call_goes_on_record_as_it_was() -> None:
    lost = find_lost_calls(recorded(row(job(), attempt(), unanswered(2))), Recorded())
    assert lost.writes == (SaveJob(row(job(), current=2).row), SaveAttempt(unanswered(2)))
