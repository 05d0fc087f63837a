"""The emulator: a request in, a response out, over the store.

Defines the order of steps of every call: count it, apply faults, check the credentials, run the handler in one
transaction, cut the reply to its field mask, add the date. The routes of the services say which handler answers a call.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from batchctl.emulator.bigquery.routes import ROUTES as BIGQUERY_ROUTES
from batchctl.emulator.bodies import unpacked
from batchctl.emulator.callers import Caller, check_caller
from batchctl.emulator.clock import SECOND, http_date
from batchctl.emulator.control import CONTROL_PREFIX, control
from batchctl.emulator.enum_numbers import wants_enum_numbers, with_enum_numbers
from batchctl.emulator.exchange import Exchange, Route
from batchctl.emulator.faults import TRANSPORT_KINDS, Fault, FaultKind, take_fault
from batchctl.emulator.fieldmask import FieldMask, parse_mask
from batchctl.emulator.gemini.routes import ROUTES as GEMINI_ROUTES
from batchctl.emulator.metadata import ROUTES as METADATA_ROUTES
from batchctl.emulator.older_apis import OldRefused
from batchctl.emulator.queries import check_query, unknown_alt, wants_indentation
from batchctl.emulator.replies import BIGQUERY
from batchctl.emulator.seed import SETTINGS
from batchctl.emulator.settings import Settings, settings_from
from batchctl.emulator.storage.routes import ROUTES as STORAGE_ROUTES
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.outputs import write_due_outputs
from batchctl.emulator.vertex.routes import ROUTES as VERTEX_ROUTES
from batchctl.emulator.wire import JsonObject, Refused, Request, Response, json_response

_UNKNOWN = "unknown"
_VERTEX_AND_DATA_ROUTES = (*VERTEX_ROUTES, *STORAGE_ROUTES, *BIGQUERY_ROUTES)
ROUTES = (*GEMINI_ROUTES, *_VERTEX_AND_DATA_ROUTES, *METADATA_ROUTES)
"""All calls."""
METHODS = frozenset({_UNKNOWN, *(route.method for route in ROUTES)})
"""The names of calls in counters and faults."""
_SEE_DUE_WORK = frozenset(route.method for route in _VERTEX_AND_DATA_ROUTES)
"""Calls that can see or change what jobs on Vertex read and write. Due work of those jobs is done before such a call.
"""


class Emulator:
    """The batch services with Cloud Storage and BigQuery, kept in one file.

    Safe to call from several threads; several processes may share the file.
    """

    def __init__(
        self, path: Path, *, settings: Settings | None = None, real_time: Callable[[], int] = time.time_ns
    ) -> None:
        self.store = Store(path, real_time)
        self._settings = settings or Settings()

    @property
    def settings(self) -> Settings:
        """The constructor's settings, overridden by those of a seed or a control call."""
        return settings_from(self._settings, self.store.meta(SETTINGS) or {})

    @property
    def methods(self) -> frozenset[str]:
        """The names of all calls."""
        return METHODS

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def handle(self, request: Request, wait: Callable[[float], None] = time.sleep) -> Response:
        """Answer one request.

        A delay fault calls `wait` with its seconds; an exception of `wait` ends the call there.
        """
        try:
            if request.path.startswith(CONTROL_PREFIX):
                response = control(request, self.store, self.settings, METHODS)
            else:
                response = self._call(request, wait)
            headers = {**response.headers, "date": http_date(self.store.now())}
        except sqlite3.OperationalError as error:
            # A full or read-only disk: the caller sees a server error, as it would from Google.
            return Refused(500, f"The emulator cannot write or read its store: {error}.").response()
        return replace(response, headers=headers)

    def body_limit(self, request: Request) -> int:
        """The maximum number of body bytes of this call, known before the body is read."""
        route, _ = _route(request)
        is_upload = route is not None and not route.limited
        if is_upload or request.path.startswith(CONTROL_PREFIX):
            return self.settings.max_file if is_upload else self.settings.max_body
        return self.settings.largest_body

    def _call(self, request: Request, wait: Callable[[float], None]) -> Response:
        route, params = _route(request)
        method = route.method if route else _UNKNOWN
        with self.store.transaction():
            self.store.change(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT (method) DO UPDATE SET calls = calls + 1", method
            )
            fault = take_fault(self.store, method, TRANSPORT_KINDS)
        if fault is None or fault.after:
            response = self._answer(request, route, params)
            return response if fault is None else _shown(fault, route, response, wait)
        if fault.kind is FaultKind.DELAY:
            wait(fault.delay / SECOND)
            return self._answer(request, route, params)
        return _shown(fault, route, Response(200), wait)

    def _answer(self, request: Request, route: Route | None, params: dict[str, str]) -> Response:
        """Run the handler in one transaction, which also commits when the handler refuses the call."""
        try:
            with self.store.transaction():
                try:
                    return self._run(request, route, params)
                except Refused as refused:
                    return _in_shape(refused, route).response()
        except RecursionError:
            return Refused(400, "Invalid JSON payload received. It is nested too deeply.").response()

    def _run(self, request: Request, route: Route | None, params: dict[str, str]) -> Response:
        if route is None:
            raise Refused(404, f"The requested URL {request.path} was not found on this server.")
        _check_alt(route, request)
        settings = self.settings
        check_caller(request, route.caller, open_reads=settings.open_reads, open_writes=settings.open_writes)
        most = settings.largest_body if route.limited else settings.max_file
        request = unpacked(request, most)
        if request.too_large or len(request.body) > most:
            raise Refused(400, f"Request payload size exceeds the limit: {most} bytes.")
        if route.query is not None:
            check_query(request, route.query)
        mask = parse_mask(request.param("fields", "$fields"))
        _check_mask(mask, route, request, looks_into_any=settings.looks_into_any)
        exchange = Exchange(request, route.method, params, self.store, settings, self.store.now(), mask)
        if route.method in _SEE_DUE_WORK:
            write_due_outputs(self.store, settings, exchange.now)
        reply = route.handler(exchange)
        if isinstance(reply, Response):
            return reply
        kept = _kept(exchange, reply)
        said = with_enum_numbers(kept) if wants_enum_numbers(request) else kept
        return json_response(said, indented=wants_indentation(request))


def _kept(exchange: Exchange, reply: JsonObject) -> JsonObject:
    kept = exchange.mask.keep(reply)
    assert isinstance(kept, dict)
    return kept


def _check_alt(route: Route, request: Request) -> None:
    """Raise Refused (400) if the reply cannot have the form in `alt`; the metadata server has forms of its own."""
    if route.caller is Caller.ANYONE:
        return
    is_old = route.replies is not None and route.replies.is_old
    words = unknown_alt(request, has_media=is_old or route.method == "files.download")
    if words is not None:
        raise OldRefused(400, words, place=("parameter", "alt")) if is_old else Refused(400, words)


def _check_mask(mask: FieldMask, route: Route, request: Request, *, looks_into_any: bool) -> None:
    """Raise Refused (400) for a path that the reply does not have. Source: reference 16."""
    if route.replies is None or not route.reply or request.param("alt", "$alt") == "media":
        return
    unknown = route.replies.unknown_path(mask, route.reply, looks_into_any=looks_into_any)
    if not unknown:
        return
    words = route.replies.words.format(path=unknown)
    if route.replies.is_old:
        raise OldRefused(400, words, "invalidParameter", place=("parameter", "fields"))
    violation = {"field": unknown, "description": words}
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    raise Refused(400, words, details=[detail])


def _route(request: Request) -> tuple[Route | None, dict[str, str]]:
    for route in ROUTES:
        if route.verb == request.method and route.takes(request):
            found = route.pattern.fullmatch(request.path)
            if found:
                return route, found.groupdict()
    return None, {}


def _in_shape(refused: Refused, route: Route | None) -> Refused:
    """The error in the format of the route's API; a shared check raises it in the newer format."""
    if isinstance(refused, OldRefused) or route is None or route.replies is None or not route.replies.is_old:
        return refused
    is_named = route.replies is BIGQUERY
    if refused.status != 401:  # noqa: PLR2004  unauthenticated
        return OldRefused.of(refused, named=is_named)
    missing = any(detail.get("reason") == "CREDENTIALS_MISSING" for detail in refused.details)
    reason = "required" if missing else "authError"
    return OldRefused(401, refused.message, reason, named=is_named, place=("header", "Authorization"))


def _shown(fault: Fault, route: Route | None, response: Response, wait: Callable[[float], None]) -> Response:
    """The response as the caller sees it after a fault."""
    if fault.kind is FaultKind.STATUS:
        return _in_shape(fault.refusal(), route).response()
    if fault.kind is FaultKind.DELAY:
        wait(fault.delay / SECOND)
        return response
    return replace(response, cut=True)
