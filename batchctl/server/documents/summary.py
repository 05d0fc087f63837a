"""`/api/summary`: the stack in numbers, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from batchctl import __version__
from batchctl.model.json_value import Json
from batchctl.model.plan_digest import PlanDigest
from batchctl.model.times import rfc3339
from batchctl.report.costs import expected_fields
from batchctl.report.plan_document import all_guards, drift_entries
from batchctl.server.documents.all_rows import rows_of_job
from batchctl.server.paging import count, first
from batchctl.server.view import Document, View

_MOST_NAMED = 20
_OWN = frozenset({"format", "stack", "problems"})
"""Members of a status that the summary has itself, or does not need."""


def summary_document(
    view: View, *, rows_shown: bool, lock_holder: str | None, next_pass: datetime | None = None
) -> Document:
    """The document. `rows_shown`: whether the rows of jobs can be read here."""
    made: Document = view.once("summary", lambda: _make(view))
    lock = None if lock_holder is None else {"holder": lock_holder}
    last = None if made["pass"] is None else {**made["pass"], "next": rfc3339(next_pass)}
    return {**view.head, **made, "pass": last, "rowsShown": rows_shown, "lock": lock}


def _make(view: View) -> Document:
    snapshot, rows = view.snapshot, view.rows
    plan, last = snapshot.plan, snapshot.last_pass
    collect = sorted((row["collectBy"], row["job"]) for row in rows if row["collectBy"] is not None)
    counted = view.status["cost"]["actual"]
    limits = snapshot.desired.stack.limits
    return {
        "version": __version__,
        "stack": plan.stack,
        "source": snapshot.source.value,
        # All that `status -o json` says of the whole stack: forecast and cost, too.
        **{name: _bounded(value) for name, value in view.status.items() if name not in _OWN},
        "jobs": len(rows),
        "phases": dict(count(row["phase"] for row in rows)),
        "models": _models(view, rows),
        "rows": _sum_rows(view, rows),
        "estimate": expected_fields(row.cost for row in snapshot.status.jobs),
        "tokens": None if counted is None else counted["tokens"]["total"],
        "needsAttention": sum(row["attention"] for row in rows),
        "attention": [row["job"] for row in first((row for row in rows if row["attention"]), _MOST_NAMED)],
        "collectBy": [{"job": job, "time": time} for time, job in collect[:_MOST_NAMED]],
        "limits": {
            "maxCreate": limits.max_create,
            "maxReplace": limits.max_replace,
            "maxDelete": limits.max_delete,
        },
        "plan": {
            "summary": plan.summary(),
            "digest": str(PlanDigest.of(plan)),
            "guards": [
                {"code": guard.code, "message": guard.message, "flag": guard.way_out} for guard in all_guards(plan)
            ],
        },
        "drift": drift_entries(plan.drift),
        "problems": view.status["problems"],
        "pass": None
        if last is None
        else {"number": last.number, "begun": rfc3339(last.begun), "ended": rfc3339(last.ended)},
    }


def _bounded(value: Json) -> Json:
    """A member with the first of its names of jobs, and their number: the summary is in every message of the stream."""
    if not isinstance(value, dict):
        return value
    long = {name: one for name, one in value.items() if isinstance(one, list)}
    return {
        **value,
        **{name: one[:_MOST_NAMED] for name, one in long.items()},
        **{f"{name}Count": len(one) for name, one in long.items()},
    }


def _models(view: View, rows: Iterable[Document]) -> list[Json]:
    groups: dict[tuple[str, str], list[Document]] = {}
    for row in rows:
        groups.setdefault((row["model"] or "", row["provider"] or ""), []).append(row)
    return [
        {
            "model": model or None,
            "provider": provider or None,
            "jobs": len(group),
            "phases": dict(count(row["phase"] for row in group)),
            "rows": _sum_rows(view, group),
        }
        for (model, provider), group in sorted(groups.items())
    ]


def _sum_rows(view: View, rows: Iterable[Document]) -> Document:
    """The sum of the rows of jobs over all their attempts; a count that no job has is null."""
    sums: dict[str, int | None] = {"total": None, "ok": None, "failed": None}
    verdicts: dict[str, int] = {}
    for row in rows:
        counts: Mapping[str, Json] = rows_of_job(view, row)
        for name, before in sums.items():
            if counts[name] is not None:
                sums[name] = (before or 0) + counts[name]
        for code, number in (counts["verdicts"] or {}).items():
            verdicts[code] = verdicts.get(code, 0) + number
    return {**sums, "verdicts": {code: verdicts[code] for code in sorted(verdicts)} or None}
