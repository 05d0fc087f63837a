"""Connections to PostgreSQL, and transactions on them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from batchctl.model.codes import ErrorCode
from batchctl.model.database_url import DatabaseUrl
from batchctl.model.errors import BatchctlError, StateError

if TYPE_CHECKING:  # loaded only where a server is called
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]
    Cursor = psycopg.Cursor[tuple[Any, ...]]

T = TypeVar("T")

OLDEST_SERVER = 140000
"""The oldest release that its makers still mended when this was written."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
"""Seconds between tries after a connection was lost: a failover takes that long."""
FIRST_PAUSES = PAUSES[:3]
"""The same for a server that has not answered yet: it may start again at the moment, or its name may be wrong."""
_SETTINGS = """
    SELECT set_config('lock_timeout', '10s', true),
           set_config('idle_in_transaction_session_timeout', '10s', true),
           set_config('statement_timeout', '0', true),
           CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
                THEN set_config('synchronous_commit', 'on', true) END
"""
"""For each transaction, because a pooler may give it another session. A suspended process must not keep others from
the row, and a commit that the server confirms must outlive the server's memory."""
SILENCE_SECONDS = 60.0
"""The longest time for a transaction of a few records; after it, the connection is cut."""
LONG_SECONDS = 1800.0
"""The same for a transaction with all records."""


class Server:
    """Opens connections. Nothing is called before the first one."""

    def __init__(self, url: DatabaseUrl, address: str) -> None:
        self.url = url
        self.address = address
        self.has_answered = False
        """Whether it has ever answered: then a lost connection is worth a few tries."""

    def connect(self) -> Connection:
        """Open a connection. Raises psycopg.OperationalError, and StateError for a server that cannot be used."""
        psycopg = load_psycopg(self.address)
        connection: Connection = psycopg.connect(**self._parameters())
        try:
            _check(connection, self.address)
        except BaseException:
            connection.close()
            raise
        self.has_answered = True
        return connection

    def _parameters(self) -> dict[str, Any]:
        from psycopg.conninfo import conninfo_to_dict

        found: dict[str, Any] = conninfo_to_dict(self.url.server)
        found.setdefault("fallback_application_name", "batchctl")
        if "PGCONNECT_TIMEOUT" not in os.environ:
            found.setdefault("connect_timeout", 10)
        keepalive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 15_000}
        # No prepared statements: a pooler may give each transaction another session.
        return {**keepalive, **found, "client_encoding": "UTF8", "autocommit": True, "prepare_threshold": None}


def load_psycopg(address: str) -> Any:  # noqa: ANN401 - a module
    """Import psycopg. Raises BatchctlError if it, or libpq, is not installed."""
    try:
        import psycopg
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "psycopg"
        problem = "is not installed" if is_missing else f"cannot be loaded: {str(error).partition(chr(10))[0]}"
        raise BatchctlError(
            f"the state {address} needs psycopg, which {problem}",
            code=ErrorCode.MISSING_LIBRARY,
            hint="`pip install '.[postgres]'` in the clone of batchctl, or `pip install 'psycopg[binary]'` beside it",
        ) from error
    return psycopg


def is_direct(connection: Connection) -> bool:
    """Whether the session belongs to this connection alone. A pooler between them shows another process."""
    found = connection.execute("SELECT pg_backend_pid()").fetchone()
    return found is not None and found[0] == connection.info.backend_pid


def _check(connection: Connection, address: str) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        message = f"the server of the state {address} is PostgreSQL {version // 10000}"
        raise StateError(
            message, code=ErrorCode.STATE_FAILED, hint=f"batchctl needs PostgreSQL {OLDEST_SERVER // 10000} or newer"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StateError(
            f"the database of the state {address} has the encoding {encoding}, which cannot hold all texts",
            code=ErrorCode.STATE_FAILED,
            hint="name a database with the encoding UTF8",
        )


@contextmanager
def transaction(connection: Connection, seconds: float = SILENCE_SECONDS) -> Iterator[Cursor]:
    """One transaction that ends after `seconds` at the latest, also if the server says nothing more."""
    with _deadline(connection, seconds), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        yield cursor


@contextmanager
def _deadline(connection: Connection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: Connection) -> None:
    """End a connection under a call that waits: it fails with OperationalError."""
    try:
        handle = os.dup(connection.fileno())
    except (OSError, connection.OperationalError):
        return  # it is closed
    with socket.socket(fileno=handle) as line, suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


class Link:
    """One connection, opened when it is needed, and again after it was lost. Not thread-safe."""

    def __init__(self, server: Server, sleep: Callable[[float], None]) -> None:
        self.server = server
        self.opened = 0
        """How often it was opened."""
        self._sleep = sleep
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], T], pauses: Sequence[float] = PAUSES) -> T:
        """Do work on the connection, and again on a new one if the connection is lost. Raises StateError.

        A server that has never answered is tried for a few seconds, and once if it refuses the connection.
        """
        psycopg = load_psycopg(self.server.address)
        from batchctl.state.postgres.errors import from_server, is_absence, is_transient

        tries = 0
        while True:
            try:
                return work(self._open())
            except psycopg.Error as error:
                self.close()
                known = self.server.has_answered
                left = (pauses if known else [pause for pause in FIRST_PAUSES if pauses])[tries:]
                if not left or not (is_transient(error) if known else is_absence(error)):
                    raise from_server(self.server.address, error) from error
            tries += 1
            self._sleep(left[0])

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self.server.connect()
            self.opened += 1
        return self._connection
