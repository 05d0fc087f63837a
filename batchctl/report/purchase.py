"""The purchase of a plan: sums over its jobs by provider and model, and the wording of sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.work_size import WorkSize
from batchctl.report.cost_text import words_of_job
from batchctl.report.layout import count

_UNITS = ("kB", "MB", "GB", "TB")
_STEP = 1000


class Purchase(Struct, frozen=True):
    """A sum of sizes; unknown sizes are left out."""

    jobs: int
    rows: int
    bytes: int
    tokens: int
    unknown: int
    """Jobs of unknown size, because batchctl does not send their input."""
    rows_alone: int = 0
    """Rows of these, as far as they are known."""
    is_counted: bool = True
    """Whether the rows of all jobs are known."""


def bought(plan: Plan) -> Purchase:
    """The purchase of a plan, now or later."""
    return _sum(job.size for job in plan.jobs if job.buys)


def bought_by_model(plan: Plan) -> dict[tuple[str, str], Purchase]:
    """The purchase by provider and model, sorted."""
    groups: dict[tuple[str, str], list[WorkSize]] = defaultdict(list)
    for job in plan.jobs:
        if job.buys:
            groups[job.size.provider or "", job.size.model or ""].append(job.size)
    return {key: _sum(groups[key]) for key in sorted(groups)}


def _sum(sizes: Iterable[WorkSize]) -> Purchase:
    all_sizes = tuple(sizes)
    return Purchase(
        len(all_sizes),
        sum(size.rows or 0 for size in all_sizes),
        sum(size.bytes or 0 for size in all_sizes),
        sum(size.tokens or 0 for size in all_sizes),
        sum(size.rows is None or size.bytes is None for size in all_sizes),
        sum(size.rows or 0 for size in all_sizes if size.bytes is None),
        all(size.rows is not None for size in all_sizes),
    )


def size_fields(size: WorkSize) -> dict[str, Json]:
    """The size of one job for documents."""
    return {
        "model": size.model,
        "provider": size.provider,
        "rows": size.rows,
        "bytes": size.bytes,
        "tokens": size.tokens,
        "tokensCounted": size.is_counted,
    }


def purchase_fields(purchase: Purchase) -> dict[str, Json]:
    """A sum for documents."""
    return {
        "jobs": purchase.jobs,
        "rows": purchase.rows,
        "bytes": purchase.bytes,
        "tokens": purchase.tokens,
        "unknown": purchase.unknown,
    }


def total_fields(plan: Plan) -> dict[str, Json]:
    """The purchase of a plan for documents."""
    by_model = [
        {"provider": provider, "model": model, **purchase_fields(purchase)}
        for (provider, model), purchase in bought_by_model(plan).items()
    ]
    return {**purchase_fields(bought(plan)), "models": by_model}


def purchase_words(purchase: Purchase) -> str:
    """`2 jobs, 44 rows, 2.1 kB, about 540 tokens`."""
    jobs = count(purchase.jobs, "job")
    if purchase.unknown == purchase.jobs:
        return f"{jobs}, {_rows(purchase.rows)}" if purchase.is_counted else f"{jobs} of unknown size"
    rows = _rows(purchase.rows - purchase.rows_alone)
    size = ", ".join((rows, bytes_text(purchase.bytes), f"about {purchase.tokens:,} tokens"))
    more = f", and {count(purchase.unknown, 'job')} of unknown size" if purchase.unknown else ""
    return f"{count(purchase.jobs - purchase.unknown, 'job')}, {size}{more}"


def purchase_sentence(plan: Plan) -> str:
    """The purchase of a plan in one sentence; empty if it buys nothing."""
    purchase = bought(plan)
    lead = "Buys" if plan.has_changes else "Buys, when it is their turn:"
    return f"{lead} {purchase_words(purchase)}." if purchase.jobs else ""


def size_words(job: JobPlan) -> str:
    """`gemini-2.5-flash on gemini: 22 rows, 1.2 kB, about 300 tokens`; empty if the job buys nothing."""
    if not job.buys:
        return ""
    size = job.size
    parts = [] if size.rows is None else [_rows(size.rows)]
    parts += [] if size.bytes is None else [bytes_text(size.bytes)]
    parts += [] if size.tokens is None else [f"about {size.tokens:,} tokens{_sample(size)}"]
    cost = words_of_job(job)
    words = ", ".join(parts) or "of unknown size"
    return f"{size.model} on {size.provider}: {words}{f'; {cost}' if cost else ''}"


def _sample(size: WorkSize) -> str:
    return f" (countTokens of {count(size.sampled_rows, 'row')})" if size.sampled_rows else ""


def _rows(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"


def bytes_text(size: float) -> str:
    """A number of bytes for people: `812 bytes`, `1.2 kB`, `3.4 MB`."""
    if size < _STEP:
        return count(int(size), "byte")
    value = size / _STEP
    for unit in _UNITS[:-1]:
        if value < _STEP:
            return f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} {_UNITS[-1]}"
