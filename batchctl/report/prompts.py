"""Shows the new prompts of a plan, for `plan --show-prompts`. Plans have hashes in their place.

The old prompts cannot be shown: the state has only their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from batchctl.model.decision import Change
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.sources import InlineRows

_REQUEST = "spec.request"
_MOST_ROWS = 10
_LONGEST = 2_000
"""Characters of one value."""
_NOT_KEPT = "(only its hash is kept)"


def with_prompts(plan: Plan) -> Plan:
    """The plan with the prompts of its manifests, as far as they change."""
    return replace(plan, jobs=tuple(_job(job) for job in plan.jobs))


def _job(job: JobPlan) -> JobPlan:
    desired = None if job.terms is None else job.terms.desired
    if desired is None:
        return job
    changes = tuple(shown for change in job.decision.changes for shown in _change(change, desired))
    return replace(job, decision=replace(job.decision, changes=changes))


def _change(change: Change, desired: DesiredJob) -> Iterator[Change]:
    if change.path.startswith(_REQUEST) and change.after is not None:
        found = _values_at(desired.request, change.path.removeprefix(_REQUEST))
        yield replace(change, after=_cut(next(found, change.after)))
        return
    yield change
    if change.rows is not None and isinstance(desired.source, InlineRows):
        names = [*change.rows.changed, *change.rows.added]
        rows = {row.key or f"row {number}": row for number, row in enumerate(desired.source.rows, 1)}
        for name in names[:_MOST_ROWS]:
            before = _NOT_KEPT if name in change.rows.changed else None
            yield Change(f"{change.path}[{name}]", before, _cut(rows[name].request))


def _values_at(value: Json, path: str) -> Iterator[Json]:
    """The value at a path. Names of members may contain dots and brackets, so each name that fits is tried."""
    if not path:
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            if path.startswith(f".{name}"):
                yield from _values_at(member, path.removeprefix(f".{name}"))
    elif isinstance(value, list) and path.startswith("["):
        index, _, rest = path[1:].partition("]")
        if index.isdigit() and int(index) < len(value):
            yield from _values_at(value[int(index)], rest)


def _cut(value: Json) -> Json:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
