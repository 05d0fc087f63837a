"""One API endpoint over HTTP: connections, time and size limits, and errors converted to ApiError.

Makes each call once; `retry` repeats calls. Credentials go only to the endpoint's own address, redirects are not
followed, and no reply is read beyond its limit.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain

import httpx

from batchctl import __version__
from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.addresses import is_loopback_host
from batchctl.model.answer_lines import AnswerLines, FormedAnswers
from batchctl.model.errors import ApiError, ApiStatus, ConnectionFailed, ReplyLost
from batchctl.model.exhaustion import exhausted, what_ran_out
from batchctl.model.observed import Status
from batchctl.model.observing import CallWork
from batchctl.model.pieces import Pieces, closed_after, pieces_of
from batchctl.model.ports.providers import Fact, ResultItem
from batchctl.providers.credentials import Credentials
from batchctl.providers.error_hints import GEMINI, Hints
from batchctl.providers.http.bounds import Bounds, require_time
from batchctl.providers.http.call_changes import CallChanges, LearnedChanges
from batchctl.providers.http.calls import Call, Reply
from batchctl.providers.http.clients import is_same_service, open_line, tls_for
from batchctl.providers.http.connection import Connection, Line
from batchctl.providers.http.connection_pool import IDLE_SECONDS, ConnectionPool, PoolClosedError, close_all_idle
from batchctl.providers.http.failures import (
    WIRE_ERRORS,
    hidden_failure,
    operation_failure,
    status_failure,
    transport_failure,
)
from batchctl.providers.http.urls import url_with
from batchctl.providers.http.watch import Watch
from batchctl.providers.redaction import clean_rows, without_proxies
from batchctl.providers.reply_times import ServerClock

_NO_BODY = httpx.ByteStream(b"")
_ERROR_LIMIT = 2**20
"""Bytes of an error's body that are read."""


class Endpoint:
    """A client of one endpoint. Thread-safe: each call has its own connection, because httpx's shared pool becomes
    slower with the square of the calls in flight. A `transport` is shared by all calls, and its owner closes it.
    """  # noqa: D205  # the reason belongs to the sentence

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        clock: ServerClock,
        transport: httpx.BaseTransport | None = None,
        hints: Hints = GEMINI,
        *,
        root: str = "",
        call_changes: CallChanges | None = None,
        activity: Activity = UNWATCHED,
    ) -> None:
        self.base_url = httpx.URL(base_url.rstrip("/"))
        self._base = str(self.base_url)
        self.clock = clock
        self._credentials = credentials
        self._hints = hints
        self._root = root
        """A prefix of all paths, such as the API's version."""
        self._call_changes = call_changes or LearnedChanges()
        self._activity = activity
        self._shared = None if transport is None else Connection(transport, shared=True)
        self._pool = ConnectionPool(
            lambda: Connection(self._open(), shared=False, is_local=is_loopback_host(self.base_url.host))
        )
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        """Close all connections. Later calls raise ConnectionFailed."""
        self._pool.close()

    def facts(self) -> Sequence[Fact]:
        """The identity behind the credentials. Raises BatchctlError when no usable credentials exist."""
        return self._credentials.facts()

    def trusts(self, url: httpx.URL) -> bool:
        """Whether batchctl may call an address from a reply: one of the same origin, or both Google's over TLS."""
        return is_same_service(self.base_url, url)

    def call(self, call: Call) -> Reply:
        """Make the call once and read the complete reply. Raises ApiError."""
        with ExitStack() as opened:
            headers, chunks, http = self._ask(call, opened)
            return Reply(call.what, headers, self._clean(b"".join(chunks)), http, call.most_nodes)

    @contextmanager
    def stream(self, call: Call) -> Iterator[tuple[httpx.Headers, Iterator[bytes]]]:
        """Make the call once; gives the headers and the body's chunks, decompressed. Raises ApiError, also midway."""
        with ExitStack() as opened:
            headers, chunks, _ = self._ask(call, opened)
            yield headers, chunks

    def _ask(self, call: Call, opened: ExitStack) -> tuple[httpx.Headers, Iterator[bytes], int]:
        """The reply to a call, after the changes that the service is known to need (see `call_changes`)."""
        call, learned = self._call_changes.adapt(call), False
        while True:
            try:
                response, chunks = opened.enter_context(self._once(call))
                found = response.headers, self._without_error(call, response, chunks), response.status_code
            except ApiError as error:
                other = self._call_changes.otherwise(call, error)
                if other is None:
                    raise
                opened.close()
                call, learned = other, True
            else:
                if learned:
                    self._call_changes.worked(call)
                return found

    def _without_error(self, call: Call, response: httpx.Response, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The body. Raises ApiError when it is an error object and nothing else.

        Such a body is small and arrives as one chunk: only the first chunk is checked, so that streaming still works.
        """
        first = next(chunks, b"")
        if b'"error"' in first and response.status_code not in call.accepted:
            error = hidden_failure(
                first, response.headers, what=call.what, now=self.clock.now(), redact=self._redact, hints=self._hints
            )
            if error is not None:
                raise error
        return chain([first] if first else [], chunks)

    @contextmanager
    def _once(self, call: Call) -> Iterator[tuple[httpx.Response, Iterator[bytes]]]:
        with (
            self._activity.running(f"{call.what} at {self.base_url.host}") as flow,
            self._activity.observing(
                CallWork(call.what, call.method, self.base_url.host, self.base_url.port)
            ) as ending,
            self._connection(call) as connection,
            self._answer_on(connection, call, flow) as answer,
        ):
            ending.http = answer[0].status_code
            yield answer

    @contextmanager
    def _answer_on(
        self, connection: Connection, call: Call, flow: Flow
    ) -> Iterator[tuple[httpx.Response, Iterator[bytes]]]:
        # Before the watch starts: fetching a token has a time limit of its own.
        credentials = self._credentials.headers() if _is_ours(call) else {}
        allowed = require_time(call)
        total, left = call.timeouts.total, allowed.left()
        with connection.watched(min(total, left), call.timeouts.pace) as watch:
            bounds = Bounds(call, watch, allowed, ends_with_budget=left < total)
            try:
                response = self._send(connection, call, credentials, watch)
                try:
                    self._raise_for_status(call, response, bounds)
                    self.clock.observe(response.headers.get("date"))
                    yield response, bounds.chunks(response, flow)
                finally:
                    response.close()
                    # httpx's stream refers to its response: a cycle, which keeps the request's body for long.
                    response.stream = _NO_BODY
            except WIRE_ERRORS as exc:
                raise self._failure(exc, bounds) from exc
            except RuntimeError as exc:
                # httpx's error when another thread closes the client during a call.
                if not self._pool.is_closed:
                    raise
                raise ReplyLost(f"{call.what}: the provider was closed during the call") from exc

    def _send(self, connection: Connection, call: Call, credentials: Mapping[str, str], watch: Watch) -> httpx.Response:
        """Send the call; send it once more after a 401, which changed nothing, with new credentials if there are any.

        The same credentials are tried again too: a service may refuse valid ones for a moment.
        """
        response = connection.send(self._request(connection, call, credentials))
        if response.status_code == httpx.codes.UNAUTHORIZED and _is_ours(call):
            try:
                self._credentials.renew(credentials)
            finally:
                response.close()
            if watch.over():
                raise ConnectionFailed(f"{call.what}: new credentials took too long, so the call was not sent again")
            request = self._request(connection, call, self._credentials.headers())
            response = connection.send(request)
        return response

    def _clean(self, body: bytes) -> bytes:
        """The body without our own secrets: names and messages of a reply are shown and stored."""
        return self._credentials.redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _redact(self, words: str) -> str:
        """An error text without our own secrets and those of the proxies, which any server on the way may echo."""
        return without_proxies(self._credentials.redact(words))

    def cleaned(self, items: Iterable[ResultItem]) -> Iterator[ResultItem]:
        """Rows without our own secrets: streams are not cleaned as complete replies are."""
        return Pieces(self._cleaned_pieces(pieces_of(items)))

    def _cleaned_pieces(self, pieces: Iterable[Iterable[ResultItem]]) -> Iterator[Iterable[ResultItem]]:
        with closed_after(pieces):
            for piece in pieces:
                if isinstance(piece, FormedAnswers) and self._credentials.is_clean(piece.parts):
                    yield piece
                elif isinstance(piece, AnswerLines):
                    responses = self._credentials.redact_each(piece.responses)
                    yield piece if responses == piece.responses else AnswerLines(piece.keys, responses)
                else:
                    yield clean_rows(piece, self._credentials.redact_json)

    def _failure(self, exc: Exception, bounds: Bounds) -> ApiError:
        if bounds.watch.over():
            return bounds.too_slow()
        if what_ran_out(exc) is not None:
            # This frees handles for the next call, to any endpoint.
            close_all_idle()
        return transport_failure(exc, what=bounds.call.what, redact=self._redact)

    def _raise_for_status(self, call: Call, response: httpx.Response, bounds: Bounds) -> None:
        if response.status_code == httpx.codes.PARTIAL_CONTENT and "range" not in call.headers:
            raise ReplyLost(f"{call.what}: the server or a proxy sent a part of the reply that was not asked for (206)")
        if response.is_success or response.status_code in call.accepted:
            return
        body = bytearray()
        for chunk in response.iter_bytes():
            bounds.require_time_left()
            body += chunk
            if len(body) > _ERROR_LIMIT:
                break
        raise status_failure(
            response.status_code,
            response.headers,
            bytes(body),
            what=call.what,
            now=self.clock.now(),
            redact=self._redact,
            hints=self._hints,
        )

    def operation_failure(self, status: Status, what: str) -> ApiStatus:
        """The error for a failed Operation of this service."""
        return operation_failure(status, what=what, redact=self._redact, hints=self._hints)

    def _request(self, connection: Connection, call: Call, credentials: Mapping[str, str]) -> httpx.Request:
        headers = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": f"batchctl/{__version__}"}
        if call.body:
            headers["content-type"] = "application/json"
        url = call.target
        if _is_ours(call):
            url = f"{self._base}{call.root_prefix}{self._root}{call.target}"
            headers.update(credentials)
        limits = call.timeouts
        timeout = {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": limits.connect}
        return httpx.Request(
            call.method,
            url_with(url, tuple(call.params.items())),
            headers={**headers, **call.headers},
            content=call.body,
            extensions={"timeout": timeout, "trace": connection.trace},
        )

    @contextmanager
    def _connection(self, call: Call) -> Iterator[Connection]:
        """A connection for one call. Raises ConnectionFailed."""
        if self._shared is not None and not self._pool.is_closed:
            yield self._shared
            return
        try:
            connection = self._pool.take()
        except PoolClosedError:
            raise ConnectionFailed(f"{call.what}: the provider is closed") from None
        except (OSError, MemoryError) as exc:
            problem = exhausted(exc)
            if problem is None:
                raise
            raise ConnectionFailed(f"{call.what}: {problem.message}", code=problem.code, hint=problem.hint) from exc
        try:
            yield connection
        finally:
            self._pool.give_back(connection)

    def _open(self) -> Line:
        self._tls = self._tls or tls_for(self.base_url.scheme)
        return open_line(self.base_url, self._tls, httpx.Limits(keepalive_expiry=IDLE_SECONDS))


def _is_ours(call: Call) -> bool:
    """Whether the call goes to the endpoint itself, and so carries credentials."""
    return call.target.startswith("/")
