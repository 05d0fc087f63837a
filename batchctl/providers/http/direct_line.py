"""A line for one call at a time, over one connection of httpcore, whose errors are those of httpx.

httpx's own transport has a pool for many threads, and sends the head and the body of a request one after the other.
Without either, a call takes a quarter less of the processor, and wakes the other side once.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import httpcore
import httpx

_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
_JOINED = 64 * 1024
"""Bytes up to which what is written waits for what follows: the request of a create call is rarely larger."""


class DirectLine(httpx.BaseTransport):
    """Not for two threads at once, but for `close`."""

    def __init__(self, tls: ssl.SSLContext, keepalive_expiry: float | None) -> None:
        self._tls = tls
        self._keepalive_expiry = keepalive_expiry
        self._connection: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request once; the body of the reply is not read yet. Raises httpx's errors."""
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"the address has the scheme {url.scheme!r}")
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        assert isinstance(request.stream, httpx.SyncByteStream)
        connection, extensions = self._kept_for(target.origin), dict(request.extensions)
        if connection is None:
            connection = self._connect_to(target.origin)
        else:
            # It opens no socket, and other events are not asked for: there are ten of them in a call.
            extensions.pop("trace", None)
        sent = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=request.stream, extensions=extensions
        )
        try:
            reply = connection.handle_request(sent)
        except _ERRORS as error:
            raise _as_httpx(error) from error
        body = _Body(reply.stream)
        return httpx.Response(reply.status, headers=reply.headers, stream=body, extensions=reply.extensions)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _kept_for(self, origin: httpcore.Origin) -> httpcore.HTTPConnection | None:
        """The open connection, if it goes there and can be used again."""
        kept = self._connection
        if kept is not None and kept.can_handle_request(origin) and kept.is_available() and not kept.has_expired():
            return kept
        return None

    def _connect_to(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        """A new connection in place of the last one."""
        self.close()
        self._connection = httpcore.HTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=self._keepalive_expiry, network_backend=_Backend()
        )
        return self._connection


class _Backend(httpcore.SyncBackend):
    """Opens streams that join what is written."""

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:  # noqa: ANN401  httpcore's own
        return _JoinedStream(super().connect_tcp(*args, **options))


class _JoinedStream(httpcore.NetworkStream):
    """Sends what is written when a reply is read, or when it is much."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._timeout: float | None = None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._timeout = timeout
        if self._bytes + len(buffer) > _JOINED:
            self._flush()
        if len(buffer) > _JOINED:
            # A copy of the rest would be made whenever a part is sent.
            self._stream.write(cast("bytes", memoryview(buffer)), timeout)
        else:
            self._waiting.append(buffer)
            self._bytes += len(buffer)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # A server may refuse a request that it has not read to its end: its reply counts, as in httpcore itself.
        with suppress(httpcore.WriteError):
            self._flush()
        return self._stream.read(max_bytes, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _JoinedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  httpcore's own
        return self._stream.get_extra_info(info)

    def _flush(self) -> None:
        joined, self._waiting, self._bytes = b"".join(self._waiting), [], 0
        if joined:
            self._stream.write(joined, self._timeout)


class _Body(httpx.SyncByteStream):
    """The body of a reply, whose errors are those of httpx."""

    def __init__(self, pieces: Any) -> None:  # noqa: ANN401  httpcore's own, which can be closed
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except _ERRORS as error:
            raise _as_httpx(error) from error

    def close(self) -> None:
        self._pieces.close()


def _as_httpx(error: Exception) -> Exception:
    """The error of httpx that has the name of one of httpcore."""
    found: Exception = getattr(httpx, type(error).__name__)(str(error))
    return found
