"""The address of a state in PostgreSQL: a URL of libpq, with the parameter `schema`.

A stack file is in Git, and its author may be a stranger. So a URL has no password, and no parameter that names a file
on this machine or changes the session. Passwords come from where libpq looks for them.
Source: the documentation of libpq, "Connection URIs" and "Parameter Key Words".
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct

from batchctl.model.pattern import Pattern

SCHEMES = frozenset({"postgres", "postgresql"})
DEFAULT_SCHEMA = "batchctl"
_SCHEMA = Pattern(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_PARAMETERS = frozenset(
    {
        "application_name",
        "channel_binding",
        "connect_timeout",
        "dbname",
        "host",
        "load_balance_hosts",
        "port",
        "service",
        "sslmode",
        "target_session_attrs",
        "user",
    }
)
_NO_URL = "is not a URL of PostgreSQL"
_REFUSED = "must not have a password: set PGPASSWORD, name a file with PGPASSFILE, or name a service"


class DatabaseUrl(Struct, frozen=True):
    """Where in PostgreSQL a state is. It has no secret."""

    server: str
    """The URL for libpq."""
    schema: str
    """The schema that has the tables: lower-case letters, digits and `_`."""


def is_database_url(url: str) -> bool:
    """Whether the scheme is PostgreSQL's."""
    return url.partition("://")[0].lower() in SCHEMES


def parse_database_url(url: str) -> DatabaseUrl:
    """Raises ValueError with the reason, which has no part of a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(_NO_URL) from error
    if ":" in unquote(parts.netloc.rpartition("@")[0]):
        raise ValueError(_REFUSED)
    if parts.fragment or "/" in parts.path[1:] or re.search(r"[\s\x00-\x1f\x7f]", unquote(url)):
        raise ValueError(_NO_URL)
    given = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in given]
    for name in names:
        if name == "password":
            raise ValueError(_REFUSED)
        if name not in _PARAMETERS | {"schema"}:
            raise ValueError(f"has the parameter {name[:40]!r}: set it in a service file, or in the environment")
    if len(set(names)) < len(names):
        raise ValueError("has a parameter twice")
    schema = dict(given).get("schema", DEFAULT_SCHEMA)
    if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
        raise ValueError("needs a schema of lower-case letters, digits and _, such as schema=batchctl")
    query = urlencode([(name, value) for name, value in given if name != "schema"])
    return DatabaseUrl(f"postgresql://{parts.netloc}{parts.path}{'?' if query else ''}{query}", schema)
