"""Lists of jobs, in pages as large as the API gives.

How many jobs a page may have is not documented: 100 are known to work, and 1,000 are said to be the most. A job that a
list lacks may be created again. So what a large page says counts only as far as other pages confirm it, and as soon as
anything about one is odd, the list is read in small pages, as if no large one had been asked for. Each begins at the
beginning of the list: the tokens of one size are followed with that size.
Source: reference 1.5, chapter 3; decision 126.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.allowance import Allowance, in_force
from batchctl.model.errors import ApiError, BadRequest
from batchctl.model.json_value import Json
from batchctl.model.observed import RemoteJob
from batchctl.providers.http.calls import Reply
from batchctl.providers.last_pages import LastPages
from batchctl.providers.paging import PAGE_SIZE, Page, Paging, each_once, list_allowance, walk
from batchctl.providers.retry import Retry

SMALL = PAGE_SIZE
LARGE = 1000
_ATTEMPTS = 2
"""For a large page. After them a small one gets all those of a read: the size may be what failed."""
_MOST_DOUBTS = 3
"""Lists in a row that small pages completed after large ones had not, until only small ones are requested."""
_SIZE = "pageSize"

Walk = Callable[[int], Iterator[Page]]
"""Reads a list from its beginning in pages of a size."""
Read = Callable[[Mapping[str, str]], Mapping[str, Json]]


class JobLists:
    """Lists of one kind, of one account, in this process."""

    def __init__(self, member: str, what: str, read_entry: Callable[[Json], RemoteJob], retry: Retry) -> None:
        """`member` of a page holds its entries; `read_entry` reads one of them, or raises BadReply."""
        self._member = member
        self._what = what
        self._retry = retry
        self._brief = replace(retry, attempts=_ATTEMPTS)
        self._last = LastPages(member, read_entry)
        self._sizes = PageSizes()

    def read(self, call: Callable[[Mapping[str, str]], Reply]) -> Iterator[RemoteJob]:
        """All jobs; one that moves to the next page meanwhile is given once. `call` gets what chooses a page.

        Raises BadReply for a list that is incomplete or endless, ReplyLost for one that takes too long, and what `call`
        raises.
        """
        return each_once(self._pages(call))

    def calls(self, jobs: int) -> int:
        """The calls that a list of so many jobs takes, if it is like the last one."""
        return max(1, -(-jobs // self._sizes.usual))

    def _pages(self, call: Callable[[Mapping[str, str]], Reply]) -> Iterator[list[RemoteJob]]:
        allowance = list_allowance(self._retry.total, self._retry.elapsed)
        read = self._last.reader(lambda chosen: self._reply(call, chosen))

        def walk_in(size: int) -> Iterator[Page]:
            paging = Paging(_SIZE, size)
            return walk(lambda chosen: self._page(read, chosen), self._member, self._what, paging, lambda: allowance)

        yield from _Reading(walk_in, self._sizes).pages()

    def _reply(self, call: Callable[[Mapping[str, str]], Reply], chosen: Mapping[str, str]) -> Reply:
        if not _is_large(chosen):
            return self._retry.run(lambda: call(chosen))
        # A service may take too long for so much. Then time is left for small pages.
        with Allowance(in_force().left() / 2, now=self._retry.elapsed).holding():
            return self._brief.run(lambda: call(chosen))

    def _page(self, read: Read, chosen: Mapping[str, str]) -> Mapping[str, Json]:
        """A page; if a large one is empty, the small one in its place."""
        page = read(chosen)
        is_odd = _is_large(chosen) and not page.get(self._member)
        return read({**chosen, _SIZE: str(SMALL)}) if is_odd else page


def _is_large(chosen: Mapping[str, str]) -> bool:
    return int(chosen[_SIZE]) > SMALL


class PageSizes:
    """The page sizes that lists of one kind are requested with, by how the service has answered so far."""

    def __init__(self) -> None:
        self.most = LARGE
        """The size of large pages; no more than that of small ones: none are requested."""
        self.proven = 0
        """The jobs on a large page that was right about its end: the size for the next list; 0: no page was."""
        self.usual = SMALL
        """The size of the pages of the last list."""
        self._doubts = 0

    @property
    def may_be_large(self) -> bool:
        """Whether a large page may help."""
        return self.most > SMALL

    def lower(self, most: int) -> None:
        """Note that the service gives fewer jobs."""
        self.most, self.proven, self.usual = most, 0, SMALL

    def doubt(self) -> None:
        """Note a list that small pages completed, and large ones did not."""
        self._doubts += 1
        self.lower(0 if self._doubts >= _MOST_DOUBTS else self.most)

    def prove(self, jobs: int) -> None:
        """Note a large page with so many jobs, which were all."""
        self.proven = jobs if jobs > SMALL else 0
        self.usual = max(jobs, SMALL)

    def keep(self, size: int, pages: int) -> None:
        """Note a list in so many pages of a size, of which one was full."""
        self.prove(size)
        self._doubts = 0
        if pages > 1 and size < self.most:
            # Larger pages may do.
            self.proven = 0


class _Seen(Struct, frozen=True):
    """A list that was read in pages of one size."""

    pages: int
    jobs: AbstractSet[str]
    has_full: bool
    """Whether one of them was full."""


class _Reading:
    """One list."""

    def __init__(self, walk_in: Walk, sizes: PageSizes) -> None:
        self._walk_in = walk_in
        self._sizes = sizes
        self._only: AbstractSet[str] = frozenset()
        """The jobs of a large page that seems to be the whole list; small pages confirm it, or do not."""

    def pages(self) -> Iterator[list[RemoteJob]]:
        """The jobs of each page. Some may come again, on a page of another size."""
        sizes, small, first = self._sizes, self._walk_in(SMALL), None
        is_large = sizes.proven > 0
        if not is_large:
            first = next(small)
            yield first.entries
            if first.is_last:
                return
            # With few jobs on it and others to follow, the service has its own idea of pages.
            is_large = sizes.may_be_large and len(first.entries) >= SMALL
        if is_large and (yield from self._in_large_pages(first)):
            return
        others = False
        for page in small:
            yield page.entries
            others = others or not _names(page) <= self._only
        if self._only and not others:
            sizes.prove(len(self._only))
        elif is_large:
            sizes.doubt()

    def _in_large_pages(self, first: Page | None) -> Generator[list[RemoteJob], None, bool]:
        """The list in large pages; `first` is the first small one, if it was read. Gives whether that was all of it."""
        sizes = self._sizes
        size = sizes.proven or sizes.most
        seen = yield from self._full_pages(size, first)
        if seen is None:
            return False
        if not seen.has_full:
            return (yield from self._is_confirmed(seen.jobs))
        sizes.keep(size, seen.pages)
        return True

    def _full_pages(self, size: int, first: Page | None = None) -> Generator[list[RemoteJob], None, _Seen | None]:
        """The list in pages of a size; None if one lacks jobs: of `first`, or to be full although others follow.

        After a full page, which has a token where others follow, one that is not full is the last.
        """
        pages, jobs, has_full = 0, set[str](), False
        try:
            for page in self._walk_in(size):
                pages, has_full = pages + 1, has_full or len(page.entries) == size
                jobs |= _names(page)
                if pages == 1 and first is not None and not _names(first) <= jobs:
                    return None
                if not page.is_last and 0 < len(page.entries) < size:
                    # The next page may leave out as many as this one lacks. The service may give so many in full.
                    self._sizes.lower(len(page.entries))
                    return None
                yield page.entries
        except ApiError as error:
            # Small pages succeed, or raise it themselves.
            if isinstance(error, BadRequest) and pages == 0:
                self._sizes.lower(0)
            return None
        return _Seen(pages, jobs, has_full)

    def _is_confirmed(self, jobs: AbstractSet[str]) -> Generator[list[RemoteJob], None, bool]:
        """Whether these are all jobs. They were on one page, which might have had more.

        A service that gives fewer than were requested may take them for all that there are. With a page size of one job
        less it gives a full page, and then what follows.
        """
        if not jobs:
            # The small page in its place was empty, too.
            self._sizes.prove(0)
            return True
        if len(jobs) <= 3 * SMALL:
            # Two more small pages show the same.
            self._only = jobs
            return False
        seen = yield from self._full_pages(len(jobs) - 1)
        if seen is None or not seen.has_full:
            return False
        if not seen.jobs <= jobs:
            self._sizes.lower(len(jobs))
        self._sizes.prove(len(jobs))
        return True


def _names(page: Page) -> set[str]:
    entries: Iterable[RemoteJob] = page.entries
    return {job.name for job in entries}
