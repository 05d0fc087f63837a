"""Reads `spec.rows` of a manifest that keeps to its schema."""

from __future__ import annotations

from batchctl.manifests.nodes import Node, value_of
from batchctl.model.row_settings import RowSettings


def read_row_settings(spec: Node) -> RowSettings:
    """The settings for judging the rows of a job; omitted ones have their defaults."""
    standard = RowSettings()
    reuse, attempts = value_of(spec, "rows", "reuse"), value_of(spec, "rows", "maxAttempts")
    return RowSettings(
        frozenset(value_of(spec, "rows", "accept") or ()),
        standard.reuse if reuse is None else reuse,
        standard.max_attempts if attempts is None else attempts,
    )
