"""A wait in one line: the phases of the jobs, and the times at which something ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchctl.model.decision import Timer
from batchctl.model.plan import JobPlan
from batchctl.model.times import rfc3339_seconds
from batchctl.report.display_times import clock_time
from batchctl.report.words import phase_summary

_NAMED = 3
"""The number of jobs that are named; the others are counted."""
_WORDS: Mapping[Timer, str] = {
    Timer.SETTLING: "it is not known whether the create call made a job; batchctl searches for it until {time}",
    Timer.MISSING: "not found; a second check follows at {time}",
    Timer.BACKOFF: "the next attempt starts at {time}",
    Timer.ADMISSION: "batchctl checks for capacity at {time}",
}
"""The step at a timer's end, for timers that matter to a person who waits."""


def wait_words(jobs: Sequence[JobPlan]) -> str:
    """Such as `2 Active, 1 Settling (translate-fr: it is not known whether … until 10:34:07Z)`."""
    phases, timers = phase_summary(job.phase for job in jobs), timer_words(jobs)
    return f"{phases} ({timers})" if timers else phases


def last_end_words(jobs: Sequence[JobPlan]) -> str:
    """Such as `; the last one ends about 2026-11-22T14:05:00Z`; empty if the end of one is unknown."""
    found = [job.forecast for job in jobs if job.forecast is not None]
    ends = [one.end.p50 for one in found if one.end is not None]
    if not ends or len(ends) < len(found):
        return ""
    return f"; the last one ends about {rfc3339_seconds(max(ends))}"


def timer_words(jobs: Sequence[JobPlan]) -> str:
    """The timers that matter, with their times; empty if there are none."""
    return "; ".join(_timers(jobs))


def _timers(jobs: Sequence[JobPlan]) -> Iterator[str]:
    for timer, words in _WORDS.items():
        found = [job for job in jobs if job.timer is timer and job.next_time is not None]
        times = [job.next_time for job in found if job.next_time is not None]
        if times:
            more = len(found) - _NAMED
            names = ", ".join(job.job for job in found[:_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield f"{names}: {words.format(time=clock_time(min(times)))}"
