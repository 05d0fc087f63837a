"""A server between batchctl and the emulator that passes calls on and mutates the replies to some of them.

The service always does what it was asked: only the way back is bad.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.patience import PATIENCE
from tests.support.reply_mutations import ENDLESS, MUTATIONS, Reply, Wire, endless_page, wire

_DRIP = 0.05
"""Seconds between two drops."""
_KINDS = (
    ("download", re.compile(r"[?&]alt=media|:download")),
    ("upload", re.compile(r"/upload/")),
    ("create", re.compile(r"^POST .*(:(batchGenerateContent|asyncBatchEmbedContent)|/batchPredictionJobs)(\?|$)")),
    ("cancel", re.compile(r":cancel")),
    ("delete", re.compile(r"^DELETE ")),
    ("list", re.compile(r"^GET .*(/batches|/batchPredictionJobs|/files|/o|/data)(\?|$)")),
)
KINDS = (*(name for name, _ in _KINDS), "get")


def kind_of(method: str, target: str) -> str:
    """What kind of call that is."""
    return next((name for name, form in _KINDS if form.search(f"{method} {target}")), "get")


@dataclass
class Trouble:
    """Which replies are mutated and how. The same seed draws the same, call by call."""

    seed: str
    mutation: str
    """A name in MUTATIONS or ENDLESS."""
    kind: str = ""
    """The kind of calls; empty: any."""
    skip: int = 0
    """So many calls of that kind are let through before."""
    most: int = 1
    """How many replies are mutated."""
    done: list[str] = field(default_factory=list)
    """The calls whose replies were."""
    dice: random.Random = field(init=False)
    _first: Reply | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.seed} {self.mutation}")

    def __str__(self) -> str:
        where = f"{self.kind or 'any'} calls, {self.skip} let through, {self.most} at most"
        return f"{self.mutation!r} on {where}; mutated: {self.done[:5]}"

    def play(self, reply: Reply, call: str) -> Wire | None:
        """The reply as it is sent; None: as it is."""
        if (self.kind and reply.what != self.kind) or len(self.done) >= self.most:
            return None
        if self.skip > 0:
            self.skip -= 1
            return None
        if self.mutation in ENDLESS:
            self._first = self._first or reply
            found = endless_page(self.mutation, self._first, len(self.done))
        else:
            found = MUTATIONS[self.mutation](self.dice, reply)
        if found is not None:
            self.done.append(call)
        return found


class MutatingProxy:
    """Listens on this machine. `trouble` may be set at any time."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.trouble: Trouble | None = None
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def mutating(target: str) -> Iterator[MutatingProxy]:
    """A proxy, for as long as it is needed."""
    proxy = MutatingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that break off are what is wanted here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: MutatingProxy

    def log_message(self, *_: Any) -> None:
        """Ignore it."""

    def _answer(self) -> None:
        with suppress(OSError):
            self._send(self._mutated())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815  the library's names

    def _mutated(self) -> Wire:
        owner = self.owner
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        trouble, kind = owner.trouble, kind_of(self.command, self.path)
        asked = parse_qs(urlsplit(self.path).query)
        token = asked.get("pageToken", [""])[0]
        reply = self._ask(kind, body, without_token=token.startswith("mutated-"))
        with owner.lock:
            found = trouble.play(reply, f"{self.command} {urlsplit(self.path).path}") if trouble else None
        return found or wire(reply)

    def _ask(self, kind: str, body: bytes, *, without_token: bool) -> Reply:
        target = re.sub(r"[?&]pageToken=mutated-[0-9]+", "", self.path) if without_token else self.path
        connection = http.client.HTTPConnection(self.owner.target, timeout=PATIENCE)
        try:
            connection.request(self.command, target, body, dict(self.headers.items()))
            came = connection.getresponse()
            return Reply(kind, came.status, tuple(came.getheaders()), came.read())
        finally:
            connection.close()

    def _send(self, sent: Wire) -> None:
        self.close_connection = sent.then != "keep"
        self.wfile.write(sent.data)
        self.wfile.flush()
        if sent.then == "drip":
            while not self.owner.stopping.wait(_DRIP):
                self.wfile.write(sent.drop)
                self.wfile.flush()
        elif sent.then == "hang":
            self.connection.settimeout(60)
            self.connection.recv(1)
        elif sent.then == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
