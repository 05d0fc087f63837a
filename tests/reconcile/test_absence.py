"""Gone needs age: what one look misses is missing, and nothing follows from that before another look confirms it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Timer
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import OnMissing, OnRemove
from batchctl.model.observed import Moment
from batchctl.model.reasons import Reason
from batchctl.model.steps import Create, Note, RecordAttempt
from batchctl.reconcile import Options
from tests.support.decisions import (
    GRACE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    Situation,
    again,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    lost,
    ordered,
    row,
    seen,
    show,
    vanished,
)
from tests.support.values import replace

EMPTY = Options(allow_empty=True)
DAY = 24 * HOUR
RECREATE = OnMissing.RECREATE
LOOKED = "record a@1.0 not found"
WAITS = f"wait Settling | {LOOKED} | ~ Missing"
BY_ORDER = {"cancel_time": NOW, "cancel_cause": CancelCause.USER}
FOR_REMOVAL = {"cancel_time": NOW, "cancel_cause": CancelCause.REMOVE}
AT_DEADLINE = {"cancel_time": NOW, "cancel_cause": CancelCause.DEADLINE}


def first(situation: Situation) -> Situation:
    """The same, as the very first look that misses the job has it."""
    return replace(situation, confirmed=False)


def removed(record, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(None, row(wanted, record), look(gone=["batches/a-1"]), EMPTY)


def changed(record, **lifecycle: object) -> Situation:
    return Situation(
        job(work="2", **lifecycle), row(job(**lifecycle), record), look(gone=["batches/a-1"]), confirmed=False
    )


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(vanished(attempt()), WAITS, id="wanted, works"),
        pytest.param(vanished(attempt(), on_missing=RECREATE), WAITS, id="to be made again"),
        pytest.param(vanished(attempt(create_time=NOW), on_missing=RECREATE), WAITS, id="made a moment ago"),
        pytest.param(vanished(attempt(**BY_ORDER)), f"wait Settling | {LOOKED}", id="cancelled by order"),
        pytest.param(
            vanished(attempt(**AT_DEADLINE), backoff_limit=3), f"wait Settling | {LOOKED}", id="past a deadline"
        ),
        pytest.param(vanished(attempt(**FOR_REMOVAL)), f"wait Settling | {LOOKED}", id="wanted again"),
        pytest.param(
            vanished(attempt(1, "SUCCEEDED")), f"wait Succeeded | {LOOKED} | ~ Vanished", id="a success, not collected"
        ),
        pytest.param(
            vanished(attempt(1, "FAILED"), backoff_limit=3),
            f"wait Failed | {LOOKED} | ~ Vanished",
            id="failed, what there is not collected",
        ),
        pytest.param(
            vanished(attempt(1, "FAILED", results="a/1"), backoff_limit=3),
            f"retry Waiting | {LOOKED} | record job a@2 | create a@2.0 | ~ Vanished",
            id="failed and collected: it works no more, there or not",
        ),
        pytest.param(vanished(collected()), f"none Succeeded | {LOOKED} | ~ Vanished", id="finished and collected"),
        pytest.param(removed(attempt()), WAITS, id="removed, works"),
        pytest.param(removed(attempt(**FOR_REMOVAL)), f"wait Settling | {LOOKED}", id="removed, being cancelled"),
        pytest.param(
            removed(attempt(1, "SUCCEEDED")), f"wait Succeeded | {LOOKED} | ~ Vanished", id="removed, not collected"
        ),
        pytest.param(
            removed(collected()), f"forget Removing | {LOOKED} | forget a | ~ Vanished", id="removed, collected"
        ),
        pytest.param(
            removed(attempt(), on_remove=OnRemove.KEEP),
            f"forget Settling consent | {LOOKED} | record job a@1 released | ~ Missing",
            id="to be kept: nothing is ended",
        ),
        pytest.param(changed(attempt()), WAITS, id="changed, works"),
        pytest.param(
            changed(attempt(1, "SUCCEEDED")), f"wait Succeeded | {LOOKED} | ~ Vanished", id="changed, not collected"
        ),
        pytest.param(
            changed(collected()),
            f"replace Succeeded consent | {LOOKED} | record job a@2 | create a@2.0 | ~ Vanished",
            id="changed, finished and collected",
        ),
        pytest.param(ordered(vanished(attempt())), WAITS, id="cancelled by order before its cancel was sent"),
    ],
)
def test_nothing_follows_from_one_look(situation: Situation, expected: str) -> None:
    made = first(situation).decide()

    assert show(made) == expected
    if expected.startswith("wait"):
        (planned,) = made.jobs
        leads = ("", "its work changed, but ", "no longer in a manifest, but ")
        assert planned.reason.startswith(tuple(f"{lead}missing, not confirmed yet" for lead in leads))
        assert (planned.next_time, planned.timer) == (LOCAL + GRACE, Timer.MISSING)


def test_the_first_look_is_written_down_on_both_clocks() -> None:
    record = attempt()
    slow = replace(look(gone=["batches/a-1"]), took=7 * SECOND)

    [step] = Situation(job(), row(job(), record), slow, confirmed=False).decide().jobs[0].steps

    assert step == RecordAttempt(replace(record, missed=Moment(LOCAL, NOW - 7 * SECOND)), Note.LOOKED)


AGAIN = "create Waiting | record a@1.0 gone | record job a@2 | create a@2.0 | ~ Missing"
RUNNING = "wait Settling | ~ Missing"


@pytest.mark.parametrize(
    ("here", "there", "expected", "left"),
    [
        pytest.param(GRACE, GRACE, AGAIN, None, id="over on both"),
        pytest.param(GRACE - SECOND, GRACE, RUNNING, SECOND, id="not over on the local clock"),
        pytest.param(GRACE, GRACE - SECOND, RUNNING, SECOND, id="not over on the provider's clock"),
        pytest.param(HOUR + SECOND, SECOND, RUNNING, GRACE - SECOND, id="the local clock was put forward"),
        pytest.param(SECOND, HOUR + SECOND, RUNNING, GRACE - SECOND, id="the provider's clock was put forward"),
        pytest.param(GRACE - DAY, GRACE, WAITS, GRACE, id="the local clock was put back by a day"),
        pytest.param(GRACE, GRACE - DAY, WAITS, GRACE, id="the provider's clock was put back by a day"),
        pytest.param(-MINUTE, MINUTE, RUNNING, GRACE + MINUTE, id="put back by less than the grace: it takes longer"),
    ],
)
def test_the_grace_passes_on_both_clocks(
    here: timedelta, there: timedelta, expected: str, left: timedelta | None
) -> None:
    record = attempt(missed=Moment(LOCAL - here, NOW - there))

    made = first(vanished(record, on_missing=RECREATE)).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (None if left is None else LOCAL + left)


@pytest.mark.parametrize(
    "blind",
    [
        pytest.param(look(complete=False, gone=["batches/a-1"]), id="a page failed"),
        pytest.param(look(forbidden=["batches/a-1"]), id="403"),
        pytest.param(look(), id="nobody asked for it"),
    ],
)
def test_a_look_that_shows_nothing_confirms_nothing(blind) -> None:
    record = attempt(missed=Moment(LOCAL - HOUR, NOW - HOUR))

    made = Situation(job(on_missing=RECREATE), row(job(on_missing=RECREATE), record), blind).decide()

    assert show(made) == "wait Unknown"
    assert made.jobs[0].attempt == record


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        pytest.param(attempt(), {}, id="works, listed"),
        pytest.param(attempt(1, "SUCCEEDED", results="a/1"), {}, id="finished, listed"),
        pytest.param(attempt(), {"directly": True}, id="works, shown by the get alone"),
    ],
)
def test_what_is_seen_again_was_not_missing(record, shown) -> None:
    missed = replace(record, missed=Moment(LOCAL - HOUR, NOW - HOUR))
    there = look(shown={"batches/a-1": seen(record)}) if shown else look(seen(record))

    made = Situation(job(), row(job(), missed), there).decide()

    assert made.jobs[0].steps == (RecordAttempt(record, Note.REFRESHED),)


def test_a_second_job_of_the_attempt_is_not_followed_before_the_first_is_gone() -> None:
    record = attempt()
    other = found(1, suffix="-second")

    one_look = Situation(job(), row(job(), record), look(other, gone=["batches/a-1"]), confirmed=False).decide()
    two_looks = Situation(job(), row(job(), record), look(other, gone=["batches/a-1"])).decide()

    assert one_look.jobs[0].attempt is not None
    assert one_look.jobs[0].attempt.remote == "batches/a-1"
    assert show(one_look) == WAITS
    assert two_looks.jobs[0].attempt is not None
    assert two_looks.jobs[0].attempt.remote == "batches/a-1-second"


def test_a_missing_job_still_takes_its_room() -> None:
    wanted = [job("a"), job("b")]
    gone = look(gone=["batches/a-1"])

    unconfirmed = decide(wanted, [row(job("a"), attempt())], [gone], confirmed=False)
    confirmed = decide(wanted, [row(job("a"), attempt())], [gone])

    assert sum(unconfirmed.live.values()) == 1
    assert sum(confirmed.live.values()) == 0


# --- onMissing: recreate, bounded


@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_recreation_takes_longer(times: int) -> None:
    before = tuple(lost(number) for number in range(1, times))
    pause = timedelta() if times == 1 else GRACE * 2 ** (times - 1)

    at_once = again(*before, last=times).decide().jobs[0]

    assert (Create(AttemptKey("a", times + 1)) in at_once.steps) is (times == 1)
    assert at_once.next_time == (None if times == 1 else NOW + pause)
    assert at_once.timer is (None if times == 1 else Timer.BACKOFF)
    later = again(*before, last=times, gone_time=LOCAL - pause).decide().jobs[0]
    assert Create(AttemptKey("a", times + 1)) in later.steps
    assert not later.needs_consent


def test_after_three_recreations_it_has_failed() -> None:
    before = tuple(lost(number) for number in range(1, 4))

    made = again(*before, last=4).decide()

    assert show(made) == "none Failed | record a@4.0 gone | ~ Missing"
    assert "4 times" in made.jobs[0].reason
    assert "batchctl retry" in made.jobs[0].reason


def test_other_work_and_what_ended_do_not_count() -> None:
    before = (lost(1, work="2"), lost(2, **FOR_REMOVAL), attempt(3, "FAILED", gone_time=LOCAL), lost(4))

    assert Create(AttemptKey("a", 6)) in again(*before, last=5, gone_time=LOCAL - HOUR).decide().jobs[0].steps


@pytest.mark.parametrize(
    ("before", "times"),
    [
        pytest.param(lost(1), 2, id="it went missing"),
        pytest.param(lost(1, work="2"), 1, id="it did other work"),
        pytest.param(lost(1, **FOR_REMOVAL), 1, id="it was cancelled"),
        pytest.param(lost(1, state="FAILED"), 1, id="it had ended"),
        pytest.param(lost(1, state="CANCELLED"), 2, id="it was found since, and cancelled as a duplicate"),
        pytest.param(lost(1, state=None, remote=None), 1, id="its create call was lost"),
    ],
)
def test_only_attempts_that_went_missing_lengthen_the_pause(before: RecordedAttempt, times: int) -> None:
    (planned,) = again(before, last=2).decide().jobs

    assert (Create(AttemptKey("a", 3)) in planned.steps) is (times == 1)
    assert (planned.code, "attempt 2 of 3 after a pause" in planned.reason) == (
        (Reason.MISSING, False) if times == 1 else (Reason.BACK_OFF, True)
    )


@pytest.mark.parametrize("state", ["RUNNING", "CANCELLED"])
def test_what_was_made_again_counts_though_it_was_found_since(state: str) -> None:
    before = tuple(attempt(number, state) for number in range(1, 4))

    assert again(*before, last=4).decide().jobs[0].phase == "Failed"


def test_what_is_forbidden_beside_it_makes_a_first_miss_no_sooner_a_loss() -> None:
    """Of two jobs that a list lacks one says 404 and the other 403."""
    records = [row(job(name, on_missing=RECREATE), attempt(name=name)) for name in ("a", "b")]
    wanted = [job(name, on_missing=RECREATE) for name in ("a", "b")]
    seen_once = look(gone=["batches/a-1"], forbidden=["batches/b-1"])
    made = decide(wanted, records, [seen_once], confirmed=False)
    assert [planned.action for planned in made.jobs] == ["wait", "wait"]
    assert not any(isinstance(step, Create) for planned in made.jobs for step in planned.steps)
