"""`/api/jobs/NAME`: everything about one job."""

from __future__ import annotations

from collections.abc import Sequence

from batchctl.model.events import Event
from batchctl.report.describe_document import describe_document
from batchctl.report.description import JobDescription
from batchctl.report.explain import JobCase, next_step
from batchctl.report.explain_document import condition_entries
from batchctl.report.explain_ways import way_entries
from batchctl.report.job_commands import job_commands
from batchctl.server.documents.graph import edges_of, require_job
from batchctl.server.documents.timeline import spans_of
from batchctl.server.view import Document, View


def job_document(view: View, name: str, events: Sequence[Event]) -> Document:
    """The document. `events` are those of this job, oldest first. Raises BatchctlError (`JobNotFound`)."""
    require_job(view, name)
    edges = edges_of(view)
    description = _description(view, name, events)
    return {
        **view.head,
        "status": view.row_of[name],
        "describe": describe_document(description),
        "explain": _explanation(view, description),
        "spans": spans_of(view, name),
        "dependsOn": [_neighbour(view, edge.before) for edge in edges if edge.after == name],
        "dependents": [_neighbour(view, edge.after) for edge in edges if edge.before == name],
    }


def _explanation(view: View, seen: JobDescription) -> Document:
    """The conditions of the job, its next step and the commands that lead on, as in `explain`; no rows are read."""
    stack = view.snapshot.desired.stack
    case = JobCase(stack.name, seen.plan, seen.desired, seen.recorded, stack.suspend, events=seen.events)
    return {
        "conditions": condition_entries(case),
        "next": next_step(case),
        "commands": way_entries(job_commands(seen.plan, stack.target)),
    }


def _neighbour(view: View, name: str) -> Document:
    return {"job": name, "phase": view.row_of[name]["phase"]}


def _description(view: View, name: str, events: Sequence[Event]) -> JobDescription:
    snapshot, plan = view.snapshot, view.plans[name]
    attempt = plan.attempt
    return JobDescription(
        snapshot.plan.stack,
        plan,
        desired=next((job for job in snapshot.desired.jobs if job.name == name), None),
        recorded=snapshot.recorded.jobs.get(name),
        events=tuple(events),
        drift=tuple(item for item in snapshot.plan.drift if item.job == name),
        results=None if attempt is None or attempt.results is None else snapshot.results_of(attempt.results),
    )
