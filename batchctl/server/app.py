"""The web application: addresses, and the answers to errors."""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from msgspec import Struct, field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.times import rfc3339
from batchctl.report.documents import to_json_line
from batchctl.report.error_document import error_document
from batchctl.server import history
from batchctl.server.documents import graph, jobs, plan, timeline
from batchctl.server.documents.job import job_document
from batchctl.server.documents.summary import summary_document
from batchctl.server.feed import Feed
from batchctl.server.history import History
from batchctl.server.paging import Query
from batchctl.server.ports import RowBrowser, Surroundings
from batchctl.server.security import Access, Guarded, refusal
from batchctl.server.static_files import PAGE, StaticFile, read_static
from batchctl.server.stream import HEARTBEAT, MOST_CLIENTS, Alarm, Stream
from batchctl.server.view import Document, View

_STATUS: Mapping[str, int] = {
    ErrorCode.JOB_NOT_FOUND: 404,
    ErrorCode.RESULTS_NOT_READY: 404,
    ErrorCode.ATTEMPT_NOT_FOUND: 404,
    ErrorCode.ROW_NOT_FOUND: 404,
    ErrorCode.RESULTS_LOST: 404,
    ErrorCode.REJECTED: 404,
    ErrorCode.ROWS_HIDDEN: 403,
    ErrorCode.PAGE_NOT_READY: 503,
}


class Served(Struct, frozen=True):
    """Everything that is served."""

    feed: Feed
    surroundings: Surroundings
    access: Access
    warn: Callable[[str], None]
    """Shows a failure of the server to the person who runs it."""
    rows: RowBrowser | None = None
    """None: rows are not shown."""
    more: Sequence[BaseRoute] = ()
    """Further addresses, behind the same checks."""
    heartbeat: float = HEARTBEAT
    files: dict[str, StaticFile] = field(default_factory=read_static)


_SHOWN = "batchctl.shown"
"""In the scope of a request whose error was shown."""
Make = Callable[[View, Query, Request], Document]


class WebApp:
    """The application of one server."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._history = History(served.surroundings.events)
        self._alarm: Alarm | None = None
        self._clients = 0
        self._said = ""
        """The last failure that was shown."""
        routes = [
            Route("/", self._page),
            Route("/static/{name}", self._static),
            Route("/events", self._events),
            self._api("/summary", lambda view, _query, _request: self._summary(view)),
            self._api("/jobs", lambda view, query, _request: jobs.jobs_document(view, query), jobs.PARAMETERS),
            self._api("/jobs/{name}", self._job),
            self._api("/jobs/{name}/rows", self._rows, None),
            self._api("/graph", lambda view, query, _request: graph.graph_document(view, query), graph.PARAMETERS),
            self._api(
                "/timeline",
                lambda view, query, _request: timeline.timeline_document(view, query),
                timeline.PARAMETERS,
            ),
            self._api("/rows-over-time", lambda view, _query, _request: timeline.rows_over_time(view)),
            self._api("/events", self._past_events, history.PARAMETERS),
            self._api("/plan", lambda view, query, _request: plan.pending_plan_document(view, query), plan.PARAMETERS),
            *served.more,
        ]
        handlers = {HTTPException: _unknown, BatchctlError: self._failed, Exception: self._broken}
        inner = Starlette(routes=routes, exception_handlers=handlers)
        self.app: ASGIApp = _Reported(Guarded(inner, served.access), served.warn)

    def _api(self, path: str, make: Make, known: Sequence[str] | None = ()) -> Route:
        """An address below `/api`. `known`: its parameters; None: `make` checks them."""

        def answer(request: Request) -> Response:
            # Not a coroutine, so it runs on a worker thread: a document of many jobs takes its time.
            query = Query(request.query_params.multi_items())
            if known is not None:
                query.require(known)
            return _json(make(self._view(), query, request))

        return Route(f"/api{path}", answer)

    def _view(self) -> View:
        view = self._served.feed.view()
        if view is None:
            message = "there is nothing to show before the first look at the state"
            raise BatchctlError(message, code=ErrorCode.PAGE_NOT_READY, hint="ask again in a moment")
        return view

    def _summary(self, view: View) -> Document:
        served = self._served
        try:
            holder = served.surroundings.lock_holder()
        except BatchctlError as error:
            # What the lock is has no bearing on the rest.
            holder = f"unknown: {error.message}"
        next_pass = served.surroundings.next_pass()
        return summary_document(view, rows_shown=served.rows is not None, lock_holder=holder, next_pass=next_pass)

    def _activity(self) -> Document:
        return {"busy": self._busy(), "nextPass": rfc3339(self._served.surroundings.next_pass())}

    def _busy(self) -> Sequence[Document]:
        try:
            found = list(self._served.surroundings.busy())
        except BatchctlError as error:
            # Each open page asks every two seconds.
            if error.message != self._said:
                self._served.warn(f"the web page: {error.message}")
            self._said = error.message
            return []
        self._said = ""
        return found

    def _job(self, view: View, _query: Query, request: Request) -> Document:
        name = request.path_params["name"]
        self._history.update(view.change)
        return job_document(view, name, self._history.of_job(name))

    def _rows(self, view: View, query: Query, request: Request) -> Document:
        if self._served.rows is None:
            hint = "start batchctl with --show-rows"
            raise BatchctlError("the rows of jobs are not shown here", code=ErrorCode.ROWS_HIDDEN, hint=hint)
        graph.require_job(view, request.path_params["name"])
        return self._served.rows.page(view, request.path_params["name"], query)

    def _past_events(self, view: View, query: Query, _request: Request) -> Document:
        self._history.update(view.change)
        return self._history.document(view, query)

    def _page(self, request: Request) -> Response:
        return self._file(PAGE, request)

    def _static(self, request: Request) -> Response:
        return self._file(request.path_params["name"], request)

    def _file(self, name: str, request: Request) -> Response:
        file = self._served.files.get(name)
        if file is None:
            raise HTTPException(404)
        tag = f'"{hashlib.sha256(file.content).hexdigest()[:16]}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.media_type)

    async def _events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self._alarm is None:
            self._alarm = Alarm(asyncio.get_running_loop())
            self._served.feed.listen(self._alarm.ring)
        if self._clients >= MOST_CLIENTS:
            return refusal(503, ErrorCode.PAGE_NOT_READY, f"{MOST_CLIENTS} pages are open", "close one of them")
        last_id = request.headers.get("last-event-id")
        stream = Stream(self._served.feed, self._alarm, self._summary, self._activity, last_id)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        messages = self._counted(stream.messages(self._served.heartbeat))
        return StreamingResponse(messages, headers=headers, media_type="text/event-stream")

    async def _counted(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._clients += 1
        try:
            async for message in messages:
                yield message
        finally:
            self._clients -= 1

    def _failed(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, BatchctlError)
        status = 400 if isinstance(error, UsageError) else _STATUS.get(error.code, 500)
        if status == 500:  # noqa: PLR2004
            self._served.warn(f"the web page: {error.message}")
        return _json(error_document(error), status)

    def _broken(self, request: Request, error: Exception) -> Response:
        """The answer to an error in batchctl."""
        self._served.warn(_error_words(request.scope, error))
        request.scope[_SHOWN] = True
        return refusal(500, ErrorCode.ERROR, f"an error in batchctl: {type(error).__name__}", "its output says more")


class _Reported:
    """An application whose errors are shown to the person who runs it. They end one request, and nothing else."""

    def __init__(self, app: ASGIApp, warn: Callable[[str], None]) -> None:
        self._app = app
        self._warn = warn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            # It closed the page.
            return
        except Exception as error:  # noqa: BLE001 - a page must not end the watch
            if _SHOWN not in scope:
                self._warn(_error_words(scope, error))


def _error_words(scope: Scope, error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    words = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
    return f"the web page failed at {scope.get('path')}: {words}"


def _unknown(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, ErrorCode.ADDRESS_NOT_FOUND, error.detail, "docs/web.md lists the addresses")


def _json(document: Document, status: int = 200) -> Response:
    return Response(to_json_line(document), status, media_type="application/json")
