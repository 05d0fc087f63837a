"""Queues at the API that stall: when creates wait for a start there, and that none waits for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import Observation
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from batchctl.reconcile.admission.stalls import Stall, find_stalls
from batchctl.reconcile.decide.context import Context
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
    job,
    look,
    row,
    seen,
)
from tests.support.past_jobs import MINUTE, TENS, history, past_attempt, past_job
from tests.support.queue_limits import KEY, MANY, admitted, of, queue
from tests.support.values import replace

# Nine of ten of TENS began within 9 minutes: with the factor of 3 and the floor, one should begin every 30 minutes.
STEP = 30 * MINUTE
SLOW = tuple((20 * MINUTE, HOUR) for _ in range(10))
"""Ten attempts that waited 20 minutes each: with the factor of 3, one should begin every hour."""


def pending(name: str, age: timedelta, **fields: Any) -> RecordedAttempt:
    return attempt(name=name, state="PENDING", create_time=NOW - age, **fields)


def planned(
    *waiting: RecordedAttempt, new: str = "a", past: RecordedJob | None = None, now: datetime = NOW, **options: Any
) -> Plan:
    """The plan of jobs that wait at the API, and of new ones that shall be created."""
    wanted = [job(one.key.job, account=one.account) for one in waiting]
    records = [*map(row, wanted, waiting), past or history()]
    looks = [
        Observation(account, now, tuple(seen(one) for one in waiting if one.account == account))
        for account in {HERE, *(one.account for one in waiting)}
    ]
    return decide([*wanted, *map(job, new)], records, looks, MANY, **options)


def test_creates_wait_while_no_job_begins_at_the_api() -> None:
    made = planned(*(pending(f"old-{number}", HOUR) for number in range(5)), new="ab")
    assert (admitted(made), queue(made)) == ("", ["a", "b"])
    place = of(made, "a")
    assert place.code.value == "StalledQueue"
    assert place.queue == QueuePlace(1, 2, LimitKind.STALL, 5, 3)
    assert place.reason == (
        "new in the manifests; 1st of 2 in the queue: the queue of gemini-2.5-flash at the API has stalled: of 5 jobs"
        " that wait there none has begun since 2026-11-22T11:00:00Z, and nine of ten began within 9m before"
    )
    assert place.next_time == NOW - HOUR + 5 * STEP
    assert [rule.id for rule in place.trail][-1] == "admission"


TABLE = {
    "nothing waits there": ([], "a b"),
    "it has not waited long enough": ([("x", STEP - MINUTE)], "a b"),
    "one job lets one pass": ([("x", STEP)], "a"),
    "and after another span two": ([("x", 2 * STEP)], "a b"),
    "two jobs hold all back": ([("x", STEP), ("y", MINUTE)], ""),
    "until another span has passed": ([("x", 2 * STEP), ("y", MINUTE)], "a"),
    "a job that never begins is no obstacle": ([("x", 40 * HOUR)], "a b"),
}


@pytest.mark.parametrize(("waiting", "names"), TABLE.values(), ids=TABLE)
def test_a_stalled_queue_takes_one_job_more_for_each_span(waiting: list[tuple[str, timedelta]], names: str) -> None:
    assert admitted(planned(*(pending(name, age) for name, age in waiting), new="ab")) == names


@pytest.mark.parametrize(
    ("options", "past", "names"),
    [
        pytest.param({}, history(), "", id="held"),
        pytest.param({"limits": Limits(pause_when_stalled=False)}, history(), "a b", id="switched off"),
        pytest.param({"limits": Limits(stuck_factor=10)}, history(), "a b", id="a larger factor"),
        pytest.param({}, history(TENS[:9]), "a b", id="too few starts are known"),
        pytest.param({}, history(tree={"model": "gemini-2.5-pro"}), "a b", id="starts of another model"),
        pytest.param({}, history(account=THERE), "a b", id="starts of another account"),
        pytest.param({}, history(SLOW), "", id="an hour, by three times 20 minutes"),
        pytest.param({}, history(tuple((21 * MINUTE, HOUR) for _ in TENS)), "a b", id="slower ones"),
    ],
)
def test_what_is_usual_decides(options: dict[str, Any], past: RecordedJob, names: str) -> None:
    waiting = [pending("x", HOUR), pending("y", HOUR), pending("z", HOUR)]
    assert admitted(planned(*waiting, new="ab", past=past, **options)) == names


def test_a_queue_of_another_model_or_account_holds_nothing_back() -> None:
    three = [pending(name, HOUR, tree={"model": "gemini-2.5-pro"}) for name in "xyz"]
    past = past_job(
        *history().attempts,
        *(past_attempt(20 + number, *one, tree={"model": "gemini-2.5-pro"}) for number, one in enumerate(TENS)),
    )
    assert admitted(planned(*three, past=past)) == "a"
    elsewhere = [pending(name, HOUR, account=THERE) for name in "xyz"]
    assert admitted(planned(*elsewhere)) == "a"


MOVES = {
    "one began a moment ago": (attempt(name="m", start_time=NOW - MINUTE), "a"),
    "one began before the others waited": (attempt(name="m", start_time=NOW - 3 * HOUR), ""),
    "one that nobody saw begin has succeeded": (
        collected(name="m", start_time=None, end_time=NOW - MINUTE, create_time=NOW - HOUR),
        "a",
    ),
    "one that nobody saw begin has failed": (
        attempt(name="m", state="FAILED", start_time=None, end_time=NOW - MINUTE, create_time=NOW - HOUR),
        "",
    ),
}


@pytest.mark.parametrize(("moved", "names"), MOVES.values(), ids=MOVES)
def test_a_start_ends_the_stall(moved: RecordedAttempt, names: str) -> None:
    assert admitted(planned(*(pending(name, HOUR) for name in "xyz"), moved)) == names


def test_a_start_that_this_pass_sees_ends_the_stall() -> None:
    waiting = [pending(name, HOUR) for name in "xyz"]
    wanted = [job(name) for name in "xyz"]
    shown = [seen(waiting[0], "RUNNING"), *map(seen, waiting[1:])]
    records = [*map(row, wanted, waiting), history()]
    assert admitted(decide([*wanted, job()], records, [look(*shown)], MANY)) == "a"
    started = [seen(waiting[0], "SUCCEEDED", end_time=NOW - MINUTE), *map(seen, waiting[1:])]
    assert admitted(decide([*wanted, job()], records, [look(*started)], MANY)) == "a"


def test_jobs_that_are_gone_do_not_wait_any_more() -> None:
    lost = [pending(name, HOUR, gone_time=LOCAL) for name in "xyz"]
    made = decide([job()], [*(row(job(one.key.job), one) for one in lost), history()], [look()], MANY)
    assert "a" in admitted(made)


def test_jobs_that_were_not_listed_still_wait() -> None:
    """A list that is incomplete hides jobs; a direct get may show them."""
    waiting = [pending(name, HOUR) for name in "xyz"]
    shown = {one.remote: seen(one) for one in waiting if one.remote is not None}
    wanted = [job(one.key.job) for one in waiting]
    made = decide([*wanted, job()], [*map(row, wanted, waiting), history()], [look(shown=shown)], MANY)
    assert admitted(made) == ""


def context(records: Iterable[RecordedJob], recorded: Recorded | None = None) -> Context:
    from batchctl.model.desired import DesiredStack

    base = recorded or Recorded()
    kept = replace(base, jobs={record.name: record for record in records})
    return Context(DesiredStack(STACK, ()), kept, {}, NOW, Options())


def test_starts_of_forgotten_jobs_count_too() -> None:
    from batchctl.reconcile import past_of

    past = past_of(history().attempts, "gemini-2.5-flash")
    moved = replace(past[0], remote="batches/moved", start_time=None, end_time=NOW - MINUTE)
    waiting = row(job(), pending("a", HOUR))
    never_moved = find_stalls(context([waiting], Recorded(history=tuple(past))))
    assert never_moved == {KEY: Stall(NOW - HOUR, 1, STEP, 9 * MINUTE)}
    assert find_stalls(context([waiting], Recorded(history=(*past, moved))))[KEY].since == NOW - MINUTE
    assert find_stalls(context([row(job(), attempt())])) == {}
    assert find_stalls(context([row(job(), pending("a", HOUR))])) == {}


AGES = st.integers(0, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=60, deadline=None)
@given(st.lists(AGES, max_size=12), st.integers(1, 4))
def test_no_create_waits_for_ever(ages: list[timedelta], number: int) -> None:
    """An empty queue takes all; and if no job ever begins, each waiting one is let in when its time has come."""
    waiting = [pending(f"old-{place:02}", age) for place, age in enumerate(ages)]
    made = planned(*waiting, new="abcd"[:number])
    if not ages:
        assert queue(made) == []
    if not queue(made):
        return
    first = of(made, queue(made)[0])
    assert first.next_time is not None
    assert first.next_time > NOW
    assert first.next_time <= NOW + STEP * (len(ages) + number)
    inside = len(admitted(made).split())
    assert len(admitted(planned(*waiting, new="abcd"[:number], now=first.next_time)).split()) > inside


@given(st.integers(0, 500), st.integers(0, 20))
def test_most_grows_by_one_for_each_step_and_is_never_less_than_two(minutes: int, waiting: int) -> None:
    stall = Stall(NOW, waiting, STEP, MINUTE)
    clock = NOW + timedelta(minutes=minutes)
    most = stall.most(clock)
    assert most is None if clock < NOW + STEP else most == 1 + minutes // 30
    ready = stall.next_try(waiting)
    allowed = stall.most(ready)
    assert allowed is not None
    assert waiting < allowed
