"""A metadata server, as machines of Google's cloud have one: any Google SDK gets credentials from it.

Point `GCE_METADATA_HOST` and `GCE_METADATA_IP` at the emulator (host and port, without a scheme).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Exchange, Route
from batchctl.emulator.vertex.places import project_number
from batchctl.emulator.wire import JsonObject, Request, Response, json_bytes

_FLAVOR = {"metadata-flavor": "Google"}
PROJECT = "emulator"
"""The project that the credentials belong to."""
_EMAIL = "emulator@emulator.iam.gserviceaccount.com"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_LIFETIME = 3600
"""Seconds."""
_GIVEN = "tokensGiven"
"""How many tokens there were so far."""


def _text(text: str) -> Response:
    return Response(200, {**_FLAVOR, "content-type": "application/text"}, text.encode())


def _json(value: JsonObject) -> Response:
    return Response(200, {**_FLAVOR, "content-type": "application/json"}, json_bytes(value))


def _account(exchange: Exchange) -> Response:
    if exchange.request.param("recursive") == "true":
        return _json({"aliases": ["default"], "email": _EMAIL, "scopes": list(_SCOPES)})
    return _text("aliases\nemail\nscopes\ntoken\n")


def _token(exchange: Exchange) -> Response:
    """A new token for whoever asks, so that it shows who renewed theirs."""
    with exchange.store.transaction():
        number = (exchange.store.meta(_GIVEN) or 0) + 1
        exchange.store.put_meta(_GIVEN, number)
    return _json({"access_token": f"emulator-token-{number}", "expires_in": _LIFETIME, "token_type": "Bearer"})


_V1 = "/computeMetadata/v1"
_ACCOUNT = rf"{_V1}/instance/service-accounts/(?:default|{re.escape(_EMAIL)})"
_ANSWERS: dict[str, Callable[[Exchange], Response]] = {
    r"/|/computeMetadata/?|/computeMetadata/v1/?": lambda _: _text("computeMetadata/\n"),
    rf"{_V1}/instance/?": lambda _: _text("service-accounts/\n"),
    rf"{_ACCOUNT}/": _account,
    rf"{_ACCOUNT}/token": _token,
    rf"{_ACCOUNT}/email": lambda _: _text(_EMAIL),
    rf"{_ACCOUNT}/scopes": lambda _: _text("\n".join(_SCOPES)),
    rf"{_V1}/project/project-id": lambda _: _text(PROJECT),
    rf"{_V1}/project/numeric-project-id": lambda exchange: _text(project_number(exchange.store, PROJECT)),
    rf"{_V1}/universe/universe[-_]domain": lambda _: _text("googleapis.com"),
}


def _asks_metadata(request: Request) -> bool:
    """Without this header a metadata server tells nothing: a browser that is led here does not send it."""
    return request.header("metadata-flavor") == "Google"


ROUTES = tuple(
    Route("GET", re.compile(path), "metadata.get", answer, Caller.ANYONE, takes=_asks_metadata)
    for path, answer in _ANSWERS.items()
)
