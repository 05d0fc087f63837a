"""Reading a list to its end, page by page: what a reply must be so that the whole list counts as complete.

Owns tokens and pages; knows nothing of what the entries are. A reply that something else gave in the API's place, such
as an error object with HTTP 200, is no empty list: that nothing is there has to be said in the API's own form.
Source: reference 1.5, chapter 3, 6.5, chapter 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from batchctl.model.capabilities import JOBS_A_PAGE
from batchctl.model.desired import Json
from batchctl.model.errors import BadReply
from batchctl.model.observed import RemoteJob
from batchctl.providers.replies import words_of
from batchctl.providers.texts import whole_characters

PAGE_SIZE = JOBS_A_PAGE
"""Always sent: without it the Gemini API was seen to answer with an empty list (reference 1.5)."""
_MAX_PAGES = 10_000
_MAX_TOKEN = 8192
_UNREACHABLE = "unreachable"
_SHOWN = 5
"""Members of an odd reply that a message names."""


@dataclass(frozen=True)
class Paging:
    """How a service's lists are asked for, page by page."""

    size_param: str = "pageSize"
    size: int = PAGE_SIZE
    token: str = "nextPageToken"  # noqa: S105  the name of a member
    """Where a page names the next one."""
    beside: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Further members that a page without entries may have, each with the values that it may have; None: any."""


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
        yield _entries(page, member, what, paging)
        token = _next_token(page, what, paging)
        if token is None:
            return
        if token in tokens:
            raise BadReply(f"{what}: the same page token came twice, so the list would never end")
        tokens.add(token)
        chosen = {**chosen, "pageToken": token}
    raise BadReply(f"{what}: more than {_MAX_PAGES} pages")


def _entries(page: Mapping[str, Json], member: str, what: str, paging: Paging) -> list[Json]:
    """The entries of one page. Raises BadReply when it is no page of this list."""
    if "error" in page:
        raise BadReply(f"{what}: HTTP 200 with an error in place of the list{words_of(page)}")
    missed = page.get(_UNREACHABLE)
    if not isinstance(missed, list | None):
        raise BadReply(f"{what}: what the API could not reach is not a list")
    if missed:
        # Never seen here, but proto's word for a list that is not whole (reference 1.5).
        raise BadReply(f"{what}: the API could not reach all of its jobs")
    if member in page:
        entries = page[member]
        if not isinstance(entries, list):
            raise BadReply(f"{what}: the page's {member} are not a list{words_of(page)}")
        return entries
    odd = sorted(name for name, value in page.items() if not _may_be_alone(name, value, paging))
    if odd:
        names = ", ".join(ascii(name)[1:-1][:40] for name in odd[:_SHOWN])
        raise BadReply(
            f"{what}: the answer has no {member}, and is no empty list either: it has {names}{words_of(page)}",
            hint="something between here and the API may answer in its place: check the endpoint and the proxy",
        )
    return []


def _may_be_alone(name: str, value: Json, paging: Paging) -> bool:
    """Whether an empty list may have such a member."""
    if name in (paging.token, _UNREACHABLE):
        return True
    allowed = paging.beside.get(name, frozenset())
    return allowed is None or (isinstance(value, str) and value in allowed)


def _next_token(page: Mapping[str, Json], what: str, paging: Paging) -> str | None:
    """The token of the next page; None on the last one. Raises BadReply."""
    token = page.get(paging.token)
    if token is None or token == "":
        return None
    if not isinstance(token, str) or len(token) > _MAX_TOKEN or token != whole_characters(token):
        raise BadReply(f"{what}: the page token cannot be one")
    return token


def each_once(found: Iterable[list[RemoteJob]]) -> Iterator[RemoteJob]:
    """The jobs of all pages; one that moved to the next page while pages were read is given once."""
    names: set[str] = set()
    for jobs in found:
        for job in jobs:
            if job.name not in names:
                names.add(job.name)
                yield job
