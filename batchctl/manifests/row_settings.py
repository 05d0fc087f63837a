"""Reads `spec.rows` and `spec.canary` of a manifest that keeps to its schema."""

from __future__ import annotations

from batchctl.manifests.nodes import Node, value_of
from batchctl.model.row_settings import Canary, MaxFailedRows, RowSettings


def read_row_settings(spec: Node) -> RowSettings:
    """The settings for judging the rows of a job; omitted ones have their defaults."""
    standard = RowSettings()
    reuse, attempts = value_of(spec, "rows", "reuse"), value_of(spec, "rows", "maxAttempts")
    return RowSettings(
        frozenset(value_of(spec, "rows", "accept") or ()),
        standard.reuse if reuse is None else reuse,
        standard.max_attempts if attempts is None else attempts,
    )


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
