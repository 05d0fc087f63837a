"""Older readings undo nothing: no state goes back, and what we deleted is a ghost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.plan import Plan
from batchctl.model.recorded import Ghost, Recorded
from batchctl.reconcile import Options, ghosts_of, old_ghosts, plan
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    STACK,
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
from tests.support.values import replace

ON_THE_WAY = ["QUEUED", "PENDING", "RUNNING", "CANCELLING"]
ENDS = ["SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]
STRANGE = ["PAUSED", "UPDATING", "UNSPECIFIED", "BREWING"]
DEADLINES = {"pending_deadline": SECOND}


EARLIER = NOW - 2 * HOUR


@pytest.mark.parametrize(
    ("known", "shown", "expected"),
    [(NOW - HOUR, None, NOW - HOUR), (None, EARLIER, EARLIER), (NOW - HOUR, EARLIER, EARLIER), (None, None, None)],
)
def test_an_outdated_reading_may_show_when_a_job_started_but_not_that_it_did_not(
    known: datetime | None, shown: datetime | None, expected: datetime | None
) -> None:
    record = attempt(1, "CANCELLING", start_time=known)
    (planned,) = decide([job()], [row(job(), record)], [look(seen(record, "RUNNING", start_time=shown))]).jobs
    assert planned.attempt is not None
    assert (planned.attempt.state, planned.attempt.start_time) == (record.state, expected)


def state_after(known: str, shown: str) -> str:
    record = attempt(1, known, results="a/1" if known in ENDS else None)
    made = decide([job()], [row(job(), record)], [look(seen(record, shown))])
    after = made.jobs[0].attempt
    assert after is not None
    return str(after.state).removeprefix("JOB_STATE_")


@pytest.mark.parametrize("shown", [*ON_THE_WAY, *ENDS, *STRANGE])
@pytest.mark.parametrize("known", [*ON_THE_WAY, *ENDS, *STRANGE])
def test_no_state_goes_back_to_an_earlier_one(known: str, shown: str) -> None:
    if known in ENDS:
        expected = known
    elif known in ON_THE_WAY and shown in ON_THE_WAY:
        expected = ON_THE_WAY[max(ON_THE_WAY.index(known), ON_THE_WAY.index(shown))]
    else:
        expected = shown
    assert state_after(known, shown) == expected


def test_a_running_job_that_an_older_list_shows_as_pending_is_past_no_pending_deadline() -> None:
    wanted = job(**DEADLINES)

    made = Situation(wanted, row(wanted, attempt()), look(seen(attempt(), "PENDING", start_time=None))).decide()

    assert show(made) == "wait Active"


def test_an_ended_earlier_attempt_that_an_older_list_shows_at_work_is_no_duplicate() -> None:
    first, second = attempt(1, "FAILED", results="a/1"), attempt(2)

    made = decide([job()], [row(job(), first, second)], [look(seen(first, "RUNNING"), seen(second))])

    assert show(made) == "wait Active"
    assert sum(made.live.values()) == 1


def test_a_success_that_an_older_get_shows_at_work_counts() -> None:
    record = attempt(1, "SUCCEEDED")
    shown = look(shown={"batches/a-1": seen(record, "RUNNING", end_time=None)})

    made = Situation(job(), row(job(), record), shown).decide()

    assert show(made) == "collect Succeeded | collect a@1.0"


def test_a_second_job_of_the_attempt_does_not_outdo_a_known_success() -> None:
    record = collected()
    older = seen(record, "RUNNING", end_time=None)

    made = Situation(job(), row(job(), record), look(older, found(1, suffix="-second"))).decide()

    assert show(made) == "cancel Succeeded | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate"


def test_another_accounts_job_of_that_name_is_as_it_is_shown() -> None:
    record = attempt(1, "SUCCEEDED", results="a/1")
    other = replace(found(2, name="b"), name="batches/a-1", account=THERE)

    made = decide(
        [job(), job("b", account=THERE)], [row(job(), record)], [look(seen(record)), look(other, account=THERE)]
    )

    assert made.jobs[1].attempt is not None
    assert made.jobs[1].attempt.state == "JOB_STATE_RUNNING"


# --- ghosts

DELETED = collected(delete_time=NOW)
GHOST = Ghost(HERE, "batches/a-1", LOCAL)


def with_ghosts(wanted, *jobs, ghosts=(GHOST,), options: Options | None = None) -> Plan:
    desired = DesiredStack(STACK, tuple(wanted))
    return plan(desired, Recorded(serial=1, ghosts=tuple(ghosts)), {HERE: look(*jobs)}, LOCAL, options)


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
def test_a_recorded_job_that_we_deleted_is_gone_wherever_it_is_listed(state: str) -> None:
    ghost = found(1, state)

    kept = Situation(job(ttl_after_finished=SECOND), row(job(ttl_after_finished=SECOND), DELETED), look(ghost)).decide()
    removed = Situation(None, row(job(), DELETED), look(ghost), Options(allow_empty=True)).decide()
    changed = Situation(job(work="2"), row(job(work="2"), DELETED), look(ghost)).decide()

    assert show(kept) == "none Succeeded"
    assert show(removed) == "forget Removing | forget a"
    assert show(changed) == "replace Succeeded consent | record job a@2 | create a@2.0"


def test_a_forgotten_ghost_is_not_adopted() -> None:
    assert show(with_ghosts([job()], found())) == "create Waiting consent | record job a@1 | create a@1.0"
    assert show(with_ghosts([job()], found(), ghosts=())).startswith("adopt")


def test_a_forgotten_ghost_is_no_orphan_and_not_unmanaged() -> None:
    for options in (Options(), Options(prune_orphans=True), Options(show_unmanaged=True)):
        made = with_ghosts([], found(), options=options)
        assert (made.drift, made.jobs, made.unmanaged) == ((), (), 0)
    assert [drift.kind for drift in with_ghosts([], found(), ghosts=()).drift] == ["Orphan"]


def test_a_ghost_is_not_taken_in() -> None:
    wanted = replace(job(), adopt="batches/a-1")
    by_hand = found(mark=None)

    assert show(with_ghosts([wanted], by_hand)) == "wait Waiting"
    assert show(with_ghosts([wanted], by_hand, ghosts=())).startswith("adopt")


def test_a_ghost_is_one_accounts_own() -> None:
    elsewhere = Ghost(THERE, "batches/a-1", LOCAL)

    assert show(with_ghosts([job()], found(), ghosts=[elsewhere])).startswith("adopt")


def test_what_was_deleted_becomes_a_ghost_when_it_is_forgotten() -> None:
    unsent: RecordedAttempt = attempt(2, None, remote=None)

    assert ghosts_of([DELETED, attempt(3), unsent], LOCAL) == [GHOST]


def test_ghosts_are_kept_for_a_while_and_in_number() -> None:
    def ghost(number: int, age: timedelta) -> Ghost:
        return Ghost(HERE, f"batches/{number}", LOCAL - age)

    young, old = ghost(1, 30 * 24 * HOUR), ghost(2, 30 * 24 * HOUR + SECOND)
    assert old_ghosts([old, young], LOCAL) == [old]
    many = [ghost(number, number * SECOND) for number in range(10_002)]
    assert old_ghosts(many, LOCAL + MINUTE) == many[10_000:]
