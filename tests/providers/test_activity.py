"""Progress of slow work: calls with the bytes received, waits for the API, and retries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx

from batchctl.model.activity import Flow
from batchctl.model.observing import Ending, TokenUse, Work, observed
from tests.providers.test_gemini_file_upload import GIVEN, Processed, upload_of
from tests.support.scripted_api import JOB, MovedClock, Script, operation, provider, reply, rpc_error


class Noted:
    """Records all progress events."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open: list[str] = []
        self.bytes = 0
        self.expected = 0
        self.again: list[tuple[str, float]] = []

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Flow]:
        self.begun.append(what)
        self.open.append(what)
        try:
            yield self
        finally:
            self.open.remove(what)

    def add(self, size: int) -> None:
        self.bytes += size

    def expect(self, total: int) -> None:
        self.expected = total

    def observing(self, work: Work) -> AbstractContextManager[Ending]:
        return observed((), work)

    def used(self, tokens: TokenUse) -> None:
        raise AssertionError(tokens)

    def trying_again(self, why: str, seconds: float) -> None:
        self.again.append((why, seconds))


def test_a_call_is_under_way_until_its_answer_is_read_and_its_bytes_are_counted() -> None:
    noted, body = Noted(), operation()
    seen: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(list(noted.open))
        return reply(body)

    provider(answer, activity=noted).get_job(JOB)
    assert seen == [["batches.get at generativelanguage.googleapis.com"]]
    assert noted.open == []
    assert noted.bytes == noted.expected == len(reply(body).content)


def test_a_retry_reports_its_reason_and_time() -> None:
    noted, clock = Noted(), MovedClock()
    script = Script(rpc_error(503, "UNAVAILABLE", "overloaded"), httpx.ConnectError("no route"), reply({}))
    list(provider(script, clock, activity=noted).list_jobs())
    assert [seconds for _, seconds in noted.again] == clock.sleeps
    first, second = (why for why, _ in noted.again)
    assert "overloaded" in first
    assert "batches.list" in second
    assert noted.open == []


def test_the_wait_for_a_file_is_named() -> None:
    noted = Noted()
    given = provider(Processed(3, "ACTIVE", expirationTime=GIVEN[1].isoformat()), activity=noted).upload_file(
        upload_of([b"x"], 1)
    )
    assert given == GIVEN
    assert "waiting until the API has processed files/abc" in noted.begun
    assert noted.open == []
