"""A lost record: what marks and collected results bring back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.observed import Moment, Observation
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import Phase
from batchctl.reconcile import Rebuilt, phase_on_record, rebuild, record_results
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    NOW,
    STACK,
    THERE,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    unanswered,
)
from tests.support.values import replace


def kept(number: int = 1, state: str = "SUCCEEDED", **fields: object) -> RecordedAttempt:
    """What a folder of results tells."""
    return replace(collected(number, state, **fields), tree={}, adopted=True)


def anew(
    wanted: Iterable[DesiredJob],
    results: Iterable[RecordedAttempt],
    *looks: Observation,
    former: Mapping[str, set[str]] | None = None,
) -> Rebuilt:
    desired = DesiredStack(STACK, tuple(wanted))
    known = record_results(desired, results, former or {}, {HERE}, NOW)
    return rebuild(desired, known, {one.account: one for one in looks}, NOW)


def only(rebuilt: Rebuilt) -> RecordedJob:
    (one,) = rebuilt.jobs
    return one


def test_an_active_job_comes_back_in_full_by_its_mark() -> None:
    record = only(anew([job()], [], look(found())))
    (back,) = record.attempts
    assert (back.remote, back.token, back.state) == ("batches/a-1", "token00001", "JOB_STATE_RUNNING")
    assert (back.digest, back.tree) == (job().digest, job().tree), "the manifest tells the rest of the digest"
    assert (record.row.current, record.row.path, record.row.lifecycle) == (1, "a.yaml", job().lifecycle)


def test_another_work_comes_back_as_the_mark_tells_it() -> None:
    (back,) = only(anew([job(work="2")], [], look(found()))).attempts
    assert (back.digest, back.tree, back.adopted) == (job().digest[:15], {}, True)


def test_the_highest_attempt_counts() -> None:
    record = only(anew([job()], [kept(1, "FAILED")], look(found(2))))
    assert ([one.key.attempt for one in record.attempts], record.row.current) == ([1, 2], 2)


def test_collected_results_are_not_collected_again() -> None:
    made = anew([job()], [kept()], look(found(1, "SUCCEEDED")))
    (back,) = only(made).attempts
    assert (back.results, back.rows.ok) == ("a/1", 10)
    assert decide([job()], made.jobs, [look(found(1, "SUCCEEDED"))]).jobs[0].steps == ()


def test_a_collected_job_that_is_gone_is_not_bought_again() -> None:
    made = anew([job()], [kept()], look(gone=["batches/a-1"]))
    (back,) = only(made).attempts
    assert (back.gone_time, back.missed) == (None, Moment(NOW, NOW)), "one look does not prove that it is gone"
    assert decide([job()], made.jobs, [look()]).jobs[0].action == "none"


def test_what_nobody_asked_for_is_left_to_the_next_look() -> None:
    assert only(anew([job()], [kept()], look())).attempts[0].gone_time is None


def test_results_on_an_account_that_left_the_stack_are_not_looked_for() -> None:
    made = anew([job()], [kept(account=THERE)], look())
    assert only(made).attempts[0].gone_time == NOW


def test_an_imported_job_comes_back_by_the_manifest() -> None:
    by_hand = replace(found(), name="batches/by-hand", mark=None)
    wanted = replace(job(), adopt="batches/by-hand")
    (back,) = only(anew([wanted], [], look(by_hand))).attempts
    assert (back.remote, back.token) == ("batches/by-hand", "")


def test_what_no_manifest_asks_for_stays_out() -> None:
    made = anew([job("b")], [kept()], look(found(), found(2), found(1, name="b")))
    assert [one.name for one in made.jobs] == ["b"]
    assert [one.name for one in made.left_out] == ["batches/a-1", "batches/a-2"]


def test_a_job_that_nothing_is_known_of_stays_out() -> None:
    assert only(anew([job(), job("b")], [], look(found()))).name == "a"


def test_of_several_results_under_one_number_the_best_is_believed() -> None:
    other = kept(1, "SUCCEEDED", work="2", results="a/0")
    failed = kept(1, "FAILED", results="a/2")
    good, copy = kept(results="a/3"), kept(results="a/4")
    assert only(anew([job()], [copy, other, failed, good], look())).attempts[0].results == "a/3"
    assert only(anew([job()], [other, failed], look())).attempts[0].results == "a/2"


def test_a_former_name_finds_its_mark() -> None:
    renamed = replace(kept(name="b"), remote="batches/a-1", state="JOB_STATE_SUCCEEDED")
    made = anew([job("b")], [renamed], look(found(1, "SUCCEEDED")), former={"b": {"a", "b"}})
    assert (only(made).row.former_names, made.left_out) == (("a",), ())
    assert len(only(made).attempts) == 1


@pytest.mark.parametrize(
    ("record", "phase"),
    [
        (row(job()), Phase.WAITING),
        (row(job(), attempt(), removing_time=LOCAL), Phase.REMOVING),
        (row(job(), unanswered()), Phase.SETTLING),
        (row(job(), attempt(1, None, remote=None)), Phase.WAITING),
        (row(job(), attempt(1, None, remote=None, rejected=True)), Phase.REJECTED),
        (row(job(), attempt()), Phase.ACTIVE),
        (row(job(), attempt(1, "PAUSED")), Phase.UNKNOWN),
        (row(job(), attempt(1, "FAILED")), Phase.FAILED),
        (row(job(), collected()), Phase.SUCCEEDED),
        (row(job(), collected(gone_time=NOW)), Phase.SUCCEEDED),
        (row(job(), attempt(1, "SUCCEEDED", gone_time=NOW)), Phase.RESULTS_LOST),
        (row(job(), attempt(1, "FAILED", gone_time=NOW)), Phase.FAILED),
        (row(job(), attempt(gone_time=NOW)), Phase.FAILED),
        (row(job(), attempt(gone_time=NOW, cancel_time=NOW - HOUR, cancel_cause=CancelCause.USER)), Phase.CANCELLED),
        (row(job(), attempt(1, "FAILED"), collected(2), current=1), Phase.FAILED),
    ],
)
def test_the_phase_by_the_record_alone(record: RecordedJob, phase: Phase) -> None:
    assert phase_on_record(record) is phase


@pytest.mark.parametrize(
    ("results", "work", "size"),
    [
        pytest.param([], "1", 400, id="found by its mark, of the same work"),
        pytest.param([], "2", None, id="found by its mark, of other work"),
        pytest.param([kept(input_bytes=100)], "1", 100, id="known"),
        pytest.param([kept()], "1", 400, id="not known"),
    ],
)
def test_the_size_of_the_input_is_that_of_the_same_work(
    results: list[RecordedAttempt], work: str, size: int | None
) -> None:
    wanted = replace(job(work=work), input_bytes=400)
    (back,) = only(anew([wanted], results, look(found(1, "SUCCEEDED")))).attempts
    assert back.input_bytes == size
