"""Reading a list to its end, page by page: what a reply must be so that the whole list counts as complete.

Owns tokens and pages; knows nothing of what the entries are. Source: reference 1.5, chapter 3, 6.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from batchctl.model.capabilities import JOBS_A_PAGE
from batchctl.model.desired import Json
from batchctl.model.errors import BadReply
from batchctl.model.observed import RemoteJob
from batchctl.providers.texts import whole_characters

PAGE_SIZE = JOBS_A_PAGE
"""Always sent: without it the Gemini API was seen to answer with an empty list (reference 1.5)."""
_MAX_PAGES = 10_000
_MAX_TOKEN = 8192


@dataclass(frozen=True)
class Paging:
    """How a service's lists are asked for, page by page."""

    size_param: str = "pageSize"
    size: int = PAGE_SIZE
    token: str = "nextPageToken"  # noqa: S105  the name of a member
    """Where a page names the next one."""


_AIP = Paging()


def pages(
    read: Callable[[Mapping[str, str]], Mapping[str, Json]], member: str, what: str, paging: Paging = _AIP
) -> Iterator[list[Json]]:
    """The entries of each page. `read` gets the parameters that choose a page, `member` is where its entries stand.

    A page may be empty although others follow. Raises BadReply for a list that is not whole or would never end, and
    whatever `read` raises.
    """
    tokens: set[str] = set()
    chosen = {paging.size_param: str(paging.size)}
    while len(tokens) < _MAX_PAGES:
        page = read(chosen)
        entries = page.get(member, [])
        if not isinstance(entries, list):
            raise BadReply(f"{what}: the page's {member} are not a list")
        if page.get("unreachable"):
            # Never seen here, but proto's word for a list that is not whole (reference 1.5).
            raise BadReply(f"{what}: the API could not reach all of its jobs")
        yield entries
        token = page.get(paging.token) or ""
        if not token:
            return
        if not isinstance(token, str) or len(token) > _MAX_TOKEN or token != whole_characters(token):
            raise BadReply(f"{what}: the page token cannot be one")
        if token in tokens:
            raise BadReply(f"{what}: the same page token came twice, so the list would never end")
        tokens.add(token)
        chosen = {**chosen, "pageToken": token}
    raise BadReply(f"{what}: more than {_MAX_PAGES} pages")


def each_once(found: Iterable[list[RemoteJob]]) -> Iterator[RemoteJob]:
    """The jobs of all pages; one that moved to the next page while pages were read is given once."""
    names: set[str] = set()
    for jobs in found:
        for job in jobs:
            if job.name not in names:
                names.add(job.name)
                yield job
