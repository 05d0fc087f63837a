"""Every read ends within a limited time, however slowly bytes arrive and however many pages a list claims to have."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.allowance import Allowance
from batchctl.model.ports.providers import Provider
from batchctl.providers import paging, resumable
from batchctl.providers.cloud.addresses import ObjectPath, Table
from batchctl.providers.cloud.cells import Column
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.calls import Call, Timeouts, transfer
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.watch import Pace, Watch
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.retry import Retry
from tests.support import scripted_vertex as vertex_kit
from tests.support.patience import PATIENCE
from tests.support.raw_server import Loopback, answer, drip
from tests.support.scripted_api import BASE, JOB, KEY, MovedClock, operation, provider, reply, upload_of
from tests.support.scripted_cloud import bigquery, storage
from tests.support.values import replace

HEADER = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y")
BODY = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{", b" ")
SHORT = timedelta(seconds=0.4)

pytestmark = pytest.mark.timeout(PATIENCE)
"""What these servers send never ends by itself."""


def endpoint(base: str = BASE, **options: Any) -> Endpoint:
    return Endpoint(base, ApiKey(KEY), ServerClock(MovedClock()), **options)


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """A provider with a read timeout of 0.4 seconds, on a server that sends byte by byte."""
    play = getattr(request, "param", HEADER)
    with Loopback(play) as server:
        one = provider(lambda _: reply({}), base_url=server.url, transport=None, read_timeout=SHORT)
        yield one
        one.close()


READS: dict[str, Callable[[Provider], object]] = {
    "list": lambda one: list(one.list_jobs()),
    "get": lambda one: one.get_job(JOB),
    "cancel": lambda one: one.cancel_job(JOB),
    "delete": lambda one: one.delete_job(JOB),
    "results": lambda one: list(one.read_results(JOB)),
    "uploads": lambda one: one.uploads(),
    "delete a file": lambda one: one.delete_file("files/batchctl-x"),
    "upload": lambda one: one.upload_file(upload_of([b"{}"], 2)),
}


@pytest.mark.parametrize("dripping", [HEADER, BODY], ids=["header", "body"], indirect=True)
@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_no_drip_holds_a_read_for_longer_than_its_time(dripping: Provider, read: Callable[[Provider], object]) -> None:
    with pytest.raises(errors.ReplyLost) as caught:
        read(dripping)
    assert "0.4 seconds" in caught.value.message


def test_the_message_names_the_place_the_reason_and_the_way_out(dripping: Provider) -> None:
    with pytest.raises(errors.ReplyLost) as caught:
        dripping.cancel_job(JOB)
    assert caught.value.message == (
        "batches.cancel: no complete reply: the time limit for all calls of this read was reached (0.4 seconds)"
    )
    assert "limits.readTimeout" in caught.value.hint


def test_after_its_time_nothing_is_sent() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    with Allowance(0.0).holding(), pytest.raises(errors.ConnectionFailed, match="not sent") as caught:
        provider(refuse).get_job(JOB)
    assert caught.value.effect is errors.Effect.NONE


def test_an_allowance_around_a_read_bounds_all_of_it(dripping: Provider) -> None:
    with Allowance(0.1).holding(), pytest.raises(errors.ReplyLost, match=r"0\.1 seconds"):
        list(dripping.list_jobs())


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that pass for the watch of a call, which a test moves."""
    passed = [0.0]
    monkeypatch.setattr("batchctl.providers.http.watch.time", SimpleNamespace(monotonic=lambda: passed[0]))
    return passed


def streamed(url: str, pace: Pace, came: Callable[[int], None] = lambda _size: None) -> int:
    """Read a body to its end; `came` hears of the size so far after each chunk. Gives the size."""
    one = endpoint(url)
    try:
        with one.stream(Call("w", "GET", "/x", timeouts=Timeouts(pace=pace))) as (_, chunks):
            size = 0
            for chunk in chunks:
                size += len(chunk)
                came(size)
            return size
    finally:
        one.close()


def test_a_transfer_goes_on_as_long_as_it_gets_on(passed: list[float]) -> None:
    """A kilobyte comes every 0.3 seconds, for nine seconds; the next one when the last has been read."""
    arrived = threading.Condition()
    size = 0

    def play(connection: socket.socket, _: threading.Event) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n")
        for sent in range(0, 30_000, 1000):
            with arrived:
                assert arrived.wait_for(lambda sent=sent: size == sent, PATIENCE)
            passed[0] += 0.3
            connection.sendall(b"x" * 1000)
        return True

    def came(now: int) -> None:
        nonlocal size
        with arrived:
            size = now
            arrived.notify_all()

    with Loopback(play) as server:
        assert streamed(server.url, Pace(1000, 0.5), came) == 30_000
    assert passed[0] == pytest.approx(9.0)


def test_a_transfer_that_brings_next_to_nothing_ends() -> None:
    with (
        Loopback(BODY) as server,
        pytest.raises(errors.ReplyLost, match=r"fewer than 900,000 bytes arrived within"),
    ):
        streamed(server.url, Pace(900_000, 0.2))


def test_a_reader_that_takes_its_time_is_not_the_senders_fault(passed: list[float]) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 3 + b"0\r\n\r\n"

    def came(_size: int) -> None:
        passed[0] += 0.3

    with Loopback(answer(chunks)) as server:
        assert streamed(server.url, Pace(1000, 0.2), came) == 3
    assert passed[0] == pytest.approx(0.9)


def test_the_pace_counts_what_is_waited_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = Watch(100.0, Pace(10, 5.0))
    now[0] = 4.0
    watch.came(3)
    now[0] = 50.0
    assert (watch.over(), watch.next_check()) == (False, 1.0)
    watch.wait_on()
    now[0] = 50.5
    watch.came(7)
    watch.wait_on()
    now[0] = 55.0
    assert not watch.over()
    now[0] = 55.5
    assert (watch.is_slow(), watch.over()) == (True, True)
    assert Watch(100.0).is_slow() is False


def test_a_pace_is_no_longer_than_a_read_may_take() -> None:
    assert transfer(3.0).pace == Pace(seconds=3.0)
    assert transfer(3600.0).pace == Pace()


def test_a_download_that_drips_is_not_begun_again_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")) as server:
        clock = MovedClock()
        one = endpoint(server.url)
        reading = Storage(one, Retry(clock, lambda: 0.0, total=0.3))
        with pytest.raises(errors.ReplyLost):
            list(reading.read(StoredObject(ObjectPath("b", "o"), 100_000, "1", None)))
        one.close()
        assert len(server.requests) <= 2


def test_an_upload_whose_answers_drip_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "TIMEOUTS", Timeouts(total=0.3))
    monkeypatch.setattr("batchctl.providers.gemini.file_upload.TIMEOUTS", Timeouts(total=0.3))
    plays: list[Any] = []

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        plays.append(None)
        if len(plays) > 1:
            return HEADER(connection, stop)
        address = f"http://127.0.0.1:{connection.getsockname()[1]}/bytes"
        connection.sendall(f"HTTP/1.1 200 OK\r\nX-Goog-Upload-URL: {address}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        return True

    with Loopback(play) as server:
        one = provider(lambda _: reply({}), base_url=server.url, transport=None)
        with pytest.raises(errors.ReplyLost):
            one.upload_file(upload_of([b"{}"], 2))
        one.close()
        assert len(server.requests) <= 3


def test_waiting_for_an_operation_has_one_time() -> None:
    operation = {"name": vertex_kit.OPERATION, "done": False}
    plays: list[Any] = []

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        plays.append(None)
        if len(plays) > 1:
            return HEADER(connection, stop)
        body = json.dumps(operation).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    with Loopback(play) as server:
        one = vertex_kit.provider(lambda _: reply({}), base_url=server.url, transport=None, read_timeout=SHORT)
        with pytest.raises(errors.ReplyLost):
            one.delete_job(vertex_kit.JOB)
        one.close()


class Endless:
    """An endless list with fresh tokens, and the requested entries by page number."""

    def __init__(self, kind: ListKind, entries: Callable[[int], list[Any]]) -> None:
        self.pages = 0
        self._kind = kind
        self._entries = entries

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.pages += 1
        found = {self._kind.member: self._entries(self.pages), self._kind.token: f"t{self.pages}"}
        return reply({**found, **self._kind.beside})


@dataclass(frozen=True)
class ListKind:
    """One kind of list: its members, an entry by number, and how it is read within a given time."""

    member: str
    token: str
    entry: Callable[[int], Any]
    read: Callable[[Endless, float], object]
    beside: Mapping[str, Any] = field(default_factory=dict)


def patient(seconds: float) -> Retry:
    return Retry(MovedClock(), lambda: 0.5, total=seconds)


KINDS: dict[str, ListKind] = {
    "batches": ListKind(
        "operations",
        "nextPageToken",
        lambda number: operation(name=f"batches/{number:036x}"),
        lambda script, seconds: list(provider(script, read_timeout=timedelta(seconds=seconds)).list_jobs()),
    ),
    "jobs": ListKind(
        "batchPredictionJobs",
        "nextPageToken",
        lambda number: vertex_kit.job(name=f"{vertex_kit.PLACE}/batchPredictionJobs/{number}"),
        lambda script, seconds: list(vertex_kit.provider(script, read_timeout=timedelta(seconds=seconds)).list_jobs()),
    ),
    "objects": ListKind(
        "items",
        "nextPageToken",
        lambda number: {"name": f"p/{number}", "size": "1", "generation": "1"},
        lambda script, seconds: list(storage(script, patience=patient(seconds)).list(ObjectPath("bucket", "p/"))),
    ),
    "files": ListKind(
        "files",
        "nextPageToken",
        lambda number: {"name": f"files/{number}"},
        lambda script, seconds: provider(script, read_timeout=timedelta(seconds=seconds)).uploads(),
    ),
    "rows": ListKind(
        "rows",
        "pageToken",
        lambda number: {"f": [{"v": str(number)}]},
        # A stream may go on while whole pages of entries come in time: each page of one entry takes a millisecond.
        lambda script, seconds: list(
            bigquery(script, patience=replace(patient(seconds), elapsed=lambda: script.pages / 1000)).rows(
                Table("p", "d", "t"), COLUMNS
            )
        ),
        {"totalRows": "5"},
    ),
}
COLUMNS = [Column("x", "STRING", repeated=False, fields=())]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_same_page_under_fresh_tokens(kind: ListKind) -> None:
    script = Endless(kind, lambda _: [kind.entry(1)])
    with pytest.raises(errors.BadReply, match="the same page came 11 times under different tokens"):
        kind.read(script, 60.0)
    assert script.pages == 11


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(
    "entries",
    [lambda _: [], lambda page: [page], lambda page: [page % 2]],
    ids=["empty pages", "one new entry", "two pages in turn"],
)
def test_no_list_goes_on_for_longer_than_its_time(
    kind: ListKind, entries: Callable[[int], list[int]], passed: list[float]
) -> None:
    """The watch of each call stands still: the time of the list ends it, whose last call has next to none left."""
    script = Endless(kind, lambda page: [kind.entry(number) for number in entries(page)])
    with pytest.raises(errors.ApiError, match=r"0\.2 seconds") as caught:
        kind.read(script, 0.2)
    assert "limits.readTimeout" in caught.value.hint


def test_a_list_that_ends_in_time_with_its_last_page_is_complete() -> None:
    passed = [0.0]

    def slow(_: httpx.Request) -> httpx.Response:
        passed[0] += 5.0
        last = {"items": [{"name": "p/1", "size": "1", "generation": "1"}]}
        return reply(last if passed[0] >= 10.0 else {**last, "nextPageToken": "t"})

    patience = replace(patient(8.0), elapsed=lambda: passed[0])
    assert len(list(storage(slow, patience=patience).list(ObjectPath("bucket", "p/")))) == 1


def test_rows_may_come_for_any_time_as_long_as_they_come() -> None:
    kind = KINDS["rows"]

    passed = [0.0]

    def some(page: int) -> list[Any]:
        passed[0] += 20.0
        return [kind.entry(number) for number in range(page * 1000, page * 1000 + size)]

    def read() -> list[Any]:
        patience = replace(patient(300.0), elapsed=lambda: passed[0])
        rows = bigquery(Endless(kind, some), patience=patience).rows(Table("p", "d", "t"), COLUMNS)
        return list(itertools.islice(rows, 20_000))

    size = 1000
    assert len(read()) == 20_000
    size = 1
    with pytest.raises(errors.ReplyLost, match="within 300 seconds"):
        read()


def test_a_list_that_is_held_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_MAX_ENTRIES", 5)
    kind = KINDS["batches"]
    with pytest.raises(errors.BadReply, match="more than 5 entries"):
        kind.read(Endless(kind, lambda page: [kind.entry(2 * page), kind.entry(2 * page + 1)]), 60.0)


def test_all_pages_of_a_list_have_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_MAX_BYTES", 5000)
    kind = KINDS["files"]
    script = Endless(kind, lambda page: [{"name": f"files/{page}", "displayName": "x" * 1000}])
    with pytest.raises(errors.BadReply, match="all pages together are larger than 5,000 bytes"):
        kind.read(script, 60.0)
    assert script.pages == 5


def test_an_object_that_comes_twice_is_one() -> None:
    item = {"name": "p/1", "size": "1", "generation": "1"}
    answers = [{"items": [item], "nextPageToken": "t"}, {"items": [item]}]
    assert len(list(storage(lambda _: reply(answers.pop(0))).list(ObjectPath("bucket", "p/")))) == 1


def test_a_page_of_nothing_but_lists_is_not_taken_apart() -> None:
    body = b'{"operations": [], "x": [' + b"[]," * 1_000_000 + b"0]}"
    with pytest.raises(errors.BadReply, match="more than 1,000,000 objects and lists"):
        list(provider(lambda _: httpx.Response(200, content=body)).list_jobs())
