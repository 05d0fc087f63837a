"""Other credentials: what they show counts once they show a recorded job, and until then for nothing."""

from __future__ import annotations

import pytest

from batchctl.model.desired import DesiredStack
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import Observation, Present
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.reconcile import find_strangers, plan
from tests.support.decisions import (
    HERE,
    LOCAL,
    NOW,
    STACK,
    THERE,
    attempt,
    collected,
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

RUNNING = attempt()
LOST = {"on_missing": OnMissing.RECREATE}


def recorded(*jobs: RecordedJob, key: str = "old") -> Recorded:
    return Recorded({one.name: one for one in jobs}, serial=1, identities={HERE: key} if key else {})


def decide(record: Recorded, observation: Observation, *names: str) -> Plan:
    wanted = tuple(job(name, **LOST) for name in names or ("a",))
    return plan(DesiredStack(STACK, wanted), record, {observation.account: observation}, LOCAL)


GONE = look(gone=["batches/a-1"])
FORBIDDEN = look(forbidden=["batches/a-1"])


@pytest.mark.parametrize(
    ("record", "observation", "is_stranger"),
    [
        # The same key, and one of which nothing is known: as ever.
        (recorded(row(job(), RUNNING)), replace(GONE, identity="old"), False),
        (recorded(row(job(), RUNNING), key=""), replace(GONE, identity="new"), False),
        (recorded(row(job(), RUNNING)), GONE, False),
        # A new key that shows none of the recorded jobs, however it says so.
        (recorded(row(job(), RUNNING)), replace(GONE, identity="new"), True),
        (recorded(row(job(), RUNNING)), replace(FORBIDDEN, identity="new"), True),
        (recorded(row(job(), unanswered())), look(), False),
        (recorded(row(job(), unanswered())), replace(look(), identity="new"), True),
        # One that shows any of them: in the list, by a direct look, by a token, or one that was let go of.
        (recorded(row(job(), RUNNING)), replace(look(seen(RUNNING)), identity="new"), False),
        (
            recorded(row(job(), RUNNING)),
            replace(look(), checked={"batches/a-1": Present(seen(RUNNING))}, identity="new"),
            False,
        ),
        (recorded(row(job(), unanswered())), replace(look(found()), identity="new"), False),
        (
            recorded(row(job(), RUNNING), row(job("b"), attempt(name="b"), released_time=LOCAL)),
            replace(look(seen(attempt(name="b")), gone=["batches/a-1"]), identity="new"),
            False,
        ),
        # Nothing is expected there: nothing can be missed.
        (recorded(row(job(), attempt(gone_time=NOW))), replace(look(), identity="new"), False),
        (recorded(row(job(), attempt(delete_time=NOW))), replace(look(), identity="new"), False),
        (recorded(row(job(), RUNNING, released_time=LOCAL)), replace(look(), identity="new"), False),
        (recorded(row(job(account=THERE), attempt(account=THERE))), replace(look(), identity="new"), False),
        (recorded(row(job(), attempt(remote=None, rejected=True))), replace(look(), identity="new"), False),
        (recorded(), replace(look(), identity="new"), False),
        # What is not complete says nothing in any case.
        (recorded(row(job(), RUNNING)), replace(look(complete=False), identity="new"), False),
    ],
)
def test_who_is_a_stranger(record: Recorded, observation: Observation, is_stranger: bool) -> None:
    assert bool(find_strangers(record, {HERE: observation})) is is_stranger


def test_what_a_stranger_does_not_see_is_unknown_and_nothing_is_created_there() -> None:
    record = recorded(row(job(**LOST), RUNNING))
    made = decide(record, replace(GONE, identity="new"), "a", "new")
    assert show(made) == "wait Unknown"
    assert show(made, "new") == "wait Unknown"
    assert "the key has changed" in made.problems[HERE]
    assert "the recorded job of" in made.problems[HERE]
    assert made.identities == {}


def test_a_strangers_own_jobs_are_nobodys_here() -> None:
    """Marks of this very stack in another project: another machine's, perhaps."""
    record = recorded(row(job(**LOST), RUNNING))
    theirs = (found(2), replace(found(1, name="b"), mark=mark(1, name="b", token_of=9)))
    made = decide(record, replace(look(*theirs, gone=["batches/a-1"]), identity="new"), "a", "b")
    assert show(made) == "wait Unknown"
    assert show(made, "b") == "wait Unknown"
    assert made.drift == ()
    assert made.unmanaged is None


def test_collected_results_stay_good() -> None:
    made = decide(recorded(row(job(**LOST), collected())), replace(GONE, identity="new"))
    assert show(made) == "none Succeeded"


def test_a_successor_takes_over_and_sees_what_is_gone() -> None:
    other = attempt(name="b")
    record = recorded(row(job(**LOST), RUNNING), row(job("b"), other))
    made = decide(record, replace(look(seen(other), gone=["batches/a-1"]), identity="new"), "a", "b")
    assert made.identities == {HERE: "new"}
    assert show(made) == "wait Settling | record a@1.0 not found | ~ Missing"
    assert show(made, "b") == "update Active | record job b@1"


@pytest.mark.parametrize(
    ("before", "now", "complete", "written"),
    [
        ("", "new", True, {HERE: "new"}),
        ("old", "old", True, {}),
        ("old", "", True, {}),
        ("", "", True, {}),
        ("", "new", False, {}),
    ],
)
def test_which_identity_is_written_down(before: str, now: str, complete: bool, written: dict[object, str]) -> None:
    made = decide(
        recorded(row(job(), RUNNING), key=before), replace(look(seen(RUNNING), complete=complete), identity=now)
    )
    assert made.identities == written
