"""`describe` as a document: `batchctl/describe/v1` (schemas/).

Omits the tokens of attempts, and prompts, which the state does not hold.
"""

from __future__ import annotations

from typing import assert_never

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.desired import DesiredJob
from batchctl.model.events import Event
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.recorded import RecordedJob
from batchctl.model.row_work import RowsSent
from batchctl.model.settings import lifecycle_fields, row_fields, webhook_hashes
from batchctl.model.sources import (
    AwaitedRows,
    ChainedFile,
    InlineRows,
    LocalFile,
    RemoteSource,
    Source,
    UnknownSource,
    UploadedFile,
)
from batchctl.model.times import rfc3339
from batchctl.report.chains import chain_source
from batchctl.report.costs import cost_fields
from batchctl.report.description import JobDescription
from batchctl.report.explain import last_error, next_step
from batchctl.report.explain_document import last_error_fields
from batchctl.report.forecast import forecast_fields
from batchctl.report.job_document import row_counts
from batchctl.report.last_error import trouble_fields
from batchctl.report.plan_document import change_entries, drift_entries, guard_code
from batchctl.report.verdict_rows import verdict_entries

_GOOGLE = ".googleapis.com"
_CONSOLE = "https://console.cloud.google.com/agent-platform"


def describe_document(description: JobDescription) -> dict[str, Json]:
    """`batchctl/describe/v1`."""
    plan, desired, recorded, facts = description.plan, description.desired, description.recorded, description.facts
    attempts = () if recorded is None else recorded.attempts
    return {
        "format": "batchctl/describe/v1",
        "stack": description.stack,
        "job": plan.job,
        "phase": plan.phase.value,
        "action": plan.action.value,
        "reason": plan.reason,
        "reasonCode": plan.code.value,
        "remote": plan.remote,
        "nextTime": rfc3339(plan.next_time),
        "guard": guard_code(plan.guard),
        "changes": change_entries(plan.changes),
        "drift": drift_entries(description.drift),
        "results": description.results,
        "apiUrl": api_url(plan.attempt),
        "consoleUrl": console_url(plan.attempt),
        "collectBy": rfc3339(None if plan.attempt is None else plan.attempt.collect_by),
        "next": {"step": next_step(facts), "time": rfc3339(plan.next_time)},
        "lastError": last_error_fields(last_error(facts)),
        "verdicts": [] if plan.attempt is None else verdict_entries(plan.attempt.rows, description.examples),
        "cost": cost_fields(plan.cost),
        "forecast": forecast_fields(plan.forecast),
        "desired": None if desired is None else _desired(desired),
        "recorded": None if recorded is None else recorded_fields(recorded),
        "attempts": [attempt_fields(attempt) for attempt in attempts],
        "events": [event_fields(event) for event in description.events],
    }


def api_url(attempt: RecordedAttempt | None) -> str | None:
    """The address of the current remote job at the API (reference 1, 3); None without one, or in this process."""
    if attempt is None or attempt.remote is None or attempt.delete_time is not None:
        return None
    account = attempt.account
    if not account.origin.startswith("http"):
        return None
    return f"{account.origin}/{CAPABILITIES[account.api].versions[0]}/{attempt.remote}"


def console_url(attempt: RecordedAttempt | None) -> str | None:
    """The page of the current remote job in the console of Google Cloud; None on the Gemini API, which has none.

    The address is the one that google-cloud-aiplatform 2.7.0 shows for a batch job.
    """
    if api_url(attempt) is None or attempt is None or attempt.account.api is not Api.VERTEX:
        return None
    if not attempt.account.origin.endswith(_GOOGLE):
        return None
    _, project, _, location, _, number = str(attempt.remote).split("/")
    return f"{_CONSOLE}/locations/{location}/batch-predictions/{number}?project={project}"


def source_fields(source: Source) -> dict[str, Json]:
    """The source of the input, without its text."""
    match source:
        case InlineRows():
            return {"type": "inline", "rows": len(source.rows)}
        case ChainedFile() | AwaitedRows():
            return chain_source(source)
        case LocalFile():
            return {"type": "file", "path": source.path.as_posix(), "sha256": source.sha256, "rows": source.rows}
        case UploadedFile():
            return {"type": "uploaded", "name": source.name}
        case RemoteSource():
            return {"type": "remote", "uris": list(source.uris)}
        case UnknownSource():
            return {"type": "unknown"}
        case _:
            assert_never(source)


def _desired(job: DesiredJob) -> dict[str, Json]:
    return {
        "kind": job.kind.value,
        "provider": job.provider,
        "account": str(job.account),
        "model": job.model,
        "path": job.path,
        "line": job.location.line,
        "digest": job.digest,
        "source": source_fields(job.source),
        "dest": job.dest,
        "runId": job.run_id,
        "displayName": job.display_name,
        "labels": dict(job.labels),
        "annotations": dict(job.annotations),
        "dependsOn": list(job.depends_on),
        "priority": job.priority,
        "webhookConfig": webhook_hashes(job.webhook),
        "lifecycle": lifecycle_fields(job.lifecycle),
        **row_fields(job),
        **({} if job.expansion is None else {"matrix": dict(job.expansion.values)}),
    }


def recorded_fields(job: RecordedJob) -> dict[str, Json]:
    """A job's own record."""
    return {
        "kind": job.row.kind.value,
        "provider": job.row.provider,
        "account": str(job.row.account),
        "model": job.row.model,
        "path": job.row.path,
        "current": job.row.current,
        "displayName": job.row.display_name,
        "labels": dict(job.row.labels),
        "dependsOn": list(job.row.depends_on),
        "priority": job.row.priority,
        "webhookConfig": None if job.row.webhook is None else dict(job.row.webhook),
        "lifecycle": lifecycle_fields(job.row.lifecycle),
        "removingTime": rfc3339(job.row.removing_time),
        "releasedTime": rfc3339(job.row.released_time),
        "cancelRequested": rfc3339(job.row.cancel_requested),
    }


def attempt_fields(attempt: RecordedAttempt) -> dict[str, Json]:
    """One attempt, without its token."""
    error, cause = attempt.error, attempt.cancel_cause
    return {
        "attempt": attempt.key.attempt,
        "shard": attempt.key.shard,
        "account": str(attempt.account),
        "digest": attempt.digest,
        "remote": attempt.remote,
        "state": attempt.state,
        "rows": row_counts(attempt.rows),
        "inputBytes": attempt.input_bytes,
        "tokens": attempt.tokens,
        "error": None if error is None else {"code": error.code, "message": error.message},
        "rejected": attempt.rejected,
        "adopted": attempt.adopted,
        "intentTime": None if attempt.intent is None else rfc3339(attempt.intent.time),
        "createTime": rfc3339(attempt.create_time),
        "startTime": rfc3339(attempt.start_time),
        "endTime": rfc3339(attempt.end_time),
        "cancelTime": rfc3339(attempt.cancel_time),
        "cancelCause": None if cause is None else cause.value,
        "deleteTime": rfc3339(attempt.delete_time),
        "goneTime": rfc3339(attempt.gone_time),
        "results": attempt.results,
        "lastError": trouble_fields(attempt.trouble),
        "collectBy": rfc3339(attempt.collect_by),
        "sent": _sent(attempt.sent),
    }


def _sent(sent: RowsSent | None) -> Json:
    """The rows that an attempt, or a shard of one, was given; None where batchctl did not choose them."""
    if sent is None:
        return None
    return {
        "rows": sent.rows,
        "total": sent.total,
        "canary": sent.is_canary,
        "shards": sent.shards,
        "sentWith": None if sent.sent_with is None else sent.sent_with.plain,
    }


def event_fields(event: Event) -> dict[str, Json]:
    """One line of the history."""
    return {
        "time": rfc3339(event.time),
        "attempt": event.attempt,
        "kind": None if event.kind is None else event.kind.value,
        "what": event.what,
        "code": event.error_code,
        "reasonCode": None if event.reason_code is None else event.reason_code.value,
        "why": event.why,
        "who": event.who,
    }
