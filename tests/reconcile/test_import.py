"""A job made by hand that a manifest takes in with `spec.adopt`."""

from __future__ import annotations

import pytest

from batchctl.model.observed import RemoteJob
from batchctl.reconcile import Options
from tests.support.decisions import Situation, attempt, found, job, look, mark, row, show
from tests.support.values import replace

REMOTE = "batches/by-hand"


def by_hand(state: str = "RUNNING", **fields: object) -> RemoteJob:
    return replace(found(1, state), name=REMOTE, mark=None, display_name="by hand", **fields)


THEIRS = replace(by_hand(), mark=mark(stack="theirs"))
TAKING = replace(job(), adopt=REMOTE)
TAKEN = replace(attempt(1), token="", remote=REMOTE, adopted=True, tree=dict(TAKING.tree))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(TAKING, None, look(by_hand())),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="nobody's: taken in",
        ),
        pytest.param(
            Situation(TAKING, None, look(by_hand("SUCCEEDED"))),
            "adopt Succeeded | record job a@1 | record a@1.0 adopted | collect a@1.0 batches/by-hand",
            id="nobody's, has ended: taken in and collected",
        ),
        pytest.param(
            Situation(TAKING, None, look(replace(found(name="b"), name=REMOTE))),
            "wait Waiting",
            id="it is another job of ours: never touched, nothing created",
        ),
        pytest.param(
            Situation(TAKING, None, look(THEIRS)),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="another stack's: taken in",
        ),
        pytest.param(
            Situation(TAKING, None, look(shown={REMOTE: replace(by_hand(), mark=mark(uid="fedcba"))})),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="it was asked for, and carries another uid's mark: taken in",
        ),
        pytest.param(
            Situation(TAKING, row(job(), TAKEN), look(THEIRS)),
            "wait Active",
            id="another stack's, taken in before: followed, and its mark is no drift",
        ),
        pytest.param(
            Situation(None, row(job(), TAKEN), look(THEIRS), Options(consent=True, allow_empty=True)),
            "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 batches/by-hand remove",
            id="another stack's, no longer wanted: ended like any other",
        ),
        pytest.param(
            Situation(TAKING, None, look(shown={REMOTE: replace(by_hand(), name="batches/its-own-name")})),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="a list of ours lacks it, but it was asked for: taken in",
        ),
        pytest.param(
            Situation(TAKING, None, look(shown={REMOTE: replace(found(name="b"), name=REMOTE)})),
            "wait Waiting",
            id="it was asked for, and it has an owner",
        ),
        pytest.param(
            Situation(TAKING, None, look(gone=[REMOTE])),
            "wait Waiting",
            id="it was asked for, and is not there",
        ),
        pytest.param(Situation(TAKING, None, look()), "wait Waiting", id="not there: nothing is created in its place"),
        pytest.param(Situation(TAKING, None, look(complete=False)), "wait Unknown", id="the list is incomplete: wait"),
        pytest.param(
            Situation(TAKING, row(job(), TAKEN), look(by_hand())),
            "wait Active",
            id="taken in before: followed, and its missing mark is no drift",
        ),
    ],
)
def test_adopt(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_an_account_that_nobody_looked_at_gives_nothing_to_take_in() -> None:
    there = replace(look(), account=replace(look().account, origin="https://elsewhere"))
    assert show(Situation(TAKING, None, there).decide()) == "wait Unknown"


def test_a_job_that_is_taken_in_is_no_longer_unmanaged() -> None:
    plan = Situation(TAKING, None, look(by_hand()), Options(show_unmanaged=True)).decide()
    assert (plan.unmanaged, plan.drift) == (0, ())
    assert plan.jobs[0].attempt is not None
    assert (plan.jobs[0].attempt.remote, plan.jobs[0].attempt.create_time) == (REMOTE, by_hand().create_time)
