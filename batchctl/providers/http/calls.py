"""One HTTP call and its reply, as plain values."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from msgspec import Struct, field

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.providers.http.watch import Pace
from batchctl.providers.untrusted_text import parse_json

JSON_LIMIT = 64 * 2**20
"""Bytes of a JSON reply, which is read into memory."""
PROXY_HINT = "a proxy or gateway answers instead of the API: check the endpoint and the proxy"
MOST_NODES = 1_000_000
"""Objects and lists in a JSON reply: a text of empty lists takes thirty times its size in memory."""


class Timeouts(Struct, frozen=True):
    """Time limits of a call in seconds. `total` limits the complete call, even if bytes keep arriving."""

    connect: float = 10.0
    read: float = 60.0
    """The longest pause between two reads or writes."""
    total: float = 120.0
    pace: Pace | None = None
    """The minimum transfer rate of a body of any size; None for a reply that is read in one piece."""


def transfer(patience: float) -> Timeouts:
    """For a body of any size, which may take hours if it keeps moving. `patience`: seconds without notable progress."""
    return Timeouts(read=120.0, total=7200.0, pace=Pace(seconds=min(Pace().seconds, patience)))


class Call(Struct, frozen=True):
    """One HTTP call. `target` is a path below the endpoint's root, or an absolute URL, which gets no credentials."""

    what: str
    """The method's name in messages, such as `batches.list`."""
    method: str
    target: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeouts: Timeouts = Timeouts()
    limit: int = JSON_LIMIT
    """Bytes of the reply after decompression, at most."""
    most_nodes: int = MOST_NODES
    """Objects and lists in the reply, at most, if it is read as JSON."""
    accepted: frozenset[int] = frozenset()
    """HTTP statuses besides 2xx that count as success."""
    root_prefix: str = ""
    """A prefix of the root path, such as `/upload`; usually empty."""


class Reply(Struct, frozen=True):
    """A successful reply, read completely."""

    what: str
    headers: httpx.Headers
    body: bytes
    http: int = 200
    most_nodes: int = MOST_NODES

    def json_object(self) -> dict[str, Json]:
        """The body as a JSON object. Raises BadReply for anything else, and for too many values."""
        if self.body.count(b"[") + self.body.count(b"{") > self.most_nodes:
            raise BadReply(f"{self.what}: the reply has more than {self.most_nodes:,} objects and lists")
        try:
            value = parse_json(self.body)
        except ValueError as exc:
            hint = PROXY_HINT if self.body.lstrip().startswith(b"<") else ""
            raise BadReply(f"{self.what}: the reply is not JSON", hint=hint) from exc
        if not isinstance(value, dict):
            raise BadReply(f"{self.what}: the reply is not a JSON object")
        return value
