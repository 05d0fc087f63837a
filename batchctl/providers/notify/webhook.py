"""Sends one signed POST request to a webhook: to a checked address, with a time limit, without redirects.

Any 2xx acknowledges; only the status of the reply is read. No proxy is used, because it would resolve the host name
again.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from batchctl import __version__
from batchctl.model.addresses import IpAddress, WebAddress
from batchctl.model.errors import BatchctlError, HookUnusable, NotDelivered
from batchctl.model.notices import Notice, Webhook
from batchctl.model.ports.surroundings import Clock
from batchctl.providers.http.clients import tls_for
from batchctl.providers.http.pinned_post import BrokenOffError, NoConnectionError, PinnedPost
from batchctl.providers.notify.resolving import find_addresses
from batchctl.providers.notify.signing import signed_headers, signing_keys

_MOST_ADDRESSES = 3
"""The number of addresses that are tried, one after the other, when no connection is established."""
_ACKNOWLEDGED, _REDIRECTS = range(200, 300), range(300, 400)


class _Tls:
    """Trusted root certificates. They are loaded once and on demand, because loading takes longer than a call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self, scheme: str) -> ssl.SSLContext:
        if scheme != "https":
            return tls_for(scheme)
        with self._lock:
            if self._context is None:
                try:
                    self._context = tls_for(scheme)
                except BatchctlError as error:
                    raise HookUnusable(error.message, code=error.code, hint=error.hint) from error
            return self._context


@dataclass(frozen=True)
class WebhookSender:
    """Sends to webhooks. Thread-safe: each call has its own connection."""

    env: Mapping[str, str] = field(repr=False)
    """The environment with the signing secrets."""
    is_allowed: Callable[[WebAddress], bool]
    """Whether the operator trusts an address wherever it resolves to."""
    clock: Clock
    total: float = 10.0
    """Seconds for a complete delivery."""
    _tls: _Tls = field(default_factory=_Tls, init=False, repr=False)

    def send(self, hook: Webhook, notice: Notice) -> None:
        """Deliver a notice. Raises NotDelivered and HookUnusable."""
        end = time.monotonic() + self.total
        keys = signing_keys(hook.secret_variable, self.env)
        place, addresses = self._find(hook)
        body = notice.body.encode()
        headers = {
            "host": place.netloc,
            "content-type": "application/json",
            "user-agent": f"batchctl/{__version__}",
            **signed_headers(notice.id, body, keys, self.clock.now()),
        }
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                status = self._post(place, address, headers, body, end)
            except NoConnectionError:
                continue
            _require_acknowledged(place, status)
            return
        raise NotDelivered(f"no connection to {place.origin}", hint="check that it is running")

    def check(self, hook: Webhook) -> None:
        """Check that the secret exists and the address may be called. Raises NotDelivered and HookUnusable."""
        signing_keys(hook.secret_variable, self.env)
        self._find(hook)

    def _find(self, hook: Webhook) -> tuple[WebAddress, list[IpAddress]]:
        place = WebAddress.parse(hook.url)
        return place, find_addresses(place, is_allowed=self.is_allowed(place), timeout=self.total / 2)

    def _post(self, place: WebAddress, address: IpAddress, headers: Mapping[str, str], body: bytes, end: float) -> int:
        """Post to one address; gives the HTTP status of the reply."""
        left = end - time.monotonic()
        if left <= 0:
            raise self._too_slow(place)
        try:
            return PinnedPost(place, address, headers, body).send(self._tls.context(place.scheme), left)
        except TimeoutError as error:
            raise self._too_slow(place) from error
        except BrokenOffError as error:
            message = f"{place.origin} closed the connection ({error})"
            raise NotDelivered(message, hint="check that it is running") from error

    def _too_slow(self, place: WebAddress) -> NotDelivered:
        message = f"{place.origin} did not answer within {self.total:g} seconds"
        return NotDelivered(message, hint="let it acknowledge first and do the work afterwards")


def _require_acknowledged(place: WebAddress, status: int) -> None:
    if status in _ACKNOWLEDGED:
        return
    hint = "redirects are not followed: use the final address" if status in _REDIRECTS else ""
    raise NotDelivered(f"{place.origin} answered with HTTP {status}", hint=hint or "see the receiver's log")
