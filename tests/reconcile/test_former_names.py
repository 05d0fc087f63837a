"""Renamed jobs: marks keep former names, and nothing is cancelled or bought for it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import Gone, Observation, Present
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.reconcile import Options, plan
from batchctl.reconcile.view.former_names import numbers_used
from tests.support.decisions import (
    LOCAL,
    NOW,
    STACK,
    attempt,
    found,
    job,
    look,
    mark,
    row,
    show,
    token,
    unanswered,
    with_row,
)
from tests.support.values import replace

RENAMED = attempt(name="b", remote="batches/a-1")
"""Attempt 1 of `b`, made when its job was called `a`."""
AS_A = replace(found(), name="batches/a-1")
B = row(job("b"), RENAMED, former_names=("a",))


def decide(wanted: Iterable[DesiredJob], records: Iterable[RecordedJob], observation: Observation) -> Plan:
    record = Recorded({one.name: one for one in records}, serial=1)
    observed = {observation.account: observation}
    return plan(DesiredStack(STACK, tuple(wanted)), record, observed, LOCAL, Options(allow_empty=True))


def test_a_renamed_job_is_as_it_was() -> None:
    made = decide([job("b")], [B], look(AS_A))
    assert show(made, "b") == "wait Active"
    assert (made.drift, made.unmanaged) == ((), 0)


def test_without_the_former_name_it_would_be_somebody_elses() -> None:
    made = decide([job("b")], [with_row(B, former_names=())], look(AS_A))
    assert {(drift.job, drift.kind) for drift in made.drift} == {("a", "Orphan"), ("b", "Changed")}


def test_the_old_manifest_asks_for_a_new_job_with_a_new_number() -> None:
    made = decide([job("a"), job("b")], [B], look(AS_A))
    assert show(made, "a").split(" | ")[0] == "create Waiting consent"
    assert "create a@2.0" in show(made, "a")
    assert show(made, "b") == "wait Active"


def test_both_jobs_keep_their_own() -> None:
    new = replace(attempt(2), token=token(7))
    theirs = replace(found(2), name="batches/a-2", mark=mark(2, token_of=7))
    made = decide([job("a"), job("b")], [row(job("a"), new), B], look(AS_A, theirs))
    assert (show(made, "a"), show(made, "b"), made.drift) == ("wait Active", "wait Active", ())


def test_a_lost_answer_is_found_under_the_former_name() -> None:
    lost = replace(unanswered(name="b"), token=token(1))
    made = decide([job("b")], [row(job("b"), lost, former_names=("a",))], look(AS_A))
    assert show(made, "b").startswith("adopt Active | record b@1.0 adopted")


def test_a_lost_answer_of_a_new_job_of_that_name_is_its_own() -> None:
    lost = replace(unanswered(2), token=token(7))
    theirs = replace(found(2), name="batches/a-2", mark=mark(2, token_of=7))
    made = decide([job("a"), job("b")], [row(job("a"), lost), B], look(AS_A, theirs))
    assert show(made, "a").startswith("adopt Active")
    assert show(made, "b") == "wait Active"


def test_an_unknown_mark_of_a_former_name_belongs_to_the_renamed_job() -> None:
    """Another machine's attempt, or one that was forgotten."""
    second = replace(found(2), name="batches/a-2", mark=mark(2, token_of=9))
    made = decide([job("b")], [B], look(AS_A, second))
    assert made.jobs[0].attempt is not None
    assert made.jobs[0].attempt.key == AttemptKey("b", 2)


def test_a_second_remote_job_is_found_under_the_former_name() -> None:
    twin = replace(found(1, suffix="-twin", age=NOW - LOCAL), mark=mark(1, token_of=1))
    made = decide([job("b")], [B], look(AS_A, twin))
    assert "cancel b@1.0 batches/a-1-twin duplicate" in show(made, "b")


def test_a_direct_look_shows_the_new_name_too() -> None:
    observation = replace(look(), checked={"batches/a-1": Present(AS_A), "batches/x": Gone()})
    made = decide([job("b")], [B], observation)
    assert (show(made, "b"), made.drift) == ("wait Active", ())


def test_marks_of_other_stacks_keep_their_names() -> None:
    foreign = replace(AS_A, name="batches/foreign", mark=mark(uid="fedcba"))
    made = decide([job("b")], [B], look(AS_A, foreign, replace(AS_A, name="batches/none", mark=None)))
    assert made.unmanaged == 2


def test_a_removed_manifest_ends_the_renamed_job() -> None:
    made = decide([], [B], look(AS_A))
    assert "cancel b@1.0 batches/a-1 remove" in show(made, "b")


@pytest.mark.parametrize(
    ("records", "used"),
    [
        ([], {}),
        ([row(job("b"), attempt(name="b"))], {}),
        ([row(job("b"), former_names=("a",))], {"a": 0}),
        ([row(job("b"), attempt(name="b"), attempt(3, name="b"), former_names=("a", "c"))], {"a": 3, "c": 3}),
        (
            [
                row(job("b"), attempt(2, name="b"), former_names=("a",)),
                row(job("c"), attempt(name="c"), former_names=("a",)),
            ],
            {"a": 2},
        ),
    ],
)
def test_numbers_that_are_used(records: list[RecordedJob], used: dict[str, int]) -> None:
    assert numbers_used(Recorded({one.name: one for one in records})) == used
