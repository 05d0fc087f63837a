"""`plan`, `apply` and `drift` as documents.

Defines `batchctl/plan/v1`, `apply/v1` and `drift/v1` (design section 8; schemas/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from batchctl.model.actions import Action
from batchctl.model.decision import Change, Guard
from batchctl.model.json_value import Json
from batchctl.model.outcome import Outcome
from batchctl.model.plan import Drift, JobPlan, Plan, Rename
from batchctl.model.plan_digest import PlanDigest
from batchctl.model.row_work import OrderedRows, RowWork
from batchctl.model.work_size import WorkSize
from batchctl.report.chains import chain_member
from batchctl.report.costs import bought_costs, budget_fields, cost_fields, retirement_entries
from batchctl.report.costs import total_fields as cost_total
from batchctl.report.error_document import error_fields
from batchctl.report.matrix import matrix_member
from batchctl.report.purchase import size_fields, total_fields
from batchctl.report.reports import ApplyReport

PLAN_FORMAT = "batchctl/plan/v1"


def plan_document(plan: Plan, options: Mapping[str, Json]) -> dict[str, Json]:
    """`batchctl/plan/v1`, which `apply FILE` reads again. `options` are those of the command line that it needs."""
    actions = [_action(job) | {"terms": None if job.terms is None else job.terms.fields} for job in plan.jobs]
    return {
        **_plan_fields(PLAN_FORMAT, plan, actions),
        "digest": str(PlanDigest.of(plan)),
        "uid": plan.uid,
        "lineage": plan.lineage,
        "options": dict(options),
    }


def terraform_report(plan: Plan) -> dict[str, Json]:
    """GitLab's `artifacts:reports:terraform`: a replacement is an update, and a release a deletion."""
    counts = plan.summary()
    return {
        "create": counts[Action.CREATE] + counts[Action.RETRY],
        "update": counts[Action.REPLACE] + counts[Action.UPDATE],
        "delete": counts[Action.CANCEL] + counts[Action.DELETE] + counts[Action.FORGET],
    }


def apply_document(report: ApplyReport) -> dict[str, Json]:
    """`batchctl/apply/v1`: the plan, with the result of each action."""
    sizes = report.sizes()
    actions = [_action(job, sizes[job.job]) | _outcome(report.outcome(job.job)) for job in report.plan.jobs]
    document = _plan_fields("batchctl/apply/v1", report.plan, actions)
    document["total"]["tokensCounted"] = report.counted_tokens()
    document["renames"] = _rename_entries(report.renames)
    return document


def drift_document(plan: Plan) -> dict[str, Json]:
    """`batchctl/drift/v1`: differences that batchctl did not cause."""
    return {
        "format": "batchctl/drift/v1",
        "stack": plan.stack,
        "drift": drift_entries(plan.drift),
        "unmanaged": plan.unmanaged,
        "problems": problem_entries(plan.unread),
    }


def acting_jobs(plan: Plan) -> list[str]:
    """The names of the jobs that have an action, for `-o name`: not those that wait or have nothing to do."""
    return [job.job for job in plan.jobs if not job.action.is_quiet]


def all_guards(plan: Plan) -> tuple[Guard, ...]:
    """The guards of the whole plan and of its jobs, each once, in order."""
    of_jobs = (job.guard for job in plan.jobs if job.guard is not None)
    return tuple(dict.fromkeys([*plan.guards, *of_jobs]))


def change_entries(changes: Iterable[Change]) -> list[Json]:
    """Changes as `{path, from, to, detail, rows}`."""
    return [_change(change) for change in changes]


def _change(change: Change) -> dict[str, Json]:
    rows = change.rows
    return {
        "path": change.path,
        "from": change.before,
        "to": change.after,
        "detail": change.detail or None,
        "rows": None
        if rows is None
        else {
            "total": rows.total,
            "changed": list(rows.changed),
            "added": list(rows.added),
            "removed": list(rows.removed),
        },
    }


def drift_entries(drift: Iterable[Drift]) -> list[Json]:
    """Drift as `{job, kind, detail}`."""
    return [{"job": item.job, "kind": item.kind.value, "detail": item.detail} for item in drift]


def problem_entries(unread: Iterable[tuple[str, str]]) -> list[Json]:
    """Places that could not be read in full, as `{account, message}`."""
    return [{"account": account, "message": message} for account, message in unread]


def guard_code(guard: Guard | None) -> str | None:
    """The guard's code, or null."""
    return None if guard is None else guard.code


def trail_ids(job: JobPlan) -> list[Json]:
    """The ids of the rules that led to the decision, in order."""
    return [rule.id for rule in job.trail]


def _plan_fields(document_format: str, plan: Plan, actions: list[Json]) -> dict[str, Json]:
    return {
        "format": document_format,
        "stack": plan.stack,
        "summary": plan.summary(),
        "total": total_fields(plan),
        "cost": cost_total(bought_costs(plan.jobs)),
        "budget": budget_fields(plan.budget),
        "retirements": retirement_entries(plan.retirements),
        "actions": actions,
        "drift": drift_entries(plan.drift),
        "unmanaged": plan.unmanaged,
        "guards": [{"code": guard.code, "message": guard.message, "flag": guard.way_out} for guard in all_guards(plan)],
        "renames": _rename_entries(plan.renames),
        "problems": problem_entries(plan.unread),
    }


def _rename_entries(renames: tuple[Rename, ...]) -> list[Json]:
    return [{"from": rename.before, "to": rename.after} for rename in renames]


def _action(job: JobPlan, size: WorkSize | None = None) -> dict[str, Json]:
    return {
        "action": job.action.value,
        "job": job.job,
        "reason": job.reason,
        "reasonCode": job.code.value,
        **size_fields(size or job.size),
        "buys": job.buys,
        "cost": cost_fields(job.cost),
        "labels": dict(job.labels),
        "rowWork": row_work_fields(job.work),
        "changes": change_entries(job.changes),
        "guard": guard_code(job.guard),
        "trail": trail_ids(job),
        **chain_member(job),
        **matrix_member(job.path, job.expansion),
    }


def row_work_fields(work: RowWork | None) -> dict[str, Json] | None:
    """The rows of a job compared with the answers of earlier attempts, or null."""
    if work is None:
        return None
    return {
        "total": work.total,
        "reused": work.answered,
        "toSend": work.to_send,
        "retried": work.retried,
        "repeated": work.repeated,
        "retryable": work.retryable,
        "fallback": list(work.fallbacks),
        "givenUp": work.given_up,
        "first": list(work.first),
        "ordered": _ordered_fields(work.ordered),
    }


def _ordered_fields(found: OrderedRows | None) -> dict[str, Json] | None:
    if found is None:
        return None
    change = found.order.sent_with
    sent_with = None if change is None else change.plain
    return {"rows": found.order.rows_text, "toSend": found.rows, "first": list(found.first), "sentWith": sent_with}


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        "result": outcome.result.value,
        "remote": outcome.remote,
        "error": None if outcome.error is None else error_fields(outcome.error),
    }
