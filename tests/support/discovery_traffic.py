"""Listens to calls over httpx, so that they can be held against the discovery documents."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from tests.support.discovery import Exchange, is_documented, reply_faults, sent_faults

_CONTROL = "/_emulator/"


class Traffic(httpx.BaseTransport):
    """Passes calls on, and keeps each with its reply, all but those to the emulator's own controls.

    What is lost on the way is no exchange.
    """

    def __init__(self, inner: httpx.BaseTransport, exchanges: list[Exchange]) -> None:
        self._inner = inner
        self._exchanges = exchanges

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if not request.url.path.startswith(_CONTROL):
            response.read()
            self._exchanges.append(exchange_of(request, response))
        return response

    def close(self) -> None:
        self._inner.close()


def all_faults(exchanges: Iterable[Exchange]) -> list[str]:
    """All that is wrong with what was sent and what came back, each fault once."""
    found = [fault for one in exchanges for fault in (*sent_faults(one), *reply_faults(one))]
    return list(dict.fromkeys(found))


def hold_to_documents(response: httpx.Response) -> None:
    """An event hook of httpx: fails for a reply that its service's document does not know."""
    content = response.request.url.params.get("alt") == "media"
    if is_documented(response.request.url.path) and not content:
        response.read()
        faults = reply_faults(exchange_of(response.request, response))
        assert not faults, "\n".join(faults)


def exchange_of(request: httpx.Request, response: httpx.Response) -> Exchange:
    """A call and its reply, both read."""
    return Exchange(
        request.method,
        request.url.raw_path.decode("ascii").partition("?")[0],
        tuple(request.url.params.multi_items()),
        request.read(),
        response.status_code,
        response.content,
    )
