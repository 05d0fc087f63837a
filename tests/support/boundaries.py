"""The moments at which a process can die, put around batchctl from outside: in the child's own process, before it runs.

A boundary is crossed before and after each COMMIT of the state, before each HTTP call is sent, after it was processed
and before anything of its reply was seen, after the reply was read, and around each rename in the stack's folder. Each
is written to the trace file first, so that a dead process tells how far it came; then, at the one that was asked for,
the process kills or stops itself.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from batchctl.providers.http.direct_line import DirectLine

CREATE_ENDINGS = (":batchGenerateContent", ":asyncBatchEmbedContent", "/batchPredictionJobs")


class Boundaries:
    """Counts the crossings of one process, from 0; at number `at` it does `how`: kill or stop."""

    def __init__(self, trace: int, at: int | None, how: str) -> None:
        self._trace = trace
        self._at = at
        self._act = {"kill": _kill, "stop": _stop}[how]
        self._lock = threading.Lock()
        self._count = 0

    def cross(self, where: str) -> None:
        with self._lock:
            number, self._count = self._count, self._count + 1
            os.write(self._trace, f"{where}\n".encode())
            if number == self._at:
                self._act()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    # To this very thread: another one might take the signal a little later, and this one would go on meanwhile.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def install(boundaries: Boundaries) -> None:
    """Put the boundaries around everything that this process does to the world."""
    _around_commits(boundaries)
    _around_calls(boundaries)
    _around_renames(boundaries)


def _around_commits(boundaries: Boundaries) -> None:
    class Traced(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *values)
            boundaries.cross("before commit")
            done = super().execute(sql, *values)
            boundaries.cross("after commit")
            return done

    connect = sqlite3.connect

    def traced(database: str, **options: Any) -> sqlite3.Connection:
        is_in_memory = database == ":memory:"
        return connect(database, **options) if is_in_memory else connect(database, factory=Traced, **options)

    sqlite3.connect = traced  # type: ignore[assignment]


def _around_calls(boundaries: Boundaries) -> None:
    send = DirectLine.handle_request

    def traced(transport: DirectLine, request: httpx.Request) -> httpx.Response:
        what = describe(request)
        boundaries.cross(f"before {what}")
        response = send(transport, request)
        boundaries.cross(f"processed {what}")
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Reply(response.stream, lambda: boundaries.cross(f"after {what}"))
        return response

    DirectLine.handle_request = traced  # type: ignore[method-assign]


class _Reply(httpx.SyncByteStream):
    """A reply's body that tells when it was read to its end."""

    def __init__(self, inner: httpx.SyncByteStream, read: Callable[[], None]) -> None:
        self._inner = inner
        self._read = read

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner
        self._read()

    def close(self) -> None:
        self._inner.close()


def describe(request: httpx.Request) -> str:
    """What a call does: create, cancel, delete, upload or read; deletes of other things than jobs are uploads' own."""
    path = request.url.path
    is_job = "/batches/" in path or "/batchPredictionJobs/" in path
    if request.method == "POST" and path.endswith(CREATE_ENDINGS):
        return "create"
    if path.endswith(":cancel"):
        return "cancel"
    if request.method == "DELETE" and is_job:
        return "delete"
    return "read" if request.method == "GET" else "upload"


def _around_renames(boundaries: Boundaries) -> None:
    for name in ("rename", "replace", "symlink"):
        setattr(os, name, _around(name, getattr(os, name), boundaries))


def _around(name: str, function: Callable[..., None], boundaries: Boundaries) -> Callable[..., None]:
    def traced(*arguments: Any, **options: Any) -> None:
        boundaries.cross(f"before {name}")
        function(*arguments, **options)
        boundaries.cross(f"after {name}")

    return traced
