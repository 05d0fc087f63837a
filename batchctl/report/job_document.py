"""`status`, `validate` and `version` as documents.

Owns the shapes `batchctl/status/v1`, `validate/v1`, `validate-targets/v1` and `version/v1` (design section 8).
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.observed import RowCounts
from batchctl.model.times import rfc3339
from batchctl.report.costs import budget_fields, cost_fields, retirement_entries, total_fields
from batchctl.report.error_document import diagnostic_fields
from batchctl.report.forecast import forecast_fields, stack_forecast_fields
from batchctl.report.last_error import trouble_fields
from batchctl.report.matrix import matrix_member
from batchctl.report.plan_document import problem_entries
from batchctl.report.reports import StatusReport, StatusRow, VersionReport


def status_document(report: StatusReport) -> dict[str, Json]:
    """`batchctl/status/v1`."""
    return {
        "format": "batchctl/status/v1",
        "stack": report.stack,
        "results": report.results,
        "jobs": [_status_row(row) for row in report.jobs],
        "cost": total_fields(row.cost for row in report.jobs),
        "budget": budget_fields(report.budget),
        "retirements": retirement_entries(report.retirements),
        "forecast": stack_forecast_fields(report.forecast),
        "problems": problem_entries(report.unread),
    }


def valid_document(desired: DesiredStack, errors_outside: int = 0) -> dict[str, Json]:
    """`batchctl/validate/v1` of a valid stack."""
    return {
        "format": "batchctl/validate/v1",
        "valid": True,
        "stack": desired.stack.name,
        "jobs": [_valid_job(job) for job in desired.jobs],
        "warnings": [diagnostic_fields(item) for item in desired.warnings],
        "errorsOutside": errors_outside,
    }


def invalid_document(error: ManifestError) -> dict[str, Json]:
    """`batchctl/validate/v1` of a stack with errors."""
    return {
        "format": "batchctl/validate/v1",
        "valid": False,
        "errors": [diagnostic_fields(item) for item in error.diagnostics],
        "warnings": [diagnostic_fields(item) for item in error.warnings],
        "errorsOutside": error.outside,
    }


def targets_document(documents: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """`batchctl/validate-targets/v1`: the `validate/v1` of each target."""
    return {
        "format": "batchctl/validate-targets/v1",
        "valid": all(document["valid"] for document in documents.values()),
        "targets": {target: dict(document) for target, document in documents.items()},
    }


def version_document(report: VersionReport) -> dict[str, Json]:
    """`batchctl/version/v1`."""
    return {
        "format": "batchctl/version/v1",
        "version": report.version,
        "python": report.python,
        "platform": report.platform,
        "libraries": dict(report.libraries),
    }


def row_counts(rows: RowCounts) -> dict[str, Json]:
    """Counts of rows, null where they are not known."""
    verdicts = {code: rows.verdicts[code] for code in sorted(rows.verdicts)}
    return {"total": rows.total, "ok": rows.ok, "failed": rows.failed, "verdicts": verdicts or None}


def _status_row(row: StatusRow) -> dict[str, Json]:
    return {
        "job": row.job,
        "phase": row.phase.value,
        "state": row.state,
        "attempt": row.attempt,
        "remote": row.remote,
        "model": row.model,
        "provider": row.provider,
        "rows": row_counts(row.rows),
        "tokens": row.tokens,
        "createTime": rfc3339(row.create_time),
        "startTime": rfc3339(row.start_time),
        "endTime": rfc3339(row.end_time),
        "reason": row.reason,
        "reasonCode": None if row.code is None else row.code.value,
        "lastError": trouble_fields(row.trouble),
        "collectBy": rfc3339(row.collect_by),
        "cost": cost_fields(row.cost),
        "forecast": forecast_fields(row.forecast),
    }


def _valid_job(job: DesiredJob) -> dict[str, Json]:
    return {
        "job": job.name,
        "kind": job.kind.value,
        "path": job.path,
        "line": job.location.line,
        "provider": job.provider,
        "model": job.model,
        "digest": job.digest,
        "annotations": dict(job.annotations),
        **matrix_member(job.path, job.expansion),
    }
