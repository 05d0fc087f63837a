"""A run warns of each stuck attempt once, and its times outlive the job."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from batchctl.engine.delivery import _warn_of_stuck
from batchctl.engine.journal import Journal
from batchctl.engine.tools import Tools
from batchctl.engine.warnings import LastSaid, Warnings
from batchctl.model.forecast import JobForecast, Stuck
from batchctl.model.history import MOST_PAST, PAST_SLACK
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.writes import DropPast, ForgetJob, SavePast, Write
from batchctl.reconcile import past_of
from tests.support.decisions import HOUR, NOW, STACK, attempt, decide, job, look, row, seen
from tests.support.past_jobs import MINUTE, past_attempt, past_job
from tests.support.values import replace


class Progress:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def planned(stuck: Stuck | None, number: int = 1) -> Plan:
    record = attempt(number, state="PENDING")
    made = decide([job()], [row(job(), record)], [look(seen(record))])
    return replace(made, jobs=tuple(replace(one, forecast=JobForecast(stuck=stuck)) for one in made.jobs))


def test_each_state_of_each_attempt_is_warned_of_once() -> None:
    progress = Progress()
    tools = cast(Tools, SimpleNamespace(progress=progress, warnings=Warnings(cast(Any, progress), LastSaid())))
    for hours in (1, 2, 3):
        _warn_of_stuck(planned(Stuck("PENDING", hours * 3600, 60)), tools)
    first = "a is stuck: pending for 1h; nine of ten were for at most 1m (`batchctl explain a` says what to do)"
    assert progress.warnings == [first]
    _warn_of_stuck(planned(Stuck("RUNNING", 3600, 60)), tools)
    _warn_of_stuck(planned(Stuck("RUNNING", 3600, 60), number=2), tools)
    assert len(progress.warnings) == 3
    _warn_of_stuck(planned(None), tools)
    _warn_of_stuck(planned(Stuck("RUNNING", 3600, 60), number=2), tools)
    assert len(progress.warnings) == 4


def test_many_stuck_jobs_are_one_warning() -> None:
    progress = Progress()
    tools = cast(Tools, SimpleNamespace(progress=progress, warnings=Warnings(cast(Any, progress), LastSaid())))
    (one,) = planned(Stuck("PENDING", 3600, 60)).jobs
    many = replace(planned(None), jobs=tuple(replace(one, job=name) for name in "abcde"))
    _warn_of_stuck(many, tools)
    _warn_of_stuck(replace(many, jobs=many.jobs[:4]), tools)
    named = [f"{name} is stuck: pending for 1h; nine of ten were for at most 1m" for name in "abcf"]
    first = f"{'; '.join(named[:3])}; 2 more jobs are stuck (`batchctl explain a` says what to do)"
    assert progress.warnings == [first]
    _warn_of_stuck(replace(many, jobs=(*many.jobs, replace(one, job="f"))), tools)
    assert progress.warnings[1:] == [f"{named[3]} (`batchctl explain f` says what to do)"]


class Session:
    def __init__(self) -> None:
        self.writes: list[Write] = []

    def commit(self, writes: list[Write]) -> None:
        self.writes += writes


def journal(recorded: Recorded) -> tuple[Journal, Session]:
    session = Session()
    clock = SimpleNamespace(now=lambda: NOW)
    return Journal(STACK, cast(Any, session), recorded, cast(Any, clock)), session


def test_a_forgotten_job_leaves_its_times() -> None:
    job_of_two = past_job(past_attempt(1, MINUTE, HOUR), attempt(2, name="past"))
    made, session = journal(Recorded({"past": job_of_two}))
    made.note_forgotten("past")
    made.commit()
    (past,) = past_of(job_of_two.attempts, "gemini-2.5-flash")
    assert [write for write in session.writes if isinstance(write, SavePast | ForgetJob)] == [
        SavePast(past),
        ForgetJob("past"),
    ]
    assert made.recorded.history == (past,)


def test_an_attempt_that_another_remote_job_takes_over_leaves_its_times() -> None:
    first = past_attempt(1, MINUTE, HOUR)
    made, _ = journal(Recorded({"past": past_job(first)}))
    made.note_attempt(replace(first, remote="batches/other", state="JOB_STATE_PENDING", end_time=None))
    assert [one.remote for one in made.recorded.history] == ["batches/past-1"]


def test_the_oldest_times_are_dropped() -> None:
    (one,) = past_of([past_attempt(1, MINUTE, HOUR)], "x")
    many = tuple(
        replace(one, remote=f"batches/{number}", end_time=NOW - timedelta(days=9, seconds=number))
        for number in range(MOST_PAST + PAST_SLACK)
    )
    made, session = journal(Recorded({"past": past_job(past_attempt(1, MINUTE, HOUR))}, history=many))
    made.note_forgotten("past")
    made.commit()
    dropped = [write.past.remote for write in session.writes if isinstance(write, DropPast)]
    assert sorted(dropped) == sorted(one.remote for one in many[MOST_PAST - 1 :])
    assert len(made.recorded.history) == MOST_PAST
