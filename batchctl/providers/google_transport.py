"""How google-auth's library talks to token services: over httpx, bounded in time and size, redirects not followed.

Knows nothing of credentials: what is asked and what an answer means is the library's business. Importing this module
imports google-auth.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import httpx
from google.auth import exceptions

from batchctl.providers.errors import WIRE_ERRORS
from batchctl.providers.line import Line, Watch

_LIMIT = 2**20
"""Bytes of an answer; a token has a few thousand."""
_CONNECT = 10.0
_READ = 30.0
_FAULTS: tuple[type[Exception], ...] = (*WIRE_ERRORS, OSError, ValueError)


@dataclass(frozen=True)
class Answer:
    """A reply as google-auth reads it."""

    status: int
    headers: httpx.Headers
    data: bytes


class TokenTransport:
    """Makes the calls of one refresh: none begins after `total` seconds, and none takes longer."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._watch = Watch(total)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cert: tuple[str, str] | None = None,
    ) -> Answer:
        """One call. `timeout` is in seconds, `cert` a client certificate's file and its key's.

        Raises google-auth's TransportError when no whole answer came.
        """
        if self._watch.over():
            raise no_answer(f"no token within {self._total:g} seconds")
        try:
            target = httpx.URL(url)
            with _open(target, cert) as client:
                return self._call(Line(client, shared=False), method, target, body, headers, timeout)
        except _FAULTS as exc:
            raise no_answer(f"{_shown(url)}: {exc} ({type(exc).__name__})") from exc

    def _call(
        self,
        line: Line,
        method: str,
        target: httpx.URL,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        timeout: float | None,
    ) -> Answer:
        limits = httpx.Timeout(timeout or _READ, connect=min(timeout or _CONNECT, _CONNECT))
        request = line.client.build_request(
            method, target, content=body, headers=headers, timeout=limits, extensions={"trace": line.trace}
        )
        with line.watched(min(self._total, timeout or self._total)):
            response = line.client.send(request, stream=True, follow_redirects=False)
            data = bytearray()
            with closing(response):
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > _LIMIT:
                        raise ValueError(f"the answer is larger than {_LIMIT} bytes")
            return Answer(response.status_code, response.headers, bytes(data))


def no_answer(message: str) -> Exception:
    """google-auth's error for a call that brought no whole answer."""
    return exceptions.TransportError(message)  # type: ignore[no-untyped-call]  # the library's classes have no types


def no_token(message: str, *, retryable: bool = False) -> Exception:
    """google-auth's error for an answer without a token."""
    return exceptions.RefreshError(message, retryable=retryable)  # type: ignore[no-untyped-call]  # the same


def _open(target: httpx.URL, cert: tuple[str, str] | None) -> httpx.Client:
    is_secure = target.scheme == "https"
    tls = httpx.create_ssl_context() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cert is not None:
        tls.load_cert_chain(*cert)
    # Without TLS it is this machine or its metadata server: nothing that a proxy should see, or could reach.
    return httpx.Client(verify=tls, trust_env=is_secure)


def _shown(url: str) -> str:
    """The address without its query, which may hold what it should not show."""
    return url.partition("?")[0][:200]
