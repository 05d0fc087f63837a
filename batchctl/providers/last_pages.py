"""The pages of the list that was read last.

In most passes of `watch` nothing has changed. Equal bytes are the same jobs: they are not decoded and checked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from batchctl.model.json_value import Json
from batchctl.model.observed import RemoteJob
from batchctl.providers.http.calls import Reply


class LastPages:
    """Pages with their jobs, by the hash of their bytes. Of one account and one kind of list."""

    def __init__(self, member: str, read_entry: Callable[[Json], RemoteJob]) -> None:
        """`member` of a page holds its entries; `read_entry` reads one of them, or raises BadReply."""
        self._member = member
        self._read_entry = read_entry
        self._known: Mapping[bytes, Mapping[str, Json]] = {}

    def reader(self, call: Callable[[Mapping[str, str]], Reply]) -> Callable[[Mapping[str, str]], Mapping[str, Json]]:
        """A function that reads the pages of one list: `call` gets the parameters of each. Entries become jobs.

        It raises BadReply for a page that is not JSON or has an entry that cannot be read, and what `call` raises.
        """
        known, pages = self._known, {}

        def read(chosen: Mapping[str, str]) -> Mapping[str, Json]:
            reply = call(chosen)
            key = hashlib.sha256(reply.body).digest()
            pages[key] = known.get(key) or self._page(reply)
            self._known = pages
            return pages[key]

        return read

    def _page(self, reply: Reply) -> Mapping[str, Json]:
        page = reply.json_object()
        entries = page.get(self._member)
        # What is no page of this list is left for the reader of lists, which says what it is.
        if isinstance(entries, list) and "error" not in page:
            return {**page, self._member: [self._read_entry(entry) for entry in entries]}
        return page
