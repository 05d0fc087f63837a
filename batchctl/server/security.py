"""Who may read the page: checked before any route, for every request.

A page of another origin can send requests to any address that its browser reaches, and read the answers under a host
name of its own that resolves to this machine. So the host name has to be one of ours, and what a browser says about the
page that asks has to be this origin. Other users of the machine reach loopback, too: rows need a token there as well.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchctl.model.codes import ErrorCode

_DIRECTIVES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
POLICY: Final = "; ".join(_DIRECTIVES)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer."""
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""Addresses that need no token: they say nothing about jobs."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::[0-9]{1,5})?", re.IGNORECASE)
_FRIENDLY_SITES = frozenset({"", "none", "same-origin"})
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_SHOWN_HOST = 100


class Access(Struct, frozen=True):
    """Who may read."""

    address: str
    """The address that the server listens on."""
    port: int
    names: frozenset[str] = frozenset()
    """Further host names that are allowed."""
    token: str | None = None
    """None: no token is needed."""

    @property
    def cookie(self) -> str:
        """The cookie that has the token. Cookies do not know ports, so its name has the port."""
        return f"batchctl_{self.port}"

    def knows(self, host: str) -> bool:
        """Whether a `Host` header names this server."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").rstrip(".").casefold()
        if name in {self.address.casefold(), *(one.casefold() for one in self.names)} - _WILDCARDS:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # An address cannot be the name of somebody else.
        return address.is_loopback or self.address in _WILDCARDS

    def accepts(self, headers: Headers) -> bool:
        """Whether a request carries the token, if one is needed."""
        if self.token is None:
            return True
        scheme, _, value = headers.get("authorization", "").partition(" ")
        given = [value.strip()] if scheme.casefold() == "bearer" else []
        given += _cookies(headers.getlist("cookie"), self.cookie)
        return any(self.is_token(one) for one in given)

    def is_token(self, text: str) -> bool:
        """Whether a text is the token; takes the same time for every wrong one."""
        return self.token is not None and hmac.compare_digest(text.encode(), self.token.encode())


class Guarded:
    """An application behind the checks."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Without this, a WebSocket would be left without an answer.
            assert scope["type"] == "websocket", scope["type"]
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._access.knows(host):
            shown = ascii(host)[1:-1][:_SHOWN_HOST]
            return refusal(
                421, ErrorCode.HOST_NOT_ALLOWED, f"Host {shown} is not this server", "--allow-host NAME allows a name"
            )
        if not _is_friendly(scope, headers):
            return refusal(403, ErrorCode.OTHER_ORIGIN, "a page of another origin cannot read this server")
        if scope["method"] not in {"GET", "HEAD"}:
            refused = refusal(405, ErrorCode.READ_ONLY, "this server only reads", "use GET or HEAD")
            refused.headers["allow"] = "GET, HEAD"
            return refused
        if scope["path"] in OPEN_PATHS or self._access.accepts(headers):
            return None
        return self._log_in(scope) or refusal(
            401,
            ErrorCode.TOKEN_NEEDED,
            "this page needs its token",
            "open the address that batchctl printed; with --token-file, add ?token=TOKEN to it",
        )

    def _log_in(self, scope: Scope) -> Response | None:
        """The answer to an address with the token: a cookie, and the same address without it."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["path"] != "/" or not any(name == "token" and self._access.is_token(text) for name, text in pairs):
            return None
        rest = urlencode([pair for pair in pairs if pair[0] != "token"])
        answer = RedirectResponse(f"/?{rest}" if rest else "/", 303)
        answer.set_cookie(self._access.cookie, self._access.token or "", httponly=True, samesite="strict", path="/")
        return answer


def refusal(status: int, code: ErrorCode, message: str, hint: str = "") -> Response:
    """An error in the form of `-o json`."""
    error = {"code": code.value, "message": message, "hint": hint, "details": {}}
    return JSONResponse({"error": error}, status)


def _is_friendly(scope: Scope, headers: Headers) -> bool:
    """Whether the browser says that this page asks, or that a person opened the address; programs say nothing."""
    origin, host = headers.get("origin", "").casefold(), headers.get("host", "").casefold()
    # A proxy may speak TLS with the browser.
    if origin not in {"", f"http://{host}", f"https://{host}"}:
        return False
    if headers.get("sec-fetch-site", "").casefold() in _FRIENDLY_SITES:
        return True
    # A link of another page may lead to the page, as to any other one.
    return scope["path"] == "/" and headers.get("sec-fetch-mode", "") == "navigate"


def _cookies(headers: Iterable[str], name: str) -> list[str]:
    # Other programs on localhost set cookies, too, in forms at which a parser of cookies gives up.
    parts = [part.strip().partition("=") for header in headers for part in header.split(";")]
    return [value for one, _, value in parts if one == name]
