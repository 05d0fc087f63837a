"""Errors of PostgreSQL as StateErrors with a hint. Raised while psycopg is loaded."""

from __future__ import annotations

import psycopg

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError

_REFUSED = "42501"
_READ_ONLY = "25006"
_NOT_OURS = frozenset({"42P01", "42703"})
"""A table or a column is missing."""
_FULL = frozenset({"53100"})
_AGAIN = frozenset({"40001", "40P01", "53300", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "55P03"})
"""Another try may succeed: a conflict, too many connections, a server that stops or starts, an ended session, a row
that another transaction has."""
_CONNECTION = "08"


def is_transient(error: psycopg.Error) -> bool:
    """Whether the same work may succeed on a new connection."""
    state = error.sqlstate
    if state is None:
        # libpq's own: no server, or no connection any more.
        return isinstance(error, psycopg.OperationalError)
    return state in _AGAIN or state.startswith(_CONNECTION)


def is_absence(error: psycopg.Error) -> bool:
    """Whether no server took a first connection, or one that starts or stops. It refuses others with its reason."""
    if error.sqlstate is not None or isinstance(error, psycopg.errors.ConnectionTimeout):
        return False
    return "FATAL" not in str(error) or "the database system is" in str(error)


def from_server(address: str, error: psycopg.Error) -> StateError:
    """The StateError for an error of the server or of the connection."""
    words = first_line(error)
    state = error.sqlstate
    if state == _REFUSED:
        return StateError(
            f"the database refuses the state {address}: {words}",
            code=ErrorCode.STATE_PERMISSION,
            hint="use the role that owns the schema, or have one made: `CREATE SCHEMA NAME AUTHORIZATION ROLE`",
        )
    if state == _READ_ONLY:
        return StateError(
            f"the state {address} cannot be written: {words}",
            code=ErrorCode.STATE_READ_ONLY,
            hint="name the primary server; with several hosts add target_session_attrs=read-write to the URL",
        )
    if state in _FULL:
        return StateError(
            f"the disk of the server is full: nothing was written to {address}",
            code=ErrorCode.STATE_DISK_FULL,
            hint="free some space and run the command again; the state is unchanged",
        )
    if state in _NOT_OURS:
        return damaged(address, words)
    if state is None or is_transient(error):
        return unreachable(address, words)
    return StateError(
        f"the state {address} cannot be used: {words}", code=ErrorCode.STATE_FAILED, hint="see the message"
    )


def unreachable(address: str, reason: str) -> StateError:
    """The error for a server without an answer."""
    return StateError(
        f"the state {address} cannot be used: {reason}",
        code=ErrorCode.STATE_UNREACHABLE,
        hint="check server, database and user; a password comes from PGPASSWORD, PGPASSFILE or a service",
    )


def damaged(address: str, reason: str) -> StateError:
    """The error for tables that batchctl did not leave so."""
    return StateError(
        f"the state {address} is corrupt: {reason}",
        code=ErrorCode.STATE_CORRUPT,
        hint="restore a backup of the schema, or name another one with ?schema=NAME",
    )


def first_line(error: BaseException) -> str:
    """The message of the server in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
