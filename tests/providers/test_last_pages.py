"""Pages of a list that are as they were are not read again; all others are."""

from __future__ import annotations

import json

import httpx
import pytest

from batchctl.model.errors import BadReply
from batchctl.providers.http.calls import Reply
from batchctl.providers.last_pages import LastPages

FIRST = {"jobs": ["a", "b"], "nextPageToken": "2"}
SECOND = {"jobs": ["c"]}


class Service:
    """Answers with pages, and counts the entries that are read."""

    def __init__(self):
        self.pages = [FIRST, SECOND]
        self.read = []
        self.kept = LastPages("jobs", self.entry)

    def entry(self, name):
        if name == "broken":
            raise BadReply("an entry that is no job")
        self.read.append(name)
        return object()

    def listing(self):
        read = self.kept.reader(lambda chosen: self.reply(self.pages[int(chosen["page"])]))
        return [read({"page": str(number)}) for number in range(len(self.pages))]

    def reply(self, page):
        return Reply("jobs.list", httpx.Headers(), json.dumps(page).encode())


@pytest.fixture
def service():
    return Service()


def test_what_is_as_it_was_is_not_read_again(service):
    first = service.listing()
    assert [len(page["jobs"]) for page in first] == [2, 1]
    assert (first[0]["nextPageToken"], service.read) == ("2", ["a", "b", "c"])
    second = service.listing()
    assert second == first
    assert service.read == ["a", "b", "c"]


def test_a_changed_page_is_read(service):
    service.listing()
    service.pages[1] = {"jobs": ["d"]}
    service.listing()
    assert service.read == ["a", "b", "c", "d"]
    service.pages = [FIRST, SECOND]
    service.listing()
    assert service.read == ["a", "b", "c", "d", "c"], "only the last list is kept"


def test_an_entry_that_cannot_be_read_is_an_error_each_time(service):
    service.pages = [{"jobs": ["a", "broken"]}]
    for _ in range(2):
        with pytest.raises(BadReply):
            service.listing()


@pytest.mark.parametrize("page", [{}, {"error": {}, "jobs": ["a"]}, {"jobs": {"a": 1}}, {"other": 1}])
def test_what_is_no_page_of_the_list_is_passed_on(service, page):
    service.pages = [page]
    assert service.listing() == [page]
    assert service.read == []
