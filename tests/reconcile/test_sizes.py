"""What a plan buys, and how large it is: rows, bytes and tokens of each job, as far as anybody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import RecordedJob
from batchctl.model.sources import InlineRows, LocalFile, RemoteSource, RequestRow
from batchctl.model.work_size import WorkSize
from batchctl.reconcile import Options
from tests.support.decisions import (
    FAILURE,
    HERE,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    one,
    row,
    seen,
    several,
)
from tests.support.queue_limits import bounds
from tests.support.values import replace

MODEL = "gemini-2.5-flash"
FAILED = attempt(1, "FAILED", error=FAILURE, results="a/1")


def sized(wanted: DesiredJob) -> DesiredJob:
    """The same with two rows of 400 bytes together."""
    return replace(wanted, source=InlineRows((RequestRow("a", {}), RequestRow("b", {}))), input_bytes=400)


def planned(situation: Situation) -> JobPlan:
    (made,) = situation.decide().jobs
    return made


NEW = sized(job())
DONE = collected(tokens=90, input_bytes=400)


@pytest.mark.parametrize(
    ("situation", "buys", "size"),
    [
        pytest.param(Situation(NEW), True, WorkSize(MODEL, "main", 2, 400, 100), id="new: an estimate"),
        pytest.param(
            Situation(replace(NEW, source=LocalFile(Path("/s/a.jsonl"), "ab", 7))),
            True,
            WorkSize(MODEL, "main", 7, 400, 100),
            id="a file",
        ),
        pytest.param(
            Situation(replace(job(), source=RemoteSource(("gs://b/a",)))),
            True,
            WorkSize(MODEL, "main"),
            id="input that batchctl does not send",
        ),
        pytest.param(
            Situation(NEW, row(NEW, attempt()), look(seen(attempt()))),
            False,
            WorkSize(MODEL, "main", 2, 400, 100),
            id="at work: the estimate of what was bought",
        ),
        pytest.param(
            Situation(NEW, row(NEW, DONE), look(seen(DONE))),
            False,
            WorkSize(MODEL, "main", 2, 400, 90, is_counted=True),
            id="collected: what the API counted",
        ),
        pytest.param(
            Situation(
                replace(job(), source=RemoteSource(("gs://b/a",))), row(job(), collected()), look(seen(collected()))
            ),
            False,
            WorkSize(MODEL, "main", 10),
            id="not sent, and the API told how many rows",
        ),
        pytest.param(
            Situation(
                sized(job(backoff_limit=1)), row(job(backoff_limit=1), replace(FAILED, tokens=7)), look(seen(FAILED))
            ),
            True,
            WorkSize(MODEL, "main", 2, 400, 100),
            id="a retry is bought once more, and counted later",
        ),
        pytest.param(
            Situation(sized(job(work="2")), row(NEW, DONE), look(seen(DONE))),
            True,
            # 90 tokens in 400 bytes were counted before.
            WorkSize(MODEL, "main", 2, 400, 90),
            id="a replacement, by the rate that was learned",
        ),
        pytest.param(
            Situation(sized(job(work="2")), row(NEW, attempt()), look(seen(attempt()))),
            True,
            WorkSize(MODEL, "main", 2, 400, 100),
            id="a replacement that first cancels",
        ),
        pytest.param(
            Situation(NEW, None, look(), Options(consent=False)),
            True,
            WorkSize(MODEL, "main", 2, 400, 100),
            id="refused by a guard: what it would buy",
        ),
        pytest.param(
            Situation(sized(job(work="2", on_change=OnChange.KEEP)), row(NEW, DONE), look(seen(DONE))),
            False,
            WorkSize(MODEL, "main", 2, 400, 90),
            id="a change that is not followed",
        ),
        pytest.param(several(collected(), collected(2, work="2")), False, WorkSize(MODEL, "main", 0), id="used again"),
        pytest.param(
            Situation(None, row(NEW, DONE), look(seen(DONE))),
            False,
            WorkSize(MODEL, "main", 10, 400, 90, is_counted=True),
            id="to be removed",
        ),
        pytest.param(
            Situation(None, row(NEW, attempt(input_bytes=40)), look(seen(attempt()))),
            False,
            WorkSize(MODEL, "main", None, 40, 10),
            id="to be removed while it works",
        ),
        pytest.param(Situation(None, row(NEW)), False, WorkSize(MODEL, "main"), id="a row without an attempt"),
        pytest.param(
            Situation(None, None, look(found()), Options(prune_orphans=True)), False, WorkSize(), id="an orphan"
        ),
    ],
)
def test_sizes(situation: Situation, buys: bool, size: WorkSize) -> None:
    made = planned(situation)
    assert (made.buys, made.size) == (buys, size), made.reason


def queue(*jobs: DesiredJob, records: tuple[tuple[RecordedJob, RecordedAttempt], ...] = ()) -> dict[str, bool]:
    looks = [look(*(seen(record) for _, record in records), account=HERE)]
    made = decide(jobs, [record for record, _ in records], looks, limits=bounds(active=1))
    return {planned.job: planned.buys for planned in made.jobs}


def test_what_waits_for_its_turn_is_bought_and_what_is_blocked_is_not() -> None:
    assert queue(job("a"), job("b")) == {"a": True, "b": True}
    assert queue(job("a"), job("b", needs=["a"])) == {"a": True, "b": True}
    failed = attempt(1, "FAILED", name="a", results="a/1")
    assert queue(job("a"), job("b", needs=["a"]), records=((row(job("a"), failed), failed),)) == {
        "a": False,
        "b": False,
    }


def test_a_suspended_job_buys_nothing() -> None:
    assert not planned(Situation(sized(job(suspend=True)))).buys
    assert not planned(one(attempt())).buys
