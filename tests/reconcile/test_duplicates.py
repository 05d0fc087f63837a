"""Row `several remote jobs for one (stack, job, attempt, shard)`: one is kept, the record follows it, others are cancelled."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.steps import RecordAttempt
from batchctl.reconcile import Options
from tests.support.decisions import (
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
    mark,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.values import replace

FIRST = attempt()
SECOND_ONE = "-second"


def both(record: RecordedAttempt, first: str | None, second: str, **fields: object) -> Situation:
    """A recorded attempt, its own remote job (None: gone) and a second one with the same mark."""
    twin = found(1, second, suffix=SECOND_ONE, **{"age": HOUR, **fields})
    own = () if first is None else (seen(record, first),)
    gone = ["batches/a-1"] if first is None else ()
    return Situation(job(), row(job(), record), look(*own, twin, gone=gone))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            both(FIRST, "RUNNING", "RUNNING"),
            "cancel Active | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="both live: the oldest is kept",
        ),
        pytest.param(
            both(FIRST, "RUNNING", "RUNNING", age=3 * HOUR),
            "cancel Active | record a@1.0 refreshed | cancel a@1.0 duplicate | ~ Duplicate",
            id="both live, the second is older: the record follows it",
        ),
        pytest.param(
            both(FIRST, "RUNNING", "SUCCEEDED"),
            "collect Succeeded | record a@1.0 refreshed | cancel a@1.0 duplicate | collect a@1.0 batches/a-1-second | ~ Duplicate",
            id="the second succeeded: kept, the record follows it, the first is cancelled",
        ),
        pytest.param(
            both(FIRST, "RUNNING", "PARTIALLY_SUCCEEDED"),
            "collect PartiallySucceeded | record a@1.0 refreshed | cancel a@1.0 duplicate | collect a@1.0 batches/a-1-second"
            " | ~ Duplicate",
            id="the second succeeded in part: kept",
        ),
        pytest.param(
            both(collected(), "SUCCEEDED", "RUNNING"),
            "cancel Succeeded | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="the first succeeded: kept, the second is cancelled",
        ),
        pytest.param(
            both(collected(), "SUCCEEDED", "SUCCEEDED", age=3 * HOUR),
            "none Succeeded | ~ Duplicate",
            id="both succeeded: the record stays, nothing to cancel",
        ),
        pytest.param(
            both(attempt(1, "FAILED", results="a/1"), "FAILED", "RUNNING"),
            "wait Active | record a@1.0 refreshed",
            id="the first failed, the second lives: the record follows it",
        ),
        pytest.param(
            both(attempt(1, "FAILED", results="a/1"), "FAILED", "CANCELLED", age=3 * HOUR),
            "none Failed",
            id="both dead: the record stays",
        ),
        pytest.param(
            both(FIRST, "RUNNING", "FAILED"), "wait Active", id="the second failed: nothing to do, and no drift"
        ),
        pytest.param(
            both(FIRST, "RUNNING", "PAUSED"),
            "wait Active",
            id="the second is PAUSED: never cancelled",
        ),
        pytest.param(
            both(FIRST, "RUNNING", "BREWING", age=3 * HOUR),
            "cancel Unknown | record a@1.0 refreshed | cancel a@1.0 duplicate | ~ Duplicate",
            id="the second is the oldest that may still work: kept",
        ),
        pytest.param(
            both(FIRST, None, "RUNNING"),
            "wait Active | record a@1.0 refreshed",
            id="the first is gone, the second lives: the record follows it",
        ),
        pytest.param(
            both(collected(), None, "RUNNING"),
            "cancel Succeeded | record a@1.0 gone | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="the first was collected and is gone: its success counts, the second is cancelled",
        ),
        pytest.param(
            both(collected(delete_time=NOW), None, "FAILED"),
            "none Succeeded",
            id="the first was collected and deleted: the failure of the second buys nothing",
        ),
        pytest.param(
            both(attempt(1, "SUCCEEDED"), None, "FAILED"),
            "none ResultsLost | record a@1.0 gone | ~ Vanished",
            id="the first succeeded, gone before it was collected, the second failed: ResultsLost",
        ),
        pytest.param(
            both(attempt(1, "SUCCEEDED"), None, "SUCCEEDED"),
            "collect Succeeded | record a@1.0 refreshed | collect a@1.0 batches/a-1-second",
            id="the first succeeded, gone before it was collected, the second succeeded: the record follows it",
        ),
        pytest.param(
            both(attempt(1, "SUCCEEDED"), None, "RUNNING"),
            "wait Active | record a@1.0 refreshed",
            id="the first succeeded, gone before it was collected, the second lives: the record follows it",
        ),
        pytest.param(
            Situation(job(), row(job(), FIRST), look(found(1, suffix=SECOND_ONE))),
            "wait Unknown",
            id="nobody knows what became of the first: the second is left alone",
        ),
        pytest.param(
            Situation(job(), row(job(), FIRST), look(found(1, "SUCCEEDED", suffix=SECOND_ONE), complete=False)),
            "wait Unknown",
            id="a page failed, and only the second is seen: left alone",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered()), look(found(1), found(1, suffix=SECOND_ONE, age=HOUR))),
            "cancel Active | record a@1.0 adopted | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="an intent's token found twice: the oldest is adopted",
        ),
        pytest.param(
            Situation(job(), None, look(*(found(1, suffix=f"-{n}", age=n * HOUR) for n in (1, 2, 3)))),
            "cancel Active | record job a@1 | record a@1.0 adopted | cancel a@1.0 batches/a-1-2 duplicate"
            " | cancel a@1.0 batches/a-1-1 duplicate | ~ Duplicate | ~ Duplicate",
            id="state lost, three live: the oldest is adopted",
        ),
        pytest.param(
            Situation(
                job(),
                row(job(), collected(1), attempt(2, "SUCCEEDED", results="a/2")),
                look(seen(collected()), found(2, "SUCCEEDED"), found(1, suffix=SECOND_ONE)),
            ),
            "cancel Succeeded | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="a second one of an older attempt: cancelled",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1), attempt(2)), look(found(1), found(2))),
            "cancel Active | cancel a@1.0 duplicate | ~ Duplicate",
            id="an older attempt lives beside the current one: cancelled",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "PAUSED"), attempt(2)), look(found(1, "PAUSED"), found(2))),
            "wait Active",
            id="an older attempt is PAUSED: never cancelled",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), attempt(1), attempt(2)), look(found(1), found(2))),
            "replace Active unfinished consent | cancel a@1.0 replace | cancel a@2.0 replace | ~ Duplicate",
            id="replaced together: each is cancelled once",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1)), look(found(1), found(1, suffix=SECOND_ONE, account=THERE))),
            "cancel Active | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            id="the second one lies in another account: cancelled there",
        ),
    ],
)
def test_one_is_kept(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_guard_does_not_stop_the_cure() -> None:
    made = replace(both(FIRST, "RUNNING", "RUNNING"), wanted=job(work="2"), options=Options(consent=False)).decide()

    assert show(made) == (
        "replace Active unfinished consent | cancel a@1.0 batches/a-1-second duplicate | ! ConsentNeeded | ~ Duplicate"
    )


def test_what_became_of_one_remote_job_is_not_told_of_another() -> None:
    record = attempt(
        1,
        "FAILED",
        results="a/1",
        rows=RowCounts(10, 0, 10),
        cancel_time=NOW - MINUTE,
        cancel_cause=CancelCause.DEADLINE,
        delete_time=NOW,
        input_bytes=400,
        tokens=90,
    )
    twin = found(1, "SUCCEEDED", suffix=SECOND_ONE, create_time=None, start_time=None, end_time=None)

    [step, *_] = decide([job()], [row(job(), record)], [look(twin, gone=["batches/a-1"])]).jobs[0].steps

    assert step == RecordAttempt(
        replace(
            record,
            remote="batches/a-1-second",
            state="JOB_STATE_SUCCEEDED",
            create_time=None,
            start_time=None,
            end_time=NOW,
            rows=RowCounts(),
            cancel_time=None,
            cancel_cause=None,
            delete_time=None,
            results=None,
            tokens=None,
        )
    )


LATE = {"suffix": SECOND_ONE, "age": 3 * HOUR}


@pytest.mark.parametrize("record", [attempt(), unanswered()], ids=["named", "an open intent"])
def test_the_record_follows_the_mark_of_the_one_that_is_kept(record: RecordedAttempt) -> None:
    late = found(1, **LATE, mark=mark(token_of=9))

    made = decide([job()], [row(job(), record)], [look(found(), late)])

    kept = made.jobs[0].attempt
    assert kept is not None
    assert (kept.remote, kept.token, kept.digest) == (late.name, "token00009", record.digest)
    assert (kept.tree, kept.adopted) == (record.tree, False)
    assert [drift.kind for drift in made.drift] == ["Duplicate"]


def test_the_one_that_is_kept_may_do_other_work() -> None:
    record = row(job(work="2"), attempt(work="2", input_bytes=400))
    late = found(1, **LATE, work="1", mark=mark(token_of=9))

    made = decide([job(work="2")], [record], [look(found(work="2"), late)])

    assert show(made) == (
        "replace Active consent | record a@1.0 refreshed | cancel a@1.0 duplicate | ! AdoptedChanged | ~ Duplicate"
    )
    kept = made.jobs[0].attempt
    assert kept is not None
    assert (kept.remote, kept.token, kept.digest, kept.adopted) == (late.name, "token00009", late.mark.digest, True)
    assert (kept.tree, kept.input_bytes) == ({}, None)


def test_a_reason_names_what_is_cancelled() -> None:
    made = both(FIRST, "RUNNING", "RUNNING").decide()

    assert made.jobs[0].reason == "more than one remote job is active; cancelling batches/a-1-second"
    assert made.drift[0].detail == "batches/a-1-second (JOB_STATE_RUNNING) is a second remote job beside batches/a-1"


def test_an_older_attempt_is_named_in_the_drift() -> None:
    made = decide([job()], [row(job(), attempt(1), attempt(2))], [look(found(1), found(2))])

    assert made.drift[0].detail == "batches/a-1 (JOB_STATE_RUNNING) is attempt 1, and still runs"


@pytest.mark.parametrize("order", [1, -1])
def test_of_equal_age_the_name_decides(order: int) -> None:
    twins = [found(1, suffix="-x"), found(1, suffix="-y")][::order]

    assert decide([job()], [], [look(*twins)]).jobs[0].remote == "batches/a-1-x"


def test_a_job_without_a_creation_time_counts_as_the_oldest() -> None:
    twins = [found(1, suffix="-x"), found(1, suffix="-y", create_time=None)]

    assert decide([job()], [], [look(*twins)]).jobs[0].remote == "batches/a-1-y"


def test_a_foreign_job_is_no_second_one() -> None:
    foreign: list[RemoteJob] = [found(1, suffix="-x", mark=None), found(1, suffix="-y", mark=mark(uid="fedcba"))]

    made = decide([job(on_missing=OnMissing.FAIL)], [row(job(), FIRST)], [look(found(), *foreign)])

    assert show(made) == "wait Active"
    assert made.unmanaged == 2


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (("FAILED", "CANCELLED"), "none ResultsLost | record a@1.0 gone | ~ Vanished"),
        (("FAILED", "RUNNING"), "wait Active | record a@1.0 refreshed"),
    ],
)
def test_a_success_that_is_gone_is_left_for_another_job_only_if_that_one_may_succeed(
    others: tuple[str, str], expected: str
) -> None:
    twins = [found(1, state, suffix=f"-{place}", age=HOUR) for place, state in enumerate(others)]
    record = row(job(), attempt(1, "SUCCEEDED"))
    assert show(Situation(job(), record, look(*twins, gone=["batches/a-1"])).decide()) == expected
