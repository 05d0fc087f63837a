"""The HTTP transport for google-auth: httpx with limits on time and size, and without redirects.

Knows nothing about credentials: google-auth builds requests and reads replies. Importing this module imports
google-auth.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing

import httpx
from google.auth.exceptions import TransportError
from msgspec import Struct

from batchctl.model.errors import BatchctlError
from batchctl.providers.http.clients import open_client, tls_for
from batchctl.providers.http.connection import Connection
from batchctl.providers.http.failures import WIRE_ERRORS

_LIMIT = 2**20
"""Bytes of a reply; a token reply has a few thousand."""
_CONNECT = 10.0
_READ = 30.0
_FAULTS: tuple[type[Exception], ...] = (*WIRE_ERRORS, OSError, ValueError)


class Answer(Struct, frozen=True):
    """A reply in the form that google-auth reads."""

    status: int
    headers: httpx.Headers
    data: bytes


class TokenTransport:
    """Makes the calls of one search or refresh, with a common time limit of `total` seconds."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._end = time.monotonic() + total

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cert: tuple[str, str] | None = None,
    ) -> Answer:
        """Make one call. `timeout` is in seconds; `cert` has the paths of a client certificate and its key.

        Raises google-auth's TransportError without a complete reply, and TimeoutError, which google-auth does not
        retry, when the time is up.
        """
        patience = min(self._left(), timeout or _READ)
        try:
            target = httpx.URL(url)
            with _open(target, cert) as client:
                return self._call(client, method, target, body, headers, patience)
        except BatchctlError as exc:
            raise TransportError(exc.message) from exc  # type: ignore[no-untyped-call]  # the library has no types
        except _FAULTS as exc:
            self._left()
            message = f"{_shown(url)}: {exc} ({type(exc).__name__})"
            raise TransportError(message) from exc  # type: ignore[no-untyped-call]  # the library has no types

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no reply within {self._total:g} seconds")
        return left

    def _call(
        self,
        client: httpx.Client,
        method: str,
        target: httpx.URL,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        patience: float,
    ) -> Answer:
        limits = httpx.Timeout(patience, connect=min(patience, _CONNECT))
        connection = Connection(client, shared=False)
        request = client.build_request(
            method, target, content=body, headers=headers, timeout=limits, extensions={"trace": connection.trace}
        )
        with connection.watched(self._left()):
            response = connection.send(request)
            data = bytearray()
            with closing(response):
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > _LIMIT:
                        raise ValueError(f"the reply is larger than {_LIMIT} bytes")
            return Answer(response.status_code, response.headers, bytes(data))


def _open(target: httpx.URL, cert: tuple[str, str] | None) -> httpx.Client:
    tls = tls_for(target.scheme)
    if cert is not None:
        tls.load_cert_chain(*cert)
    # Plain http goes to this machine or its metadata server, which a proxy should not see and cannot reach.
    return open_client(target, tls)


def _shown(url: str) -> str:
    """The address without its query, which may hold secrets."""
    return url.partition("?")[0][:200]
