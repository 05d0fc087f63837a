"""The settings of a manifest, by path. They are not part of the work, so changing them is free."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from batchctl.model.canonical import sha256_json
from batchctl.model.desired import DesiredJob
from batchctl.model.durations import duration_text
from batchctl.model.json_value import Json
from batchctl.model.lifecycle import LIFECYCLE, Lifecycle
from batchctl.model.recorded import JobRow
from batchctl.model.row_settings import MaxFailedRows, RowSettings

SHORT_HASH = 12
"""The hex digits of a hash that are shown."""


def lifecycle_fields(lifecycle: Lifecycle) -> dict[str, Json]:
    """`spec.lifecycle` as a manifest writes it, defaults filled in."""
    return {one.name: _plain(one.of(lifecycle)) for one in LIFECYCLE}


def row_fields(job: DesiredJob) -> dict[str, Json]:
    """`spec.rows`, `spec.sharding` and `spec.canary` as a manifest writes them, defaults and ceilings filled in."""
    settings, limits, canary = job.row_settings, job.sharding, job.canary
    return {
        "rows": {
            "reuse": settings.reuse,
            "accept": sorted(settings.accept),
            "maxAttempts": settings.max_attempts,
            "fallback": [{"when": sorted(one.when), **one.change.plain} for one in settings.fallbacks],
        },
        "sharding": {
            "maxRows": limits.rows,
            "maxBytes": limits.bytes,
            "maxTokens": limits.tokens,
            "maxResultBytes": limits.result_bytes,
        },
        "canary": None
        if canary is None
        else {
            "rows": canary.rows,
            "maxFailedRows": canary.max_failed_rows.plain,
            "maxTokensPerRow": canary.max_tokens_per_row,
        },
    }


def webhook_hashes(webhook: Mapping[str, Json]) -> dict[str, str]:
    """`spec.webhookConfig` as the state keeps it: each member as a hash, because an address may be secret."""
    return {name: f"sha256:{sha256_json(value)[:SHORT_HASH]}" for name, value in webhook.items()}


def settings_of(job: JobRow) -> dict[str, Json]:
    """All settings of a job by their paths in the manifest, without those that an older format did not record."""
    found: dict[str, Json] = {
        "spec.provider": job.provider,
        "spec.displayName": job.display_name,
        "spec.dependsOn": sorted(job.depends_on),
    }
    found |= {f"spec.lifecycle.{name}": value for name, value in lifecycle_fields(job.lifecycle).items()}
    if job.row_settings != RowSettings():
        found["spec.rows.accept"] = sorted(job.row_settings.accept)
    found |= {f"metadata.labels.{name}": value for name, value in job.labels.items()}
    found |= {f"spec.webhookConfig.{name}": value for name, value in (job.webhook or {}).items()}
    if job.priority is not None:
        found["spec.priority"] = job.priority
    return found


def _plain(value: object) -> Json:
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, MaxFailedRows):
        return value.plain
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, str) else value
