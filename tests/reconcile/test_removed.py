"""Rows of the decision table about jobs that are not desired: onRemove, gone, released, orphans, destroy, wanted again."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.lifecycle import OnRemove
from batchctl.model.observed import RemoteJob
from batchctl.model.steps import RecordJob
from batchctl.reconcile import Options
from tests.support.decisions import (
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
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

EMPTY = Options(allow_empty=True)
DISCARD = Options(allow_empty=True, discard_results=True)
CANCEL = OnRemove.CANCEL
KEEP = OnRemove.KEEP
SENT = {"cancel_time": NOW - SECOND, "cancel_cause": CancelCause.REMOVE}


def removed(
    *records: RecordedAttempt,
    jobs: tuple[RemoteJob, ...] | None = None,
    on_remove: OnRemove = OnRemove.DELETE,
    begun: bool = False,
    options: Options = EMPTY,
) -> Situation:
    """A recorded job without a manifest, all its attempts present unless told otherwise."""
    times = {"removing_time": LOCAL} if begun else {}
    shown = tuple(seen(record) for record in records) if jobs is None else jobs
    return Situation(None, row(job(on_remove=on_remove), *records, **times), look(*shown), options)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        # no | active | present | by `onRemove`: cancel, wait for terminal, collect, delete
        pytest.param(
            removed(attempt()),
            "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove",
            id="no, active, present, onRemove delete: cancel",
        ),
        pytest.param(
            removed(attempt(1, **SENT), begun=True),
            "delete Removing unfinished",
            id="removal begun, cancel sent: wait for terminal, agreed to already",
        ),
        pytest.param(
            removed(attempt(1, "CANCELLING", **{**SENT, "cancel_time": NOW - MINUTE}), begun=True),
            "delete Removing unfinished | cancel a@1.0 remove",
            id="removal begun, cancel sent a minute ago: sent again",
        ),
        pytest.param(
            removed(attempt(1, "CANCELLED", **SENT), begun=True),
            "delete Removing | collect a@1.0 | delete a@1.0 | forget a",
            id="removal begun, ended: collect, delete, forget",
        ),
        pytest.param(
            removed(attempt(1, "SUCCEEDED", **SENT), begun=True),
            "delete Removing | collect a@1.0 | delete a@1.0 | forget a",
            id="removal begun, succeeded meanwhile: collect, delete, forget",
        ),
        pytest.param(
            removed(attempt(1), attempt(2)),
            "delete Active unfinished consent | record job a@2 removing | cancel a@1.0 remove | cancel a@2.0 remove | ~ Duplicate",
            id="several work: all are cancelled",
        ),
        pytest.param(
            removed(collected(1), attempt(2)),
            "delete Active unfinished consent | record job a@2 removing | cancel a@2.0 remove",
            id="one has ended, one works: cancel, and delete later",
        ),
        pytest.param(
            removed(attempt(), on_remove=CANCEL),
            "cancel Active unfinished consent | record job a@1 removing | cancel a@1.0 remove",
            id="no, active, present, onRemove cancel: cancel",
        ),
        pytest.param(
            removed(attempt(1, "CANCELLED", **SENT), on_remove=CANCEL, begun=True),
            "forget Removing | collect a@1.0 | record job a@1 removing released",
            id="onRemove cancel, ended: collect, let go",
        ),
        pytest.param(
            removed(attempt(), on_remove=KEEP),
            "forget Active consent | record job a@1 released",
            id="no, active, present, onRemove keep: let go",
        ),
        # no | finished | present | by `onRemove`: collect, delete
        pytest.param(
            removed(attempt(1, "SUCCEEDED")),
            "delete Succeeded consent | collect a@1.0 | delete a@1.0 | forget a",
            id="no, finished, present, onRemove delete: collect, delete",
        ),
        pytest.param(
            removed(collected()),
            "delete Succeeded consent | delete a@1.0 | forget a",
            id="no, finished, collected, onRemove delete: delete",
        ),
        pytest.param(
            removed(attempt(1, "SUCCEEDED"), options=DISCARD),
            "delete Succeeded consent | delete a@1.0 | forget a",
            id="no, finished, --discard-results: delete",
        ),
        pytest.param(
            removed(attempt(1, "FAILED"), collected(2)),
            "delete Succeeded consent | collect a@1.0 | delete a@1.0 | delete a@2.0 | forget a",
            id="several have ended: each is collected and deleted",
        ),
        pytest.param(
            removed(attempt(1, "SUCCEEDED"), on_remove=CANCEL),
            "forget Succeeded consent | collect a@1.0 | record job a@1 released",
            id="no, finished, onRemove cancel: collect, let go",
        ),
        pytest.param(
            removed(collected(), on_remove=CANCEL),
            "forget Succeeded consent | record job a@1 released",
            id="no, finished, collected, onRemove cancel: let go",
        ),
        pytest.param(
            removed(attempt(1, "SUCCEEDED"), on_remove=KEEP),
            "forget Succeeded consent | record job a@1 released",
            id="no, finished, onRemove keep: let go",
        ),
        # no | any | gone | forget
        *(
            pytest.param(
                removed(attempt(1, state, gone_time=NOW), jobs=(), on_remove=policy),
                "forget Removing | forget a" + (" | ~ Missing" if state == "RUNNING" else ""),
                id=f"no, {state}, gone, onRemove {policy}: forget",
            )
            for state in ("RUNNING", "SUCCEEDED")
            for policy in OnRemove
        ),
        pytest.param(
            removed(attempt(1, **SENT, delete_time=NOW), jobs=(), begun=True),
            "forget Removing | forget a",
            id="deleted, but not forgotten yet: forget",
        ),
        pytest.param(removed(jobs=()), "forget Removing | forget a", id="no attempt at all: forget"),
        # unknown never causes an action
        pytest.param(removed(attempt(), jobs=()), "wait Unknown", id="not known in this pass: wait"),
        pytest.param(
            removed(attempt(1), attempt(2), jobs=(seen(attempt(2)),)),
            "wait Active",
            id="one works, the other is not known in this pass: wait",
        ),
        pytest.param(
            removed(attempt(1), on_remove=KEEP, jobs=()),
            "forget Unknown consent | record job a@1 released",
            id="onRemove keep, not known in this pass: let go of it all the same",
        ),
        *(
            pytest.param(removed(attempt(1, state)), "wait Unknown", id=f"no, {state}: wait")
            for state in ("PAUSED", "UPDATING", "BREWING")
        ),
    ],
)
def test_on_remove(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_one_of_several_attempts_is_paused() -> None:
    made = removed(attempt(1, "PAUSED"), attempt(2)).decide()

    assert show(made) == "wait Active"
    assert "JOB_STATE_PAUSED" in made.jobs[0].reason


@pytest.mark.parametrize("on_remove", [OnRemove.KEEP, OnRemove.CANCEL])
@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED", "BREWING"])
def test_released_is_nobodys_business_for_ever(on_remove: OnRemove, state: str) -> None:
    record = row(job(on_remove=on_remove), attempt(1, state), released_time=LOCAL)
    shown = look(found(1, state), found(1, suffix="-second"), found(2))

    made = decide([], [record], [shown], Options(allow_empty=True, prune_orphans=True))

    assert made.jobs == made.drift == ()
    assert decide([], [record], [shown], Options(destroy=True)).jobs == ()
    assert decide([job(on_remove=on_remove)], [record], [shown], Options(destroy=True)).jobs == ()


def test_a_removal_that_begins_keeps_the_time_and_leaves_attempts_alone() -> None:
    [step, _] = removed(attempt()).decide().jobs[0].steps

    assert step == RecordJob(row(job(), removing_time=LOCAL).row)


# --- yes | being removed | present | wanted again


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(attempt(), "wait Active | record job a@1", id="not cancelled yet: undo"),
        pytest.param(
            attempt(1, **SENT), "wait Cancelling | record job a@1", id="cancelled, not ended yet: wait for the end"
        ),
        pytest.param(
            attempt(1, "SUCCEEDED", **SENT),
            "collect Succeeded | record job a@1 | collect a@1.0",
            id="cancelled, succeeded: keep",
        ),
        pytest.param(
            attempt(1, "PARTIALLY_SUCCEEDED", **SENT),
            "collect PartiallySucceeded | record job a@1 | collect a@1.0",
            id="cancelled, succeeded in part: keep",
        ),
        pytest.param(
            attempt(1, "CANCELLED", **SENT),
            "create Waiting consent | record job a@1 | collect a@1.0 | record job a@2 | create a@2.0",
            id="cancelled: a new attempt",
        ),
        pytest.param(
            attempt(1, "FAILED", **SENT),
            "create Waiting consent | record job a@1 | collect a@1.0 | record job a@2 | create a@2.0",
            id="cancelled, shown as FAILED: a new attempt",
        ),
        pytest.param(
            attempt(1, "EXPIRED", **SENT),
            "create Waiting consent | record job a@1 | collect a@1.0 | record job a@2 | create a@2.0",
            id="cancelled, expired first: a new attempt",
        ),
        pytest.param(
            attempt(1, "FAILED", cancel_time=NOW - HOUR, cancel_cause=CancelCause.REPLACE, results="a/1"),
            "create Waiting consent | record job a@1 | record job a@2 | create a@2.0",
            id="cancelled to be replaced, changed back: a new attempt",
        ),
        pytest.param(
            attempt(1, "FAILED", results="a/1"), "none Failed | record job a@1", id="failed by itself: report"
        ),
    ],
)
def test_wanted_again(record: RecordedAttempt, expected: str) -> None:
    wanted = job()
    made = decide([wanted], [row(wanted, record, removing_time=LOCAL)], [look(seen(record))])

    assert show(made) == expected


@pytest.mark.parametrize("cause", [CancelCause.REMOVE, CancelCause.REPLACE])
@pytest.mark.parametrize("state", ["RUNNING", "CANCELLED", "FAILED"])
def test_wanted_again_when_it_is_gone_already(cause: CancelCause, state: str) -> None:
    record = attempt(1, state, cancel_time=NOW, cancel_cause=cause, gone_time=NOW)

    assert show(decide([job()], [row(job(), record)], [look()])) == (
        "create Waiting consent | record job a@2 | create a@2.0"
    )


def test_wanted_again_after_it_was_released() -> None:
    made = decide([job()], [row(job(), attempt(), released_time=LOCAL)], [look(found())])

    assert show(made) == "wait Active | record job a@1"


# --- any | provider no longer in the stack | any | observed through the account in the record


def test_a_provider_that_left_the_stack_is_observed_through_the_record() -> None:
    record = row(job(account=THERE), attempt(1, account=THERE))

    unseen = decide([], [record], [look()], EMPTY)
    shown = decide([], [record], [look(found(account=THERE), account=THERE)], EMPTY)

    assert show(unseen) == "wait Unknown"
    assert unseen.jobs[0].reason.endswith(f"{THERE} was not read")
    assert show(shown) == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"


# --- any | any | several remote jobs


@pytest.mark.parametrize(
    ("on_remove", "expected"),
    [
        pytest.param(
            OnRemove.DELETE,
            "delete Active unfinished consent | cancel a@1.0 batches/a-1-second duplicate | record job a@1 removing"
            " | cancel a@1.0 remove | ~ Duplicate",
            id="delete",
        ),
        pytest.param(
            OnRemove.CANCEL,
            "cancel Active unfinished consent | cancel a@1.0 batches/a-1-second duplicate | record job a@1 removing"
            " | cancel a@1.0 remove | ~ Duplicate",
            id="cancel",
        ),
        pytest.param(
            OnRemove.KEEP,
            "forget Active consent | cancel a@1.0 batches/a-1-second duplicate | record job a@1 released | ~ Duplicate",
            id="keep",
        ),
    ],
)
def test_a_removed_job_takes_its_second_one_with_it(on_remove: OnRemove, expected: str) -> None:
    record = row(job(on_remove=on_remove), attempt())
    shown = look(found(), found(1, suffix="-second", age=HOUR))

    assert show(decide([], [record], [shown], EMPTY)) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(
            "RUNNING",
            "delete Succeeded unfinished consent | cancel a@1.0 batches/a-1-second duplicate | record job a@1 removing | ~ Duplicate",
            id="the second one lives: not forgotten before it has ended",
        ),
        pytest.param("FAILED", "delete Succeeded consent | delete a@1.0 | forget a", id="the second one is dead"),
    ],
)
def test_a_removed_job_that_has_ended(state: str, expected: str) -> None:
    shown = look(seen(collected()), found(1, state, suffix="-second"))

    assert show(decide([], [row(job(), collected())], [shown], EMPTY)) == expected


def test_a_removed_job_that_is_gone_is_not_forgotten_before_its_second_one_has_ended() -> None:
    record = row(job(), collected(gone_time=LOCAL))

    made = decide([], [record], [look(found(1, suffix="-second"))], EMPTY)

    assert show(made) == (
        "delete Succeeded unfinished consent | cancel a@1.0 batches/a-1-second duplicate | record job a@1 removing | ~ Duplicate"
    )


def test_a_removed_job_in_an_unknown_state_still_loses_its_second_one() -> None:
    shown = look(found(1, "PAUSED"), found(1, suffix="-second", age=HOUR))

    assert show(decide([], [row(job(), attempt(1, "PAUSED"))], [shown], EMPTY)) == (
        "cancel Unknown | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate"
    )
