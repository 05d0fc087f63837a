"""Reads `spec.rows` of a manifest that keeps to its schema."""

from __future__ import annotations

from batchctl.manifests.nodes import Node, value_of
from batchctl.model.row_settings import RowSettings


def read_row_settings(spec: Node) -> RowSettings:
    """How the rows of a job are judged; what its manifest does not say has its default."""
    return RowSettings(accept=frozenset(value_of(spec, "rows", "accept") or ()))
