"""Which uploads nobody needs any more: counted by reference over all attempts, and never where nobody can tell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded, RecordedFile
from batchctl.model.states import Phase
from batchctl.reconcile import NO_FILE, expects_attempt, find_unneeded
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    STACK,
    THERE,
    attempt,
    collected,
    foreign_jobs,
    found,
    job,
    look,
    row,
    seen,
    unanswered,
)
from tests.support.job_plans import job_plan
from tests.support.values import replace

FILE = RecordedFile(HERE, "aa", "files/x", NOW + HOUR)
READS = {"input_file": "files/x"}


def unneeded(*attempts: RecordedAttempt, looks=None, going=(), file: RecordedFile = FILE) -> list[str]:
    records = {
        one.key.job: row(job(one.key.job), *[other for other in attempts if other.key.job == one.key.job])
        for one in attempts
    }
    observed = {one.account: one for one in (looks if looks is not None else [look()])}
    return [one.name for one in find_unneeded(Recorded(records, (file,)), observed, STACK, going, LOCAL)]


@pytest.mark.parametrize(
    ("attempts", "gone"),
    [
        ([], True),
        ([attempt(1, "SUCCEEDED", **READS)], True),
        ([attempt(1, "FAILED", **READS)], True),
        ([attempt(1, None, remote=None, rejected=True, **READS)], True),
        ([attempt(1, "RUNNING", gone_time=NOW, **READS)], True),
        ([attempt(1, "RUNNING", delete_time=NOW, **READS)], True),
        ([attempt(1, "RUNNING", **READS)], False),
        ([attempt(1, "PENDING", **READS)], False),
        ([attempt(1, "PAUSED", **READS)], False),
        ([attempt(1, None, remote=None, **READS)], False),
        ([unanswered(**READS)], False),
        ([collected(1, **READS), attempt(2, "RUNNING", **READS)], False),
        ([collected(1, **READS), attempt(1, "RUNNING", name="b", **READS)], False),
        ([collected(1, **READS), attempt(1, "RUNNING", name="b", input_file="files/y")], True),
        ([collected(1, **READS), attempt(1, "RUNNING", name="b", input_file=NO_FILE)], True),
        # What an older state or a mark alone knows of is not known to read something else.
        ([collected(1, **READS), attempt(1, "RUNNING", name="b", input_file=None)], False),
        ([collected(1, **READS), collected(1, name="b", input_file=None)], True),
        ([collected(1, **READS), attempt(1, "RUNNING", name="b", account=THERE, input_file=None)], True),
    ],
)
def test_a_file_goes_with_the_last_attempt_that_may_read_it(attempts: list[RecordedAttempt], gone: bool) -> None:
    assert unneeded(*attempts) == (["files/x"] if gone else [])


def test_without_files_none_is_deleted() -> None:
    records = {"a": row(job("a"), attempt(1, "SUCCEEDED", **READS))}
    assert find_unneeded(Recorded(records), {look().account: look()}, STACK, (), LOCAL) == ()


def test_a_job_that_is_tried_again_keeps_its_file() -> None:
    assert unneeded(attempt(1, "FAILED", **READS), going={"a"}) == []


@pytest.mark.parametrize("looks", [[], [look(complete=False)], [look(account=THERE)]])
def test_nothing_is_deleted_on_an_account_that_was_not_read(looks: list) -> None:
    assert unneeded(collected(1, **READS), looks=looks) == []


def test_a_live_job_of_this_stack_that_the_state_does_not_know_may_read_anything() -> None:
    assert unneeded(collected(1, **READS), looks=[look(found(name="b"))]) == []
    assert unneeded(collected(1, **READS), looks=[look(found(name="b", state="SUCCEEDED"), *foreign_jobs())]) == [
        "files/x"
    ]
    known = attempt(1, "RUNNING", name="b", input_file=NO_FILE)
    assert unneeded(collected(1, **READS), known, looks=[look(seen(known))]) == ["files/x"]


@pytest.mark.parametrize(("left", "gone"), [(timedelta(0), True), (-SECOND, True), (SECOND, False), (None, False)])
def test_what_has_expired_is_dropped_whoever_needs_it(left: timedelta | None, gone: bool) -> None:
    file = replace(FILE, expire_time=None if left is None else NOW + left)
    assert unneeded(attempt(1, "RUNNING", **READS), file=file) == (["files/x"] if gone else [])


@pytest.mark.parametrize("phase", Phase)
def test_a_job_before_its_attempt_keeps_the_file(phase: Phase) -> None:
    plan = Plan("shop", (job_plan("a", Action.WAIT, phase, Reason.ACTIVE, ""),))
    assert expects_attempt(plan) == ({"a"} if phase in {Phase.WAITING, Phase.SETTLING} else set())
