"""The assumptions of a rehearsal, in words."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from batchctl.cli.rehearsal.run import Stage
from batchctl.cli.rehearsal.stand_ins import STAND_IN_ROWS, stand_ins
from batchctl.cli.rehearsal.weather import ASSUMED_PENDING, ASSUMED_RUNNING
from batchctl.model.desired import DesiredStack
from batchctl.model.durations import in_units
from batchctl.model.rehearsal import Latency
from batchctl.model.stack import SharedPlace
from batchctl.report.layout import count

_NAMED = 5


def find_assumptions(
    stage: Stage, desired: DesiredStack, latencies: Sequence[Latency], buyers: Container[str]
) -> tuple[str, ...]:
    """All of them that matter for `buyers`, the jobs that made an attempt, for people."""
    return tuple(_assumptions(stage, desired, latencies, buyers))


def _assumptions(
    stage: Stage, desired: DesiredStack, latencies: Sequence[Latency], buyers: Container[str]
) -> Iterator[str]:
    unknown = [one.job for one in latencies if not one.samples and one.job in buyers]
    if unknown:
        yield (
            f"no history of {_some(unknown)}: {_times(ASSUMED_PENDING)} in the queue and {_times(ASSUMED_RUNNING)}"
            " at work, at the median and at the 90th percentile"
        )
    names = sorted(
        {
            name
            for account in {job.account for job in desired.jobs}
            for name in stand_ins(account, desired, stage.recorded).jobs
            if name in buyers
        }
    )
    if names:
        yield (
            f"the input of {_some(names)} is not on this machine: rows that stand in for it, as many as an earlier"
            f" attempt counted, else {STAND_IN_ROWS}"
        )
    again = sorted(stage.beginning.again)
    if again:
        yield (
            f"{_some(again)} {'is' if len(again) == 1 else 'are'} at the API now: sent again at the start, with what is"
            " left of their times; deadlines count from there"
        )
    if isinstance(desired.stack.results, SharedPlace):
        yield f"results at {desired.stack.results} are not read: no earlier answer counts"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {count(more, 'more job')}" if more > 0 else "")


def _times(percentiles: tuple[float, float]) -> str:
    half, most = (in_units(round(seconds), 2) for seconds in percentiles)
    return f"{half} and {most}"
