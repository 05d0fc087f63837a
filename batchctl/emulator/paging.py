"""Pages of jobs, newest first, with the faults that affect lists. The services define the form of the entries."""

from __future__ import annotations

import base64
import json

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.faults import FaultKind
from batchctl.emulator.job_store import EVERY, Job, Where, newest_jobs
from batchctl.emulator.wire import Refused


def page_of_jobs(
    exchange: Exchange,
    api: str,
    size: int,
    parent: str = "",
    where: Where = EVERY,
) -> tuple[list[Job], str | None]:
    """The jobs of the requested page, and the token of the next page. Raises Refused (400)."""
    token = exchange.request.param("pageToken", "page_token")
    after, gap = _read_token(token) if token else (None, False)
    if gap:
        return [], _token(after, gap=False)
    lag = exchange.fault(FaultKind.LIST_LAG)
    youngest = 2**62 if exchange.as_of is None else exchange.as_of
    born_by = exchange.now - lag.delay if lag else youngest
    jobs = newest_jobs(exchange.store, api, after, born_by, size + 1, parent=parent, where=where, as_of=exchange.as_of)
    more, jobs = len(jobs) > size, jobs[:size]
    if not jobs:
        return [], None
    gap = not token and exchange.fault(FaultKind.EMPTY_PAGE) is not None
    if gap and not more:
        jobs = jobs[: -(-len(jobs) // 2)]
    return jobs, _token((jobs[-1].created, jobs[-1].seq), gap=gap) if more or gap else None


def _token(after: tuple[int, int] | None, *, gap: bool) -> str:
    """An opaque token: the job after which the page begins, and whether an empty page comes first."""
    return base64.urlsafe_b64encode(json.dumps([after, gap]).encode()).decode()


def _read_token(token: str) -> tuple[tuple[int, int], bool]:
    try:
        (created, seq), gap = json.loads(base64.urlsafe_b64decode(token))
        return (int(created), int(seq)), bool(gap)
    except (ValueError, TypeError) as error:
        raise Refused(400, "Invalid page token.") from error
