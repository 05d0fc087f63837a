"""`/api/graph`: which job waits for which, jobs that were not created yet included."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.server.paging import Query
from batchctl.server.view import Document, View

PARAMETERS: Final = ("job", "limit")
MOST_NODES: Final = 2000


class Edge(Struct, frozen=True, order=True):
    """`before` has to end before `after` begins."""

    before: str
    after: str
    kind: str
    """`rows`: the rows of `after` are made from the answers of `before`; else `dependsOn`."""


def graph_document(view: View, query: Query) -> Document:
    """The graph, or the part that is connected with one job. Raises UsageError, and BatchctlError (`JobNotFound`)."""
    edges = edges_of(view)
    name = query.one("job")
    if name is None:
        chosen = {job for edge in edges for job in (edge.before, edge.after)}
    else:
        require_job(view, name)
        chosen = _connected(name, edges)
    return _document(view, edges, chosen, query.limit(MOST_NODES, MOST_NODES))


def require_job(view: View, name: str) -> None:
    """Raise BatchctlError for a name that no job has."""
    if name not in view.row_of:
        hint = "it may have been renamed or removed; the list of jobs has all"
        raise BatchctlError(f"there is no job {name}", code=ErrorCode.JOB_NOT_FOUND, hint=hint)


def edges_of(view: View) -> Sequence[Edge]:
    """All edges between jobs of the view, sorted."""
    return view.once("edges", lambda: _find_edges(view))


def _find_edges(view: View) -> Sequence[Edge]:
    names = view.row_of.keys()
    kinds: dict[tuple[str, str], str] = {}
    desired = view.snapshot.desired.by_name
    for name in names:
        job, recorded = desired.get(name), view.snapshot.recorded.jobs.get(name)
        before = job.depends_on if job is not None else recorded.row.depends_on if recorded is not None else ()
        kinds |= {(one, name): "dependsOn" for one in before if one in names}
        chain = view.plans[name].chain
        if chain is not None and chain.job in names:
            kinds[chain.job, name] = "rows"
    return sorted(Edge(before, after, kind) for (before, after), kind in kinds.items())


def _document(view: View, edges: Sequence[Edge], chosen: set[str], most: int) -> Document:
    ranks = view.once("ranks", lambda: _ranks(edges_of(view)))
    shown = [row for row in view.rows if row["job"] in chosen][:most]
    names = {row["job"] for row in shown}
    linked = {job for edge in edges for job in (edge.before, edge.after)}
    return {
        **view.head,
        "nodes": [
            {
                "job": row["job"],
                "phase": row["phase"],
                "born": view.plans[row["job"]].attempt is not None,
                "rank": ranks.get(row["job"], 0),
                "model": row["model"],
                "rows": row["rows"],
                "reason": row["reason"],
            }
            for row in shown
        ],
        "edges": [
            {"from": edge.before, "to": edge.after, "kind": edge.kind}
            for edge in edges
            if edge.before in names and edge.after in names
        ],
        "alone": len(view.rows) - len(linked),
        "truncated": len(shown) < len(chosen),
    }


def _ranks(edges: Iterable[Edge]) -> Mapping[str, int]:
    """The length of the longest path that leads to each job; a cycle, which no manifest may have, ends it."""
    after: dict[str, list[str]] = defaultdict(list)
    open_before: dict[str, int] = defaultdict(int)
    for edge in edges:
        after[edge.before].append(edge.after)
        open_before[edge.after] += 1
    ranks = {name: 0 for name in after if not open_before.get(name)}
    ready = deque(ranks)
    while ready:
        name = ready.popleft()
        for later in after.get(name, ()):
            ranks[later] = max(ranks.get(later, 0), ranks[name] + 1)
            open_before[later] -= 1
            if not open_before[later]:
                ready.append(later)
    return ranks


def _connected(name: str, edges: Iterable[Edge]) -> set[str]:
    """All jobs that a path leads to from this one, along edges or against them."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        neighbours[edge.before].add(edge.after)
        neighbours[edge.after].add(edge.before)
    found, ready = {name}, deque([name])
    while ready:
        for other in neighbours[ready.popleft()] - found:
            found.add(other)
            ready.append(other)
    return found
