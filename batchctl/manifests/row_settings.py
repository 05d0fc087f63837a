"""Reads `spec.rows`, `spec.canary` and `spec.sharding` of a manifest that keeps to its schema."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Node, find, key_place, value_of
from batchctl.manifests.purpose import Purpose
from batchctl.manifests.remote_names import read_model
from batchctl.manifests.request_defaults import check_request
from batchctl.model.capabilities import ApiLimits, is_embedding_model, is_partner_model
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.quoting import shown
from batchctl.model.row_settings import Canary, Fallback, MaxFailedRows, RowSettings
from batchctl.model.row_work import MOST_SHARDS, ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.work_size import TOKEN_BYTES, rows_sent


def read_row_settings(spec: Node) -> RowSettings:
    """The settings for judging the rows of a job; omitted ones have their defaults."""
    standard = RowSettings()
    reuse, attempts = value_of(spec, "rows", "reuse"), value_of(spec, "rows", "maxAttempts")
    return RowSettings(
        frozenset(value_of(spec, "rows", "accept") or ()),
        standard.reuse if reuse is None else reuse,
        standard.max_attempts if attempts is None else attempts,
        tuple(_fallback(entry) for entry in value_of(spec, "rows", "fallback") or ()),
    )


def _fallback(entry: Mapping[str, Json]) -> Fallback:
    model = entry.get("model")
    change = SentWith(None if model is None else model.removeprefix("models/"), entry.get("request") or {})
    return Fallback(frozenset(entry["when"]), change)


def check_fallbacks(spec: Node, purpose: Purpose, faults: Faults) -> None:
    """Check the entries of `rows.fallback` as the job's own model and request are checked."""
    found = find(spec, "rows", "fallback")
    entries = found.values if isinstance(found, Items) else ()
    retry_on = value_of(spec, "lifecycle", "retryOn") or ()
    if entries and "ROWS" not in retry_on:
        hint = "add ROWS to lifecycle.retryOn"
        faults.add(key_place(spec, "rows", "fallback"), Code.INVALID_VALUE, '"fallback" needs retryOn: [ROWS]', hint)
    for entry in entries:
        _check_fallback(entry, purpose, faults)


def _check_fallback(entry: Node, purpose: Purpose, faults: Faults) -> None:
    node, request = find(entry, "model"), find(entry, "request")
    if node is None and request is None:
        hint = "for example model: gemini-2.5-pro"
        faults.add(entry.location, Code.MISSING_FIELD, 'a fallback needs "model" or "request"', hint)
    model, own = None if node is None else read_model(node, purpose.rows, purpose.config, faults), purpose.model
    kinds = (is_embedding_model, is_partner_model)
    if node is not None and model and own and any(kind(model) != kind(own) for kind in kinds):
        message = f"{shown(str(model))} takes other rows than the job's model"
        faults.add(node.location, Code.INVALID_VALUE, message, "name a model of the same kind")
    if request is not None:
        api = None if purpose.config is None else purpose.config.api
        check_request(request, purpose.rows, api, faults)


def read_canary(spec: Node) -> Canary | None:
    """The canary; None without one."""
    if value_of(spec, "canary") is None:
        return None
    standard = Canary()
    rows, failed = value_of(spec, "canary", "rows"), value_of(spec, "canary", "maxFailedRows")
    return Canary(
        standard.rows if rows is None else rows,
        standard.max_failed_rows if failed is None else MaxFailedRows.parse(failed),
        value_of(spec, "canary", "maxTokensPerRow"),
    )


def read_sharding(spec: Node, ceiling: ApiLimits, rows: Kind) -> ShardLimits:
    """The limits of one remote job: those of the manifest, with the provider's as the ceiling."""
    most_rows = ceiling.embedding_rows if rows is Kind.EMBEDDINGS_BATCH_JOB else ceiling.rows
    found = {name: value_of(spec, "sharding", name) for name in ("maxRows", "maxBytes", "maxTokens", "maxResultBytes")}
    return ShardLimits(
        _least(found["maxRows"], most_rows),
        _least(found["maxBytes"], ceiling.file_bytes),
        found["maxTokens"],
        found["maxResultBytes"],
        is_asked=any(limit is not None for limit in found.values()),
    )


def check_sharding(spec: Node, job: DesiredJob, faults: Faults) -> None:
    """Add an error for a limit that makes too many remote jobs of the input."""
    size, limits = job.input_bytes, job.sharding
    found = (
        ("maxRows", rows_sent(job), limits.rows),
        ("maxBytes", size, limits.bytes),
        ("maxTokens", None if size is None else size // TOKEN_BYTES, limits.tokens),
    )
    for name, total, limit in found:
        node = find(spec, "sharding", name)
        if node is not None and total is not None and limit is not None and total > limit * MOST_SHARDS:
            message = f'"{name}" splits this input into more than {MOST_SHARDS:,} remote jobs'
            faults.add(node.location, Code.INVALID_VALUE, message, f"write at least {-(-total // MOST_SHARDS):,}")


def _least(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
