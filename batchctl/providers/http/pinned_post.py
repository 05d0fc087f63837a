"""One POST to a checked IP address: the host name is not resolved again, so the request goes nowhere else."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx
from msgspec import Struct

from batchctl.model.addresses import IpAddress, WebAddress
from batchctl.providers.http.connection import Connection
from batchctl.providers.http.failures import WIRE_ERRORS
from batchctl.providers.http.watch import Watch

_CONNECT_SECONDS = 5.0


class NoConnectionError(Exception):
    """Nothing was sent: another address may work."""


class BrokenOffError(Exception):
    """The connection ended before a reply arrived."""


class PinnedPost(Struct, frozen=True):
    """A request and the IP address that it goes to."""

    place: WebAddress
    address: IpAddress
    headers: Mapping[str, str]
    body: bytes

    def send(self, tls: ssl.SSLContext, seconds: float) -> int:
        """Send the request once and return the HTTP status. Uses no proxy and follows no redirect.

        Raises NoConnectionError, BrokenOffError, and TimeoutError when the time is up.
        """
        timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
        try:
            with httpx.Client(verify=tls, trust_env=False, timeout=timeout) as client:
                connection = Connection(client, shared=False)
                with connection.watched(seconds) as watch:
                    return self._exchange(client, connection, watch)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NoConnectionError(type(error).__name__) from error

    def _exchange(self, client: httpx.Client, connection: Connection, watch: Watch) -> int:
        place = self.place
        url = httpx.URL(scheme=place.scheme, host=str(self.address), port=place.port, raw_path=place.target.encode())
        # The certificate has to match the host name, whatever the IP address.
        extensions = {"trace": connection.trace, "sni_hostname": place.host}
        request = client.build_request(
            "POST", url, headers=dict(self.headers), content=self.body, extensions=extensions
        )
        try:
            response = connection.send(request)
        except WIRE_ERRORS as error:
            if watch.over():
                raise TimeoutError from error
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise
            raise BrokenOffError(type(error).__name__) from error
        response.close()
        return response.status_code
