"""The commands that help with the rows of a job, as `explain` offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.json_value import Json
from batchctl.model.reasons import Reason
from batchctl.model.rows_left import RowNext
from batchctl.model.states import Phase
from batchctl.model.verdicts import RowVerdict
from batchctl.model.work_size import is_divisible
from batchctl.report.explain import JobCase
from batchctl.report.layout import count


class WayOn(Struct, frozen=True):
    """A command, and what it does."""

    command: str
    effect: str


def ways_on(case: JobCase) -> tuple[WayOn, ...]:
    """The commands for rows without a good answer."""
    return tuple(_ways(case)) if case.left is not None and case.left.first else ()


def _ways(case: JobCase) -> Iterator[WayOn]:
    job, left = case.plan.job, case.left
    assert left is not None
    former = "" if case.results_attempt is None else f" --attempt {case.results_attempt}"
    yield WayOn(f"batchctl results {job}{former} --failed", "prints these rows in full")
    if case.plan.code is Reason.CANARY_FAILED:
        yield WayOn(f"batchctl retry {job}", "tries the canary again")
        yield WayOn(f"batchctl retry {job} --accept-canary", f"buys the other {count(left.not_sent, 'row')} anyway")
        return
    if case.plan.timer is Timer.BACKOFF:
        yield WayOn(f"batchctl retry {job} --rows failed", f"sends {_all(left.failed)} now")
    elif case.plan.phase is Phase.ACTIVE:
        yield WayOn(f"batchctl cancel {job}", "stops: nothing is sent again")
    elif case.plan.action is Action.NONE:
        yield WayOn(f"batchctl retry {job} --rows failed", f"sends {_all(left.failed)} once more")
        if any(one.code == RowVerdict.MAX_TOKENS for one in left.first):
            change = "--set request.generationConfig.maxOutputTokens=8192"
            yield WayOn(f"batchctl retry {job} --rows reason=MAX_TOKENS {change}", "sends those with another limit")
        elif left.counts.get(RowNext.NOTHING, 0):
            is_named = case.desired is not None and is_divisible(case.desired)
            where = ", if they are in a file of another name in src" if is_named else ""
            yield WayOn("batchctl apply", f"sends only rows that you corrected{where}")


def _all(rows: int) -> str:
    return "it" if rows == 1 else f"all {rows:,}"


def ways_member(case: JobCase) -> list[Json]:
    """The commands for documents."""
    return way_entries(ways_on(case))


def way_entries(ways: Iterable[WayOn]) -> list[Json]:
    """Commands for documents."""
    return [{"command": one.command, "effect": one.effect} for one in ways]
