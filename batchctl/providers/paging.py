"""Reads a list page by page to its end, and checks that it is complete.

Handles tokens and pages; knows nothing about the entries. A reply from another server, such as an error object with
HTTP 200, is not an empty list: a list counts as empty only if the reply has the API's own form.
Source: reference 1.5, chapter 3, 6.5, chapter 16.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from batchctl.model.allowance import Allowance
from batchctl.model.errors import BadReply, ReplyLost
from batchctl.model.json_value import Json
from batchctl.model.observed import RemoteJob
from batchctl.model.stack import Limits
from batchctl.providers.unexpected_replies import words_of
from batchctl.providers.untrusted_text import whole_characters

PAGE_SIZE = 100
"""Always sent: without it the Gemini API was observed to answer with an empty list (reference 1.5)."""
_MAX_PAGES = 10_000
_MAX_SAME = 10
"""Equal consecutive pages that are allowed: one new job may push the others on to the next page."""
_MAX_ENTRIES = 1_000_000
_MAX_BYTES = 512 * 2**20
"""Bytes of all pages of a list that is held in memory."""
_MAX_TOKEN = 8192
_UNREACHABLE = "unreachable"
_LONGER = "the rest of the list is unknown; if the list is that long, raise limits.readTimeout in the stack file"
_SHOWN = 5
"""Members of an unexpected reply that a message names."""


class Paging(Struct, frozen=True):
    """How a service's lists are requested, page by page."""

    size_param: str = "pageSize"
    size: int = PAGE_SIZE
    token: str = "nextPageToken"  # noqa: S105  the name of a member
    """The member that holds the token of the next page."""
    beside: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Other members that a page without entries may have, each with its allowed values; None: any value."""
    is_stream: bool = False
    """Whether entries are passed on and not held: their number is unlimited, as long as they keep arriving."""


_AIP = Paging()


class Page(Struct, frozen=True):
    """One page of a list."""

    entries: list[Any]
    is_last: bool


def pages(
    read: Callable[[Mapping[str, str]], Mapping[str, Json]],
    member: str,
    what: str,
    paging: Paging = _AIP,
    *,
    seconds: float = Limits().read_timeout.total_seconds(),
    elapsed: Callable[[], float] = time.monotonic,
) -> Iterator[list[Json]]:
    """The entries of each page. `read` gets the parameters that choose a page; `member` holds its entries.

    A page may be empty although others follow. All pages together may take `seconds` of the clock `elapsed`. Raises
    BadReply for a list that is incomplete or endless, ReplyLost for one that takes too long, and what `read` raises.
    """

    def allow() -> Allowance:
        return list_allowance(seconds, elapsed, is_stream=paging.is_stream)

    for page in walk(read, member, what, paging, allow):
        yield page.entries


def list_allowance(seconds: float, elapsed: Callable[[], float], *, is_stream: bool = False) -> Allowance:
    """The limits of all pages of a list together."""
    return Allowance(seconds, math.inf if is_stream else _MAX_BYTES, now=elapsed)


def walk(
    read: Callable[[Mapping[str, str]], Mapping[str, Json]],
    member: str,
    what: str,
    paging: Paging,
    allow: Callable[[], Allowance],
) -> Iterator[Page]:
    """The same as `pages`, with the end of the list marked; `allow` gives the allowance when reading begins."""
    progress = _Progress(what, paging, allow)
    tokens: set[str] = set()
    chosen = {paging.size_param: str(paging.size)}
    while len(tokens) < _MAX_PAGES:
        with progress.allowance.holding():
            page = read(chosen)
        entries = _entries(page, member, what, paging)
        progress.note(entries)
        token = _next_token(page, what, paging)
        yield Page(entries, is_last=token is None)
        if token is None:
            return
        if token in tokens:
            raise BadReply(f"{what}: the same page token came twice, so the list would never end")
        progress.require_time()
        tokens.add(token)
        chosen = {**chosen, "pageToken": token}
    raise BadReply(f"{what}: more than {_MAX_PAGES} pages")


class _Progress:
    """Checks that a list progresses, and how much more it may take."""

    def __init__(self, what: str, paging: Paging, allow: Callable[[], Allowance]) -> None:
        self._what = what
        self._paging = paging
        self._allow = allow
        self._pages = self._held = self._same = 0
        self._last: list[Json] = []
        self.allowance = allow()

    def note(self, entries: list[Json]) -> None:
        """Record a page. Raises BadReply when the list cannot end."""
        self._pages += 1
        self._same = self._same + 1 if entries and entries == self._last else 0
        self._last = entries
        if self._same >= _MAX_SAME:
            raise BadReply(f"{self._what}: the same page came {self._same + 1} times under different tokens")
        self._held += len(entries)
        if self._paging.is_stream and self._held >= self._paging.size:
            self._held, self.allowance = 0, self._allow()
        if self._held > _MAX_ENTRIES:
            raise BadReply(f"{self._what}: more than {_MAX_ENTRIES:,} entries")

    def require_time(self) -> None:
        """Raise ReplyLost when no time is left for another page."""
        if self.allowance.is_over():
            seconds = round(self.allowance.overdue().seconds, 1)
            words = f"the list did not end within {seconds:g} seconds (page {self._pages:,})"
            raise ReplyLost(f"{self._what}: {words}", hint=_LONGER)


def _entries(page: Mapping[str, Json], member: str, what: str, paging: Paging) -> list[Json]:
    """The entries of one page. Raises BadReply when it is not a page of this list."""
    if "error" in page:
        raise BadReply(f"{what}: HTTP 200 with an error instead of the list{words_of(page)}")
    missed = page.get(_UNREACHABLE)
    if not isinstance(missed, list | None):
        raise BadReply(f"{what}: `unreachable` is not a list")
    if missed:
        # Never observed here, but proto's standard way to mark an incomplete list (reference 1.5).
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
            f"{what}: the reply has no {member}, and is not an empty list: it has {names}{words_of(page)}",
            hint="a proxy or gateway may answer instead of the API: check the endpoint and the proxy",
        )
    return []


def _may_be_alone(name: str, value: Json, paging: Paging) -> bool:
    """Whether an empty list may have this member."""
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
        raise BadReply(f"{what}: the page token is not valid")
    return token


def each_once(found: Iterable[list[RemoteJob]]) -> Iterator[RemoteJob]:
    """The jobs of all pages; a job that moves to the next page during the listing is given once."""
    names: set[str] = set()
    for jobs in found:
        for job in jobs:
            if job.name not in names:
                names.add(job.name)
                yield job
