"""`/api/jobs`: the jobs with filter, search and order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from batchctl.model.errors import UsageError
from batchctl.model.states import Phase
from batchctl.server.paging import Page, Query, count, cut, whole
from batchctl.server.view import Document, View

FILTER: Final = ("phase", "model", "provider", "label", "q")
"""The parameters that choose jobs."""
PARAMETERS: Final = (*FILTER, "sort", "cursor", "limit")
ATTENTION: Final = "attention"


class Found(Struct, frozen=True):
    """The jobs that a filter chooses."""

    rows: Sequence[Document]
    phases: Mapping[str, int]
    """All that the other filters choose, by phase."""


def jobs_document(view: View, query: Query) -> Document:
    """A page of jobs. Raises UsageError."""
    found = find_jobs(view, query)
    page = cut(sort_rows(found.rows, query.one("sort")), len(view.rows), query)
    return _document(view, page, found.phases)


def all_jobs_document(view: View) -> Document:
    """The document with all jobs."""
    return _document(view, whole(view.rows, len(view.rows)), _phases(view))


def _document(view: View, page: Page, phases: Mapping[str, int]) -> Document:
    return {**view.head, "phases": dict(phases), **page.members}


def _phases(view: View) -> Mapping[str, int]:
    return view.once("phases", lambda: count(row["phase"] for row in view.rows))


def find_jobs(view: View, query: Query) -> Found:
    """The jobs that the filter of a request chooses, in the order of attention. Raises UsageError."""
    words = (query.one("q") or "").casefold().split()
    models, providers = query.all("model"), query.all("provider")
    labels = [_label(text) for text in query.all("label")]
    rows: Sequence[Document] = view.rows
    if words:
        texts = view.once("texts", lambda: {row["job"]: _text(row) for row in view.rows})
        rows = [row for row in rows if all(word in texts[row["job"]] for word in words)]
    if models or providers or labels:
        rows = [
            row
            for row in rows
            if (not models or row["model"] in models)
            and (not providers or row["provider"] in providers)
            and all(row["labels"].get(key) == value for key, value in labels)
        ]
    phases = query.all("phase")
    for phase in phases:
        if phase != ATTENTION and phase not in list(Phase):
            raise UsageError(f"unknown phase {phase!r}", hint=f"one of: {', '.join(Phase)}, {ATTENTION}")
    chosen = [row for row in rows if row["phase"] in phases or (ATTENTION in phases and row["attention"])]
    counts = _phases(view) if rows is view.rows else count(row["phase"] for row in rows)
    return Found(chosen if phases else rows, counts)


def sort_rows(rows: Sequence[Document], sort: str | None) -> Sequence[Document]:
    """The rows in an order; a `-` before it turns it around. Rows without a value come last. Raises UsageError."""
    if sort in {None, ATTENTION}:
        return rows
    assert sort is not None
    key = sort.removeprefix("-")
    if key == ATTENTION:
        return rows[::-1]
    if key not in _VALUES:
        raise UsageError(f"unknown order {sort!r}", hint=f"one of: {', '.join((ATTENTION, *_VALUES))}")
    value = _VALUES[key]
    known = sorted((row for row in rows if value(row) is not None), key=lambda row: row["job"])
    known.sort(key=lambda row: value(row) or 0, reverse=sort != key)
    return [*known, *(row for row in rows if value(row) is None)]


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"label: {text!r} is not KEY=VALUE", hint="such as label=team=search")
    return key, value


def _text(row: Document) -> str:
    """The text that a search looks into."""
    facts = [row[name] or "" for name in ("job", "model", "provider", "phase", "state", "reason", "remote")]
    labels = [f"{key}={value}" for key, value in row["labels"].items()]
    return "\n".join([*facts, *labels]).casefold()


def _cost(row: Document) -> float | None:
    """Its cost: the actual one, else the highest that is expected."""
    cost = row.get("cost") or {}
    for part, amount in (("actual", "money"), ("estimate", "high"), ("estimate", "low")):
        money = (cost.get(part) or {}).get(amount)
        if money is not None:
            return float(money)
    return None


def _end(row: Document) -> str | None:
    """When it ended, else when half of the jobs like it would have."""
    forecast = row.get("forecast") or {}
    ended: str | None = row["endTime"] or (forecast.get("end") or {}).get("p50")
    return ended


_PHASES = {phase.value: place for place, phase in enumerate(Phase)}
# Values of one kind each; a type for all of them would be `object`, which has no order.
_VALUES: Final[Mapping[str, Callable[[Document], str | float | None]]] = {
    "job": lambda row: row["job"],
    "phase": lambda row: _PHASES[row["phase"]],
    "model": lambda row: row["model"],
    "provider": lambda row: row["provider"],
    "rows": lambda row: row["rows"]["total"],
    "created": lambda row: row["createTime"],
    "ended": lambda row: row["endTime"],
    "end": _end,
    "cost": _cost,
}
