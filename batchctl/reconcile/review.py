"""Compares a reviewed plan with the present one: what has moved since makes it stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.keys import shown_digest
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.plan_terms import Terms


class Stale(Struct, frozen=True, order=True):
    """One job that is not as the reviewed plan found it."""

    job: str
    what: str


def find_stale(reviewed: Mapping[str, Mapping[str, Json]], plan: Plan) -> tuple[Stale, ...]:
    """All jobs for which the present plan differs from the reviewed terms, which are `Terms.fields` by job name.

    A free change that is made already is no difference. A job that this pass cannot observe is left alone by the
    present plan, so it is none either.
    """
    present = {job.job: job for job in plan.jobs}
    names = sorted(reviewed.keys() | {name for name, job in present.items() if job.terms is not None})
    found = ((name, "; ".join(_differences(reviewed.get(name), present.get(name)))) for name in names)
    return tuple(Stale(name, what) for name, what in found if what)


def _differences(before: Mapping[str, Json] | None, job: JobPlan | None) -> Iterator[str]:
    now = None if job is None else job.terms
    if before is None:
        assert now is not None
        yield f"{now.change} is not in the plan"
    elif job is None:
        if before["consent"]:
            yield f"{before['change']} was planned, and the job is not here any more"
    elif now is None:
        if before["consent"] and not job.unseen:
            yield f"{before['change']} was planned, and is not due now ({job.action}: {job.reason})"
    else:
        yield from _moved(before, now)


def _moved(before: Mapping[str, Json], terms: Terms) -> Iterator[str]:
    now = terms.fields
    if before["manifest"] != now["manifest"]:
        yield "its manifest has changed"
    if before["change"] != now["change"]:
        yield f"{now['change']} is due now, and {before['change']} was planned"
    if not terms.needs_consent:
        return
    if before["attempt"] != now["attempt"]:
        yield f"its current attempt is {now['attempt'] or 'none'}, and was {before['attempt'] or 'none'}"
    elif before["digest"] != now["digest"]:
        yield f"its recorded work is {shown_digest(now['digest'])}, and was {shown_digest(before['digest'])}"
    if before["phase"] != now["phase"]:
        yield f"it is {now['phase']}, and was {before['phase']}"
    elif before["observed"] != now["observed"]:
        yield f"its remote job is {now['observed']}, and was {before['observed']}"
    if before["guard"] != now["guard"]:
        yield _guard_words(before["guard"], now["guard"])


def _guard_words(before: str | None, now: str | None) -> str:
    return f"it was refused ({before}), and is not now" if now is None else f"it is refused now ({now})"
