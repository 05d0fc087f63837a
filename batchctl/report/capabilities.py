"""The capabilities of the APIs, side by side, for `doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from batchctl.model.capabilities import CAPABILITIES, Capabilities
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.report.console import Console
from batchctl.report.layout import Row, write_table
from batchctl.report.text import Text


def capabilities_document(can: Capabilities) -> dict[str, Json]:
    """One API's part of `batchctl/doctor/v1`. Limits are null where the API names none."""
    limits = can.limits
    return {
        "sources": sorted(can.sources),
        "dests": sorted(can.dests),
        "embeddingsKind": can.embeddings_kind,
        "labels": can.labels,
        "listFilter": can.list_filter,
        "webhooks": can.webhooks,
        "priority": can.priority,
        "limits": {
            "active": limits.active,
            "rows": limits.rows,
            "embeddingRows": limits.embedding_rows,
            "fileBytes": limits.file_bytes,
            "inlineBytes": limits.inline_bytes,
        },
    }


def write_capabilities(apis: Sequence[Api], console: Console) -> None:
    """A table with a column for each API; nothing when there are none."""
    columns = [_cells(CAPABILITIES[api]) for api in apis]
    rows = [Row((Text(name), *(Text(column[name]) for column in columns))) for name in (columns[0] if columns else ())]
    if rows:
        write_table(console, rows, header=("CAPABILITY", *(api.value.upper() for api in apis)))


def _cells(can: Capabilities) -> dict[str, str]:
    limits = can.limits
    return {
        "sources (src)": _names(can.sources),
        "destinations (dest)": _names(can.dests) or "none: the API keeps results",
        "embeddings": "EmbeddingsBatchJob" if can.embeddings_kind else "BatchJob with an embedding model",
        "labels on jobs": _yes(can.labels),
        "list filtered by label": _yes(can.list_filter),
        "webhooks": _yes(can.webhooks),
        "priority": _yes(can.priority),
        "active jobs": _number(limits.active),
        "rows per job": _number(limits.rows),
        "rows per job, embeddings": _number(limits.embedding_rows),
        "bytes per file": _number(limits.file_bytes),
        "bytes of inline rows": _number(limits.inline_bytes),
    }


def _names(forms: Iterable[StrEnum]) -> str:
    return ", ".join(sorted(form.value for form in forms))


def _yes(can: bool) -> str:
    return "yes" if can else "no"


def _number(limit: int | None) -> str:
    return "-" if limit is None else f"{limit:,}"
