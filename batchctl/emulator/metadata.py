"""A metadata server like that of Google Cloud's machines: any Google SDK gets credentials from it.

Point `GCE_METADATA_HOST` and `GCE_METADATA_IP` at the emulator (host and port, without a scheme). Paths form a tree: a
path that ends with a slash lists its children, as JSON with `recursive=true`; any other path is a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Exchange, Route
from batchctl.emulator.vertex.resource_names import project_number
from batchctl.emulator.wire import JsonObject, Request, Response, json_bytes

PROJECT = "emulator"
"""The project of the credentials."""
LOCATION = "us-central1"
_FLAVOR = {"metadata-flavor": "Google"}
_EMAIL = "emulator@emulator.iam.gserviceaccount.com"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_LIFETIME = 3600
"""In seconds."""
_GIVEN = "tokensGiven"
"""The key of the counter of issued tokens."""
_TOKEN = re.compile(rf"computeMetadata/v1/instance/service-accounts/(?:default|{re.escape(_EMAIL)})/token")
_DASH = re.compile(r"[-_]([a-z])")

Tree: TypeAlias = Mapping[str, "Tree | str | list[str]"]


def _tree(number: str) -> Tree:
    account: Tree = {"aliases": ["default"], "email": _EMAIL, "scopes": _SCOPES}
    place = f"projects/{number}"
    instance: Tree = {
        "id": "1",
        "name": "emulator",
        "region": f"{place}/regions/{LOCATION}",
        "service-accounts": {"default": account, _EMAIL: account},
        "zone": f"{place}/zones/{LOCATION}-a",
    }
    project = {"numeric-project-id": number, "project-id": PROJECT}
    universe = {"universe-domain": "googleapis.com"}
    return {"computeMetadata": {"v1": {"instance": instance, "project": project, "universe": universe}}}


def _get(exchange: Exchange) -> Response:
    """The value or list at a path. The required header keeps web pages out, because no browser sends it."""
    request = exchange.request
    if not _is_asked(request) or request.header("x-forwarded-for"):
        return _page(403, "Missing Metadata-Flavor:Google header.")
    path = request.path.strip("/")
    if _TOKEN.fullmatch(path):
        return _token(exchange)
    found: Tree | str | list[str] = _tree(project_number(exchange.store, PROJECT))
    for name in filter(None, path.split("/")):
        below = found.get(name.replace("_", "-")) if isinstance(found, Mapping) else None
        if below is None:
            return _page(404, f"The requested URL {request.path} was not found on this server.")
        found = below
    if request.param("recursive") == "true" or request.param("alt") == "json":
        return _json(_as_json(found))
    if isinstance(found, Mapping):
        return _text(_listing(found))
    return _text(found if isinstance(found, str) else "\n".join(found))


def _token(exchange: Exchange) -> Response:
    """A new token for each call, so that tests can see who renewed a token."""
    with exchange.store.transaction():
        number = (exchange.store.meta(_GIVEN) or 0) + 1
        exchange.store.put_meta(_GIVEN, number)
    return _json({"access_token": f"emulator-token-{number}", "expires_in": _LIFETIME, "token_type": "Bearer"})


def _listing(tree: Tree) -> str:
    """The children, one per line; a child with children ends with a slash."""
    names = [f"{name}/" if isinstance(below, Mapping) else name for name, below in tree.items()]
    return "".join(f"{name}\n" for name in ([*names, "token"] if "scopes" in tree else names))


def _as_json(found: Tree | str | list[str]) -> JsonObject | str | list[str]:
    if not isinstance(found, Mapping):
        return found
    # The name of an account is not a member name, so it keeps its spelling.
    return {_DASH.sub(_capital, name) if "@" not in name else name: _as_json(below) for name, below in found.items()}


def _capital(found: re.Match[str]) -> str:
    return found[1].upper()


def _text(text: str) -> Response:
    return Response(200, {**_FLAVOR, "content-type": "application/text"}, text.encode())


def _json(value: object) -> Response:
    return Response(200, {**_FLAVOR, "content-type": "application/json"}, json_bytes(value))


def _page(status: int, words: str) -> Response:
    return Response(status, {**_FLAVOR, "content-type": "text/plain; charset=UTF-8"}, f"{words}\n".encode())


def _is_asked(request: Request) -> bool:
    return request.header("metadata-flavor") == "Google"


ROUTES = (
    Route("GET", re.compile("/computeMetadata(?:/.*)?"), "metadata.get", _get, Caller.ANYONE),
    Route("GET", re.compile("/"), "metadata.get", _get, Caller.ANYONE, takes=_is_asked),
)
