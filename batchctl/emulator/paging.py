"""Pages of jobs, newest first, with the faults that affect lists. The services define the form of the entries."""

from __future__ import annotations

import base64
import json

from msgspec import Struct

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.faults import FaultKind
from batchctl.emulator.job_store import EVERY, Job, Where, newest_jobs
from batchctl.emulator.settings import OverLimit
from batchctl.emulator.wire import Refused

_LARGEST = 2**31 - 1
"""The largest page size that a call can name (int32)."""


class JobPage(Struct, frozen=True):
    """The page that a list call asks for."""

    size: int
    over: OverLimit | None
    """The answer if the call asks for more jobs than a page may have; None if it does not."""

    @classmethod
    def asked(cls, exchange: Exchange, default: int) -> JobPage:
        """Read the call; `default` applies without a size. Raises Refused (400)."""
        most = exchange.settings.page_limit
        size = exchange.page_size(min(default, most), _LARGEST)
        over = exchange.settings.pages_over_limit if size > most else None
        if over is OverLimit.REFUSE:
            raise Refused(400, f"The page size must be at most {most}.")
        return cls(min(size, most), over)


def page_of_jobs(
    exchange: Exchange,
    api: str,
    page: JobPage,
    parent: str = "",
    where: Where = EVERY,
) -> tuple[list[Job], str | None]:
    """The jobs of the requested page, and the token of the next page. Raises Refused (400)."""
    token, size = exchange.request.param("pageToken", "page_token"), page.size
    after, gap = _read_token(token) if token else (None, False)
    if page.over is OverLimit.EMPTY:
        return [], None
    if gap:
        return [], _token(after, gap=False)
    lag = exchange.fault(FaultKind.LIST_LAG)
    youngest = 2**62 if exchange.as_of is None else exchange.as_of
    born_by = exchange.now - lag.delay if lag else youngest
    jobs = newest_jobs(exchange.store, api, after, born_by, size + 1, parent=parent, where=where, as_of=exchange.as_of)
    more, jobs = len(jobs) > size, jobs[:size]
    if not jobs or page.over is OverLimit.END:
        return jobs, None
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
