"""The addresses for machines: `/metrics`, `/healthz`, `/readyz`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from batchctl.report.documents import to_json_line
from batchctl.server.view import Document
from batchctl.telemetry.health import Health
from batchctl.telemetry.metrics import Metrics

_OK, _FAILED = 200, 503


def monitoring_routes(metrics: Metrics, health: Health) -> Sequence[BaseRoute]:
    """The routes. None is a coroutine, so each runs on a worker thread: reading a state may take a while."""

    def show_metrics(request: Request) -> Response:
        body, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    def healthz(_request: Request) -> Response:
        return _answer(health.live())

    def readyz(_request: Request) -> Response:
        return _answer(health.ready())

    return (Route("/metrics", show_metrics), Route("/healthz", healthz), Route("/readyz", readyz))


def _answer(document: Document) -> Response:
    status = _OK if document["status"] == "ok" else _FAILED
    return Response(to_json_line(document), status, media_type="application/json")
