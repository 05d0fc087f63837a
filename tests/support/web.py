"""The web page over HTTP: the real server on a port of its own, over stacks that the engine's world has made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from batchctl.engine.as_recorded import plan_as_recorded
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.events import Event
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.server.app import RowBrowser, Served, WebApp
from batchctl.server.feed import Feed
from batchctl.server.security import Access
from batchctl.server.snapshot import Snapshot, Source
from batchctl.server.thread import ServerThread, bind
from batchctl.server.view import Document
from tests.support.engine import World
from tests.support.patience import PATIENCE

FRESH = httpx.Limits(keepalive_expiry=5)
"""A client closes an idle connection before its server does, however busy the machine is."""


def snapshot_of(world: World, *jobs: DesiredJob, source: Source = Source.STATE, **changes: Any) -> Snapshot:
    """The stack as the world has it recorded."""
    desired, recorded, now = world.desired(*jobs, **changes), world.recorded(), world.time.now()
    plan = plan_as_recorded(desired, recorded, now, Options())
    status = status_of(desired, recorded, plan)
    return Snapshot(plan, desired, recorded, now, source, status, lambda path: f"results/{path}")


def status_of(desired: DesiredStack, recorded: Recorded, plan: Plan) -> StatusReport:
    """The status of the jobs of a plan."""
    models = {job.name: job.model for job in desired.jobs}
    models |= {name: one.row.model for name, one in recorded.jobs.items()}
    rows = [StatusRow.of(job, model=models[job.job], provider="here", clocks=plan.clocks) for job in plan.jobs]
    return StatusReport(plan.stack, tuple(rows), plan.unread, "results", forecast=plan.forecast)


@dataclass
class Surroundings:
    """Implements `batchctl.server.snapshot.Surroundings` over a world's state."""

    world: World | None
    holder: str | None = None
    due: datetime | None = None
    failure: Exception | None = None
    work: list[Document] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)

    def events(self, limit: int) -> Sequence[Event]:
        self._fail()
        self.reads.append(limit)
        return [] if self.world is None else self.world.state().events(None, limit)

    def busy(self) -> Sequence[Document]:
        self._fail()
        return list(self.work)

    def next_pass(self) -> datetime | None:
        return self.due

    def lock_holder(self) -> str | None:
        self._fail()
        return self.holder

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class Site:
    """A server that runs, and a client of it."""

    feed: Feed
    surroundings: Surroundings
    warnings: list[str]
    url: str
    client: httpx.Client

    def get(self, path: str, **parameters: Any) -> Any:
        """The document at an address, which has to be there."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def error(self, path: str, **parameters: Any) -> tuple[int, str]:
        """The status and the code of an error."""
        answer = self.client.get(path, params=parameters)
        return answer.status_code, answer.json()["error"]["code"]

    @contextmanager
    def events(self, last_id: str | None = None) -> Iterator[Iterator[tuple[str, str, Any]]]:
        """The stream as (event, id, data); comments and `retry` are left out."""
        headers = {} if last_id is None else {"last-event-id": last_id}
        with self.client.stream("GET", "/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _messages(answer.iter_lines())


def _messages(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    found: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif "event" in found:
            yield found["event"], found.get("id", ""), json.loads(found["data"])
            found = {}


@contextmanager
def serving(
    world: World | None,
    *snapshots: Snapshot,
    rows: RowBrowser | None = None,
    token: str | None = None,
    names: frozenset[str] = frozenset(),
    heartbeat: float = 15.0,
    **changes: Any,
) -> Iterator[Site]:
    """A server with these snapshots published."""
    feed, surroundings, warnings = Feed(), Surroundings(world), list[str]()
    for one in snapshots:
        feed.publish(lambda one=one: one)
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    access = Access("127.0.0.1", port, names, token)
    served = Served(feed, surroundings, access, warnings.append, rows, heartbeat=heartbeat, **changes)
    url = f"http://127.0.0.1:{port}"
    with (
        ServerThread(WebApp(served).app, listening, feed.end),
        httpx.Client(base_url=url, timeout=PATIENCE, limits=FRESH, verify=False) as client,
    ):
        yield Site(feed, surroundings, warnings, url, client)
