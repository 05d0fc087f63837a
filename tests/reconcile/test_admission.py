"""Admission: who is created now, who waits, in which order, and for what."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batchctl.model.admission import LimitKind, QueuePlace, QuotaKey
from batchctl.model.lifecycle import OnRemove
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import RecordedJob
from batchctl.reconcile import Options
from tests.support.decisions import (
    GRACE,
    HOUR,
    LOCAL,
    NOW,
    THERE,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
    token,
    unanswered,
)
from tests.support.queue_limits import ACTIVE, MANY, MODEL, admitted, bounds, of, queue
from tests.support.values import replace

# --- jobs at once


def test_what_does_not_fit_waits_with_its_place_and_reason() -> None:
    made = decide(map(job, "abcde"), [], [look()], limits=bounds(active=2))

    assert (admitted(made), queue(made)) == ("a b", ["c", "d", "e"])
    assert show(made, "d") == "wait Waiting consent"
    assert of(made, "d").reason == "new in the manifests; 2nd of 3 in the queue: 2 of 2 jobs are active on main"
    assert of(made, "d").queue == QueuePlace(2, 3, LimitKind.ACTIVE, 2, 2)
    assert of(made, "d").next_time is None


@pytest.mark.parametrize(("live", "names"), [(99, "x"), (100, ""), (101, "")])
def test_gemini_takes_a_hundred_unless_told_otherwise(live: int, names: str) -> None:
    running = [attempt(name=f"job-{number:03}") for number in range(live)]
    wanted = [job(one.key.job) for one in running]
    records = [row(each, one) for each, one in zip(wanted, running, strict=True)]

    made = decide([*wanted, job("x"), job("y")], records, [look(*map(seen, running))], MANY)

    assert admitted(made) == names
    assert of(made, "y").reason.endswith(f"{max(live, 100)} of 100 jobs are active on main")


def test_vertex_names_no_number() -> None:
    made = decide([job(f"job-{number:03}", account=THERE) for number in range(150)], [], [look(account=THERE)], MANY)

    assert queue(made) == []


def counted(*records: RecordedJob, shown: Iterable[RemoteJob] = (), gone: Iterable[str] = ()) -> int:
    """How many jobs live, by what a job with a limit of 9 is told."""
    wanted = [job(f"z{number}", work="9") for number in range(10)]
    made = decide(wanted, records, [look(*shown, gone=gone)], Options(max_create=99), limits=bounds(active=9))
    assert len(queue(made)) == 10 - len(admitted(made).split())
    return 9 - len(admitted(made).split())


@pytest.mark.parametrize(
    ("expected", "records", "shown"),
    [
        pytest.param(0, [], [], id="nothing"),
        pytest.param(1, [row(job(on_remove=OnRemove.KEEP), ACTIVE)], [seen(ACTIVE)], id="recorded and seen: once"),
        pytest.param(1, [], [found(1)], id="an orphan"),
        pytest.param(0, [], [found(1, "SUCCEEDED")], id="an orphan that has ended"),
        pytest.param(1, [], [found(1, "BREWING")], id="a state that nobody knows"),
        pytest.param(1, [], [found(1, "PAUSED")], id="paused"),
        pytest.param(1, [], [found(1, "CANCELLING")], id="cancelling"),
        pytest.param(
            2, [row(job(), ACTIVE)], [seen(ACTIVE), found(1, suffix="-second", age=HOUR)], id="a second remote job"
        ),
        pytest.param(0, [row(job(), ACTIVE)], [seen(ACTIVE, "SUCCEEDED")], id="recorded at work, but has ended"),
        pytest.param(1, [row(job(), ACTIVE)], [], id="recorded, and not seen: who knows"),
        pytest.param(1, [row(job(), ACTIVE, released_time=LOCAL)], [seen(ACTIVE)], id="let go of, and still at work"),
        pytest.param(1, [row(job(), unanswered())], [], id="a create call without an answer"),
        pytest.param(1, [row(job(), unanswered())], [found(1)], id="a create call whose job is found: once"),
        pytest.param(1, [row(job(), attempt())], [seen(attempt(), mark=None)], id="taken in by hand, without a mark"),
        pytest.param(0, [], [replace(found(1), mark=None)], id="somebody else's"),
        pytest.param(0, [row(job(), attempt(1, None, remote=None, rejected=True))], [], id="rejected"),
        pytest.param(0, [row(job(), collected())], [], id="ended long ago"),
    ],
)
def test_what_counts_as_active(expected: int, records: list[RecordedJob], shown: list[RemoteJob]) -> None:
    assert counted(*records, shown=shown) == expected


def test_what_is_gone_does_not_count() -> None:
    assert counted(row(job(), ACTIVE), gone=["batches/a-1"]) == 0


def test_a_direct_look_counts_as_one() -> None:
    wanted = [job("a"), job("b")]
    lagging = look(shown={"batches/a-1": seen(ACTIVE)})

    made = decide(wanted, [row(wanted[0], ACTIVE)], [lagging], limits=bounds(active=1))

    assert queue(made) == ["b"]


def test_jobs_of_other_accounts_do_not_count() -> None:
    wanted = [job("a", account=THERE), job("b"), job("c", account=THERE)]
    running = attempt(name="a", account=THERE)
    looks = [look(), look(seen(running), account=THERE)]

    made = decide(wanted, [row(wanted[0], running)], looks, limits=bounds(active=1))

    assert (admitted(made), queue(made)) == ("b", ["c"])


def test_an_account_that_nobody_looked_at_counts_by_its_record() -> None:
    running = attempt(name="a", account=THERE)

    made = decide([job("b")], [row(job("a", account=THERE), running)], [look()], limits=bounds(active=1))

    assert (admitted(made), made.live) == ("b", {QuotaKey(THERE, MODEL): 1})


# --- order


def test_priority_comes_first_then_the_oldest_then_the_name() -> None:
    wanted = [
        job("a", priority=-1),
        job("b"),
        job("c"),
        job("d", backoff_limit=1),
        job("e", backoff_limit=1),
        job("f", priority=7),
    ]
    failed = [
        attempt(1, "FAILED", name="d", results="d/1", create_time=NOW - 3 * HOUR),
        attempt(1, "FAILED", name="e", results="e/1", create_time=NOW - 4 * HOUR),
        attempt(1, None, name="c", remote=None),
    ]
    records = [row(wanted[3], failed[0]), row(wanted[4], failed[1]), row(wanted[2], failed[2])]
    blocker = job("z", priority=9)

    made = decide([*wanted, blocker], records, [look(*map(seen, failed[:2]))], limits=bounds(active=1))

    assert admitted(made) == "z"
    assert queue(made) == ["f", "e", "d", "b", "c", "a"]


def test_a_retry_that_waits_keeps_its_attempt_and_collects() -> None:
    wanted = [job("a", backoff_limit=1), job("b")]
    failed = attempt(1, "FAILED")

    made = decide(
        wanted,
        [row(wanted[0], failed), row(wanted[1], attempt(name="b"))],
        [look(seen(failed), found(name="b"))],
        limits=bounds(active=1),
    )

    assert show(made) == "collect Waiting | collect a@1.0"
    assert of(made, "a").queue is not None


def test_a_replacement_that_waits_keeps_the_old_job() -> None:
    made = decide(
        [job(work="2"), job("b")],
        [row(job(), collected()), row(job("b"), attempt(name="b"))],
        [look(seen(collected()), found(name="b"))],
        limits=bounds(active=1),
    )

    assert show(made) == "wait Waiting consent"


def test_what_is_sent_again_does_not_stand_in_its_own_way() -> None:
    again = unanswered(first_look=LOCAL - GRACE)

    made = decide([job(), job("b")], [row(job(), again)], [look()], limits=bounds(active=1))

    assert show(made) == f"create Waiting | create a@1.0 {token(1)}"
    assert queue(made) == ["b"]


def test_what_a_guard_holds_back_takes_no_place() -> None:
    made = decide([job("a"), job("b")], [], [look()], Options(consent=False), limits=bounds(active=1))

    assert [one.guard.code for one in made.jobs if one.guard] == ["ConsentNeeded"] * 2
    assert queue(made) == []


def test_what_waits_for_room_counts_as_a_create() -> None:
    made = decide(map(job, "abc"), [], [look()], Options(max_create=2), limits=bounds(active=1))

    assert [one.guard.code for one in made.jobs if one.guard] == ["TooManyCreates"] * 3


def test_what_waits_for_a_need_takes_no_place() -> None:
    made = decide([job("a", needs=["b"]), job("b"), job("c")], [], [look()], limits=bounds(active=1))

    assert (admitted(made), queue(made)) == ("b", ["c"])
