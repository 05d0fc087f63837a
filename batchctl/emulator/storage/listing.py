"""Lists of objects by prefix, folder and page. Source: storage v1, `objects.list`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import host_url, max_results, page_token, read_token
from batchctl.emulator.storage.objects import Object, objects_from
from batchctl.emulator.storage.resources import object_resource, require_bucket
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject

_MOST_PER_PAGE = 1000


class _Wanted(Struct, frozen=True):
    """The parameters of a list; an absent one is empty."""

    bucket: str
    prefix: str
    delimiter: str
    start: str
    end: str
    after: str
    """The last name or folder of the previous page."""


def list_objects(exchange: Exchange) -> JsonObject:
    """One page of objects and folders, which both count; an empty list is left out."""
    size = max_results(exchange, _MOST_PER_PAGE, _MOST_PER_PAGE)
    items: list[JsonObject] = []
    prefixes: list[str] = []
    reply: JsonObject = {"kind": "storage#objects"}
    last = ""
    for name, item in _entries(exchange.store, _wanted(exchange)):
        if len(items) + len(prefixes) == size:
            reply["nextPageToken"] = page_token(last)
            break
        last = name
        if item is None:
            prefixes.append(name)
        else:
            items.append(object_resource(item, host_url(exchange)))
    return {**reply, **({"prefixes": prefixes} if prefixes else {}), **({"items": items} if items else {})}


def _wanted(exchange: Exchange) -> _Wanted:
    bucket = require_bucket(exchange).name
    prefix, delimiter, start, end = (
        exchange.request.param(name) or "" for name in ("prefix", "delimiter", "startOffset", "endOffset")
    )
    return _Wanted(bucket, prefix, delimiter, start, end, read_token(exchange))


def _entries(store: Store, wanted: _Wanted) -> Iterator[tuple[str, Object | None]]:
    """Objects by name, and folders as a name without an object, in one order."""
    last = wanted.after
    for item in objects_from(store, wanted.bucket, max(wanted.prefix, wanted.start, wanted.after)):
        if not item.name.startswith(wanted.prefix) or (wanted.end and item.name >= wanted.end):
            return
        cut = item.name.find(wanted.delimiter, len(wanted.prefix)) if wanted.delimiter else -1
        name = item.name if cut < 0 else item.name[: cut + len(wanted.delimiter)]
        # Names and folders are both sorted, so a folder up to the last one was already returned.
        if name > last:
            last = name
            yield name, item if cut < 0 else None
