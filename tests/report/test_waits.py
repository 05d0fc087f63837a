"""What a run waits for, and until when."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.forecast import ExpectedEnd, JobForecast
from batchctl.model.plan import JobPlan
from batchctl.model.states import Phase
from batchctl.report.progress import PlainProgress
from batchctl.report.waits import last_end_words, timer_words, wait_words
from tests.support.report_samples import NOW, job_plan
from tests.support.values import replace

SETTLING = "it is not known whether the create call made a job; batchctl searches for it until"


class StandingClock:
    def now(self):
        return NOW


def waits(name: str, phase: Phase, timer: Timer | None = None, minutes: int = 3) -> JobPlan:
    plan = job_plan(name, Action.WAIT, phase, "waits")
    return (
        plan
        if timer is None
        else replace(plan, decision=replace(plan.decision, timer=timer, next_time=NOW + timedelta(minutes=minutes)))
    )


@pytest.mark.parametrize(
    ("timer", "words"),
    [
        (Timer.SETTLING, f"a: {SETTLING} 10:34:07Z"),
        (Timer.MISSING, "a: not found; a second check follows at 10:34:07Z"),
        (Timer.BACKOFF, "a: the next attempt starts at 10:34:07Z"),
        (Timer.ADMISSION, "a: batchctl checks for capacity at 10:34:07Z"),
        (Timer.DEADLINE, ""),
        (Timer.TTL, ""),
        (Timer.CANCEL, ""),
    ],
)
def test_what_ends_by_itself_is_said_with_its_time(timer, words):
    assert timer_words([waits("a", Phase.WAITING, timer)]) == words


def test_many_are_counted_and_the_first_time_is_said():
    jobs = [waits(name, Phase.SETTLING, Timer.SETTLING, minutes) for minutes, name in enumerate("edcba", start=2)]

    assert wait_words(jobs) == f"5 Settling (e, d, c and 2 more: {SETTLING} 10:33:07Z)"
    assert wait_words([waits("a", Phase.ACTIVE)]) == "1 Active"
    assert wait_words([]) == ""


def ends(name: str, minutes: int | None) -> JobPlan:
    end = None if minutes is None else ExpectedEnd(NOW + timedelta(minutes=minutes), NOW + timedelta(days=1))
    return replace(waits(name, Phase.ACTIVE), forecast=JobForecast(end=end))


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        (
            [ends("a", 30), ends("b", 90), waits("c", Phase.CANCELLING)],
            "; the last one ends about 2026-11-22T12:01:07Z",
        ),
        ([ends("a", 30), ends("b", None)], ""),
        ([waits("c", Phase.CANCELLING)], ""),
        ([], ""),
    ],
)
def test_the_end_of_the_last_one_is_said_if_all_are_known(jobs, words):
    assert last_end_words(jobs) == words


def test_a_later_end_is_no_news_by_itself():
    stream = io.StringIO()
    progress = PlainProgress(stream, StandingClock())
    progress.waiting([ends("a", 30)], 5)
    progress.waiting([ends("a", 31)], 5)
    assert stream.getvalue() == (
        "10:31:07Z waiting: 1 Active; the last one ends about 2026-11-22T11:01:07Z; next check in 5s\n"
    )


def test_a_line_of_progress_says_it():
    stream = io.StringIO()
    jobs = [waits("translate-fr", Phase.SETTLING, Timer.SETTLING)]

    progress = PlainProgress(stream, StandingClock())
    progress.waiting(jobs, 5)
    progress.waiting(jobs, 8)

    assert stream.getvalue() == (
        f"10:31:07Z waiting: 1 Settling (translate-fr: {SETTLING} 10:34:07Z); next check in 5s\n"
    )
