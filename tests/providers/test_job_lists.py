"""Lists in large pages: fewer calls where the service keeps its word, and never a job less where it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.errors import ApiError, BadRequest, NotFound, QuotaExceeded, ReplyLost, ServerFailed
from batchctl.providers import job_lists
from batchctl.providers.http.calls import Reply
from batchctl.providers.job_lists import JobLists
from batchctl.providers.retry import Retry
from tests.support.scripted_api import MovedClock

Page = dict[str, Any]


@dataclass(frozen=True)
class Job:
    name: str


@dataclass
class Service:
    """Has jobs, newest first, and answers pages of up to `most` as it should."""

    jobs: list[str]
    answer: Callable[[Service, int, int], Page]
    """The page from a start, of a size."""
    most: int = 1000
    asked: list[tuple[int, str]] = field(default_factory=list)
    """The size and the token of each call."""

    def __call__(self, chosen: Mapping[str, str]) -> Reply:
        size, token = int(chosen["pageSize"]), chosen.get("pageToken", "")
        self.asked.append((size, token))
        page = self.answer(self, int(token or 0), size)
        return Reply("jobs.list", httpx.Headers(), json.dumps(page).encode())

    def page(self, start: int, size: int, step: int | None = None) -> Page:
        """Jobs from a start, and a token for what follows, `step` later."""
        end = start + (size if step is None else step)
        shown = self.jobs[start : start + size]
        return {"jobs": shown, "nextPageToken": str(end)} if end < len(self.jobs) else {"jobs": shown}


def reader(clock: MovedClock | None = None) -> JobLists:
    return JobLists("jobs", "jobs.list", Job, Retry(clock or MovedClock(), lambda: 0.0, elapsed=lambda: 0.0))  # type: ignore[arg-type]


def names(lists: JobLists, service: Service) -> list[str]:
    return [job.name for job in lists.read(service)]


def sizes(service: Service) -> list[int]:
    """The page sizes of the calls since the last time."""
    found = [size for size, _ in service.asked]
    service.asked.clear()
    return found


def jobs(count: int, first: int = 0) -> list[str]:
    return [f"j{number}" for number in reversed(range(first, first + count))]


def honest(service: Service, start: int, size: int) -> Page:
    return service.page(start, min(size, service.most))


def fewer_without_a_token(service: Service, start: int, size: int) -> Page:
    """Takes its own limit for the end of the list."""
    page = service.page(start, min(size, service.most))
    return {"jobs": page["jobs"]} if size > service.most else page


def fewer_and_a_gap(service: Service, start: int, size: int) -> Page:
    """Goes on where a page of the requested size would end."""
    return service.page(start, min(size, service.most), size)


def numbered(service: Service, start: int, size: int) -> Page:
    """Its tokens are the numbers of pages, whatever size these have."""
    page = service.page(start * size, size)
    return {"jobs": page["jobs"], "nextPageToken": str(start + 1)} if "nextPageToken" in page else page


def empty(service: Service, start: int, size: int) -> Page:
    return {} if size > service.most else service.page(start, size)


def empty_with_a_token(service: Service, start: int, size: int) -> Page:
    page = service.page(start, size)
    return {**page, "jobs": []} if size > service.most else page


def empty_at_the_end(service: Service, start: int, size: int) -> Page:
    """After a full page it gives a token, which may lead to an empty page."""
    size = min(size, service.most)
    shown = service.jobs[start : start + size]
    return {"jobs": shown, "nextPageToken": str(start + size)} if len(shown) == size else {"jobs": shown}


def hasty(service: Service, start: int, size: int) -> Page:
    """Gives up a large page somewhere, as if there were no more."""
    return {"jobs": service.page(start, size // 2)["jobs"]} if size > service.most else service.page(start, size)


def with_gaps(service: Service, start: int, size: int) -> Page:
    """Each page, of any size, comes after an empty one."""
    begin, is_gap = divmod(start, 2)
    if not is_gap:
        return {"nextPageToken": str(start + 1)}
    page = service.page(begin, size)
    return {**page, "nextPageToken": str(2 * (begin + size))} if "nextPageToken" in page else page


def with_a_gap(service: Service, start: int, size: int) -> Page:
    """After the first page, of any size, comes an empty one. Tokens of jobs are even."""
    begin, is_last = divmod(start, 2)
    if start and not is_last:
        return {"nextPageToken": str(start + 1)}
    page = service.page(begin, size)
    return {**page, "nextPageToken": str(2 * (begin + size) + bool(start))} if "nextPageToken" in page else page


def of_other_jobs(service: Service, start: int, size: int) -> Page:
    """Large pages come from a copy that lags."""
    if size <= service.most:
        return service.page(start, size)
    return Service(service.jobs[len(service.jobs) // 3 :], honest).page(start, size)


def no_list(service: Service, start: int, size: int) -> Page:
    return {"message": "too much"} if size > service.most else service.page(start, size)


def refuses(error: Callable[[], ApiError]) -> Callable[[Service, int, int], Page]:
    def answer(service: Service, start: int, size: int) -> Page:
        if size > service.most:
            raise error()
        return service.page(start, size)

    return answer


def refusal() -> ApiError:
    return BadRequest("jobs.list: page_size is too large", http=400)


def failure() -> ApiError:
    return ServerFailed("jobs.list: deadline", http=504)


def lost() -> ApiError:
    return ReplyLost("jobs.list: too slow")


ANSWERS = {
    "honest": honest,
    "fewer without a token": fewer_without_a_token,
    "fewer and a gap": fewer_and_a_gap,
    "numbered pages": numbered,
    "empty": empty,
    "empty with a token": empty_with_a_token,
    "empty at the end": empty_at_the_end,
    "hasty": hasty,
    "with gaps": with_gaps,
    "with a gap": with_a_gap,
    "of other jobs": of_other_jobs,
    "no list": no_list,
    "refuses": refuses(refusal),
    "fails": refuses(failure),
    "is too slow": refuses(lost),
}
WRONG = sorted(ANSWERS.keys() - {"honest", "numbered pages", "empty at the end", "with gaps", "with a gap"})


@pytest.mark.parametrize(
    ("count", "first", "later"),
    [
        (0, [100], [100]),
        (1, [100], [100]),
        (100, [100], [100]),
        (101, [100, 1000, 100], [101]),
        (250, [100, 1000, 100, 100], [250]),
        (301, [100, 1000, 300, 300], [301]),
        (999, [100, 1000, 998, 998], [999]),
        (1000, [100, 1000], [1000]),
        (1001, [100, 1000, 1000], [1000, 1000]),
        (2500, [100, 1000, 1000, 1000], [1000, 1000, 1000]),
    ],
)
def test_the_pages_of_an_honest_service(count: int, first: list[int], later: list[int]) -> None:
    lists, service = reader(), Service(jobs(count), honest)
    assert names(lists, service) == service.jobs
    assert sizes(service) == first
    for _ in range(3):
        assert names(lists, service) == service.jobs
        assert sizes(service) == later
        assert lists.calls(count) == len(later)


@pytest.mark.parametrize("answer", WRONG)
@pytest.mark.parametrize("most", [100, 250, 400])
@pytest.mark.parametrize("count", [101, 260, 2500])
def test_what_is_odd_is_read_in_small_pages(answer: str, most: int, count: int) -> None:
    lists, service = reader(), Service(jobs(count), ANSWERS[answer], most)
    small = -(-count // 100)
    for _ in range(7):
        assert names(lists, service) == service.jobs
        assert len(sizes(service)) <= small + 3
    # Whatever it does, it costs a few lists; then all is at least as good as without large pages.
    assert names(lists, service) == service.jobs
    assert len(service.asked) <= small
    assert lists.calls(count) <= small


@pytest.mark.parametrize(
    ("answer", "most"), [(honest, 101), (honest, 250), (honest, 999), (fewer_without_a_token, 400)]
)
def test_a_service_that_gives_fewer_is_asked_for_as_many(
    answer: Callable[[Service, int, int], Page], most: int
) -> None:
    lists, service = reader(), Service(jobs(2500), answer, most)
    for _ in range(2):
        assert names(lists, service) == service.jobs
    for _ in range(2):
        sizes(service)
        assert names(lists, service) == service.jobs
        assert sizes(service) == [most] * -(-2500 // most)


def test_a_refused_size_is_not_requested_again() -> None:
    lists, service = reader(), Service(jobs(250), refuses(refusal), 100)
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 1000, 100, 100]
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 100, 100]


@pytest.mark.parametrize("error", [failure, lost])
def test_a_failure_of_a_large_page_is_repeated_once(error: Callable[[], ApiError]) -> None:
    lists, service = reader(), Service(jobs(250), refuses(error), 100)
    for _ in range(3):
        assert names(lists, service) == service.jobs
        assert sizes(service) == [100, 1000, 1000, 100, 100]
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 100, 100]


def test_a_failure_that_passes_changes_nothing_for_long() -> None:
    lists, service = reader(), Service(jobs(2500), honest)
    assert names(lists, service) == service.jobs
    for _ in range(5):
        service.answer = refuses(failure)
        service.most = 100
        assert names(lists, service) == service.jobs
        assert lists.calls(2500) == 25
        sizes(service)
        service.answer, service.most = honest, 1000
        assert names(lists, service) == service.jobs
        assert sizes(service) == [100, 1000, 1000, 1000]
        assert lists.calls(2500) == 3
        assert names(lists, service) == service.jobs
        assert sizes(service) == [1000, 1000, 1000]


@pytest.mark.parametrize("error", [NotFound("x", http=404), QuotaExceeded("x", http=429), failure()])
@pytest.mark.parametrize("first", [0, 100])
def test_what_fails_in_small_pages_too_fails(error: ApiError, first: int) -> None:
    def answer(service: Service, start: int, size: int) -> Page:
        if start >= first or size > 100:
            raise error
        return service.page(start, size)

    service = Service(jobs(250), answer)
    with pytest.raises(type(error)):
        names(reader(), service)


def test_an_outage_is_no_reason_for_small_pages() -> None:
    lists, service = reader(), Service(jobs(2500), honest)
    assert names(lists, service) == service.jobs
    service.answer, service.most = refuses(failure), 0
    for _ in range(5):
        with pytest.raises(ServerFailed):
            names(lists, service)
    service.answer, service.most = honest, 1000
    assert names(lists, service) == service.jobs
    sizes(service)
    assert names(lists, service) == service.jobs
    assert sizes(service) == [1000, 1000, 1000]


def test_a_large_page_leaves_time_for_small_ones() -> None:
    """The service answers large pages never; what waits for them ends by the time that is left."""
    now = [0.0]
    left = []

    def slow(service: Service, start: int, size: int) -> Page:
        if size > 100:
            left.append(job_lists.in_force().left())
            now[0] += left[-1]
            raise lost()
        now[0] += 1.0
        return service.page(start, size)

    retry = Retry(MovedClock(), lambda: 0.0, total=100.0, elapsed=lambda: now[0])
    service = Service(jobs(400), slow)
    lists = JobLists("jobs", "jobs.list", Job, retry)  # type: ignore[arg-type]
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 1000, 100, 100, 100]
    assert left == [49.5]


def test_a_list_that_grows_is_confirmed_again() -> None:
    """That a page of 150 was all does not say that one of 500 is."""
    lists, service = reader(), Service(jobs(150), fewer_without_a_token, 500)
    assert names(lists, service) == service.jobs
    assert names(lists, service) == service.jobs
    assert sizes(service)[-1] == 150
    for _ in range(2):
        service.jobs = jobs(800)
        assert names(lists, service) == service.jobs


def test_a_list_that_grows_gets_larger_pages() -> None:
    lists, service = reader(), Service(jobs(400), honest)
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 1000, 399, 399]
    for count, expected in (
        (350, [400, 349, 349]),
        (350, [350]),
        (351, [350, 350]),
        (400, [100, 1000, 399, 399]),
        (150, [400, 100, 100]),
        (400, [150, 150, 150]),
        (400, [100, 1000, 399, 399]),
        (400, [400]),
        (401, [400, 400]),
        (401, [100, 1000, 400, 400]),
        (1000, [401, 401, 401]),
        (1000, [100, 1000]),
        (1200, [1000, 1000]),
        (2000, [1000, 1000]),
        (50, [1000, 100]),
        (50, [100]),
        (150, [100, 1000, 100]),
        (0, [150, 100]),
        (0, [100]),
    ):
        service.jobs = jobs(count)
        assert names(lists, service) == service.jobs
        assert sizes(service) == expected


def test_pages_that_are_short_from_the_start_are_left_alone() -> None:
    lists, service = reader(), Service(jobs(250), honest, 60)
    for _ in range(2):
        assert names(lists, service) == service.jobs
        assert sizes(service) == [100] * 5


def test_an_empty_page_among_others_is_asked_for_once_more() -> None:
    lists, service = reader(), Service(jobs(2500), with_a_gap)
    for _ in range(3):
        assert names(lists, service) == service.jobs
    sizes(service)
    assert names(lists, service) == service.jobs
    assert sizes(service) == [1000, 1000, 100, 1000, 1000]


def test_a_service_that_has_failed_is_believed_no_more_than_at_first() -> None:
    lists, service = reader(), Service(jobs(2500), honest)
    assert names(lists, service) == service.jobs
    for answer, most in ((refuses(failure), 100), (fewer_without_a_token, 400)):
        service.answer, service.most = answer, most
        assert names(lists, service) == service.jobs


def test_a_token_that_ends_says_nothing_about_the_size() -> None:
    lists, service = reader(), Service(jobs(2500), honest)

    def answer(service: Service, start: int, size: int) -> Page:
        if start == 1000:
            service.answer = honest
            raise refusal()
        return honest(service, start, size)

    service.answer = answer
    assert names(lists, service) == service.jobs
    sizes(service)
    assert names(lists, service) == service.jobs
    assert sizes(service) == [100, 1000, 1000, 1000]


@pytest.mark.parametrize("gone", ["j2499", "j2450", "j2000", "j1", "j0"])
def test_a_job_that_goes_meanwhile_takes_no_other_with_it(gone: str) -> None:
    """Tokens are positions, so that what follows moves up."""
    for number in range(6):
        service = Service(jobs(2500), honest)

        def answer(service: Service, start: int, size: int, number: int = number) -> Page:
            page = honest(service, start, size)
            if len(service.asked) == number and gone in service.jobs:
                service.jobs.remove(gone)
            return page

        service.answer = answer
        lists = reader()
        found = [set(names(lists, service)) for _ in range(3)]
        # Of small pages it is the same: what moves up past the end of a page that was read is missed by the next one.
        assert all(len(set(jobs(2500)) - one) <= 2 for one in found)
        assert found[-1] == set(service.jobs)


KEPT = st.tuples(st.sampled_from(sorted(ANSWERS)), st.integers(4, 20), st.lists(st.integers(0, 70), min_size=1))
PLAIN = sorted(ANSWERS.keys() - {"of other jobs"})
"""Each list of such a service shows by itself whether it may lack jobs."""
CHANGED = st.lists(st.tuples(st.sampled_from(PLAIN), st.integers(4, 20), st.integers(0, 70)), min_size=1)


def read_each(services: Iterable[Service]) -> None:
    """Read lists in a row, in pages of 4 and 20, so that lists of all kinds are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_lists, "SMALL", 4)
        patch.setattr(job_lists, "LARGE", 20)
        lists = reader()
        for service in services:
            assert names(lists, service) == service.jobs


@settings(max_examples=200, deadline=None)
@given(kept=KEPT)
def test_a_list_has_all_jobs_while_their_number_changes(kept: tuple[str, int, list[int]]) -> None:
    answer, most, counts = kept
    read_each(Service(jobs(count), ANSWERS[answer], most) for count in counts)


@settings(max_examples=200, deadline=None)
@given(changed=CHANGED)
def test_a_list_has_all_jobs_while_the_service_changes(changed: list[tuple[str, int, int]]) -> None:
    read_each(Service(jobs(count), ANSWERS[answer], most) for answer, most, count in changed)
