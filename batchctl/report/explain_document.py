"""`explain` as a document: `batchctl/explain/v1` (schemas/)."""

from __future__ import annotations

from batchctl.model.attempts import Trouble
from batchctl.model.durations import duration_text
from batchctl.model.json_value import Json
from batchctl.model.times import rfc3339
from batchctl.report.chains import chain_member
from batchctl.report.explain import JobCase, LastError, conditions, last_error, next_step
from batchctl.report.explain_rows import rows_left_member
from batchctl.report.explain_ways import ways_member
from batchctl.report.forecast import forecast_fields
from batchctl.report.last_error import trouble_fields
from batchctl.report.matrix import matrix_member
from batchctl.report.plan_document import guard_code, trail_ids


def explain_document(case: JobCase) -> dict[str, Json]:
    """`batchctl/explain/v1`."""
    plan = case.plan
    return {
        "format": "batchctl/explain/v1",
        "stack": case.stack,
        "job": plan.job,
        "phase": plan.phase.value,
        "action": plan.action.value,
        "reason": plan.reason,
        "reasonCode": plan.code.value,
        "remote": plan.remote,
        "state": plan.attempt.state if plan.attempt is not None else None,
        "attempt": plan.attempt.key.attempt if plan.attempt is not None else None,
        "guard": guard_code(plan.guard),
        "trail": trail_ids(plan),
        "conditions": condition_entries(case),
        "waitsFor": list(plan.waits_for),
        "queue": _queue(case),
        "lastError": last_error_fields(last_error(case)),
        "next": {
            "step": next_step(case),
            "time": rfc3339(plan.next_time),
            "timer": None if plan.timer is None else plan.timer.value,
        },
        "forecast": forecast_fields(plan.forecast),
        "pollWithin": duration_text(case.poll_within),
        "waysOn": ways_member(case),
        **rows_left_member(case.left),
        **chain_member(plan),
        **matrix_member(plan.path, plan.expansion),
    }


def condition_entries(case: JobCase) -> list[Json]:
    """The conditions of a job."""
    return [{"type": one.type.value, "message": one.message, "until": rfc3339(one.until)} for one in conditions(case)]


def last_error_fields(error: LastError | None) -> dict[str, Json] | None:
    """The last error; None if there is none."""
    if error is None:
        return None
    return {
        "code": error.code,
        "message": error.message,
        "wayOut": error.way_out,
        "time": rfc3339(error.time),
        **({} if error.trouble is None else _course(error.trouble)),
    }


def _course(trouble: Trouble) -> dict[str, Json]:
    """The time of the first failure, and until when batchctl tries again."""
    names = ("operation", "tries", "firstTime", "nextTime", "until")
    fields = trouble_fields(trouble) or {}
    return {name: fields[name] for name in names}


def _queue(case: JobCase) -> Json:
    place = case.plan.queue
    if place is None:
        return None
    return {
        "position": place.position,
        "length": place.length,
        "limit": place.limit.value,
        "used": place.used,
        "usedIsEstimate": place.is_estimate,
        "most": place.most,
    }
