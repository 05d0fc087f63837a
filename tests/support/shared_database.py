"""A state in a real PostgreSQL, seen by several processes, over lines that break on demand."""

from __future__ import annotations

import itertools
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from batchctl.state.migrations import Identity
from batchctl.state.postgres.held_row import Leases
from batchctl.state.postgres.place import PostgresPlace
from batchctl.state.shared.lease import Lease
from batchctl.state.shared.store import LockTerms, SharedState
from tests.support.postgres_server import PostgresServer
from tests.support.state_samples import HandClock

_NUMBERS = itertools.count(1)
COMMIT = b"COMMIT\0"
UNIT = 100
"""Seconds of the server's clock for each second of a test: what really passes meanwhile is next to nothing."""


def _leases(clock: Callable[[], float]) -> Leases:
    usual = Leases(clock)
    return Leases(clock, UNIT * usual.connected, Lease(UNIT * usual.alone.seconds))


class Database:
    """One schema for one state. Time passes only by `later`."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.schema = f"state_{next(_NUMBERS)}"
        self.clock = HandClock()
        self.seconds = 0.0
        self.places: list[PostgresPlace] = []

    @property
    def url(self) -> str:
        return self.server.url(schema=self.schema)

    def close(self) -> None:
        for place in self.places:
            place.close()

    def place(self, url: str | None = None) -> PostgresPlace:
        place = PostgresPlace(url or self.url, self.clock.sleep, _leases(lambda: self.seconds))
        self.places.append(place)
        return place

    def state(self, who: str = "ada", url: str | None = None, **more: object) -> SharedState:
        identity = Identity(str(more.pop("stack", "demo")), "abc123")
        return SharedState(self.place(url), identity, self.clock, who, LockTerms(**more))  # type: ignore[arg-type]

    def later(self, seconds: float) -> None:
        """Let time pass for the server and for the processes."""
        self.seconds += UNIT * seconds
        self.sql(f"UPDATE {self.schema}.lock SET renewed = renewed - interval '{UNIT * seconds} seconds'")

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement as an administrator."""
        with psycopg.connect(self.server.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def cut_all(self) -> None:
        """End all sessions of batchctl, as an administrator or a failover does."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'batchctl'")


class Line:
    """A socket in front of the server's. `on_commit` is called with each COMMIT, before it is passed on.

    What it returns says what happens: pass it on, cut before it, cut after its reply, or keep it back.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._target = str(server.folder / f".s.PGSQL.{server.port}")
        self.folder = Path(tempfile.mkdtemp(prefix="bpl-", dir="/tmp"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / f".s.PGSQL.{server.port}"))
        self._listener.listen(50)
        self.port = server.port
        self.on_commit: Callable[[], str] = lambda: "pass"
        self.kept: list[tuple[socket.socket, bytes]] = []
        self.is_silent = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, schema: str) -> str:
        return f"postgresql://tester@/postgres?host={self.folder}&port={self.port}&schema={schema}"

    def deliver(self) -> None:
        """Pass on the COMMITs that were kept back."""
        for line, data in self.kept:
            line.sendall(data)
            _half_end(line)
            self._sockets.append(line)
        self.kept.clear()

    def cut(self) -> None:
        """Cut all connections."""
        for one in self._sockets:
            _end(one)
        self._sockets.clear()

    def close(self) -> None:
        _end(self._listener)
        self.cut()
        for line, _ in self.kept:
            line.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                client.close()
                server.close()
                continue
            self._sockets += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        while data := _receive(client):
            doing = self.on_commit() if COMMIT in data else "pass"
            if doing == "keep":
                # The server sees a client that says nothing more; the client sees an end.
                self._sockets.remove(server)
                self.kept.append((server, data))
                _end(client)
                return
            if doing == "cut before":
                break
            if doing == "cut after":
                _send(server, data)
                break  # the client is gone when the reply arrives
            if self.is_silent:
                return
            _send(server, data)
        _end(client)
        _half_end(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        while data := _receive(server):
            _send(client, data)
        _end(client)


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except OSError:
        return b""


def _send(one: socket.socket, data: bytes) -> None:
    try:
        one.sendall(data)
    except OSError:
        return


def _half_end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
