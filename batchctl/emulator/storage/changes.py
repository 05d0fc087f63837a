"""Changes to existing objects: delete, patch, copy, compose. Source: storage v1, `objects`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.media import read_resource
from batchctl.emulator.older_apis import OldRefused, host_url
from batchctl.emulator.storage.conditions import read_conditions
from batchctl.emulator.storage.objects import (
    Object,
    change_object,
    delete_object,
    find_object,
    measure,
    store_object,
)
from batchctl.emulator.storage.resources import (
    check_object_name,
    given_fields,
    object_resource,
    require_bucket,
    require_object,
)
from batchctl.emulator.wire import JsonObject, Refused, Response

_BLOB_LENGTH = 36
_MOST_SOURCES = 32


def remove_object(exchange: Exchange) -> Response:
    """Delete the object."""
    item = require_object(exchange)
    read_conditions(exchange).check(item)
    delete_object(exchange.store, item)
    return Response(204)


def patch_object(exchange: Exchange) -> JsonObject:
    """Change the given fields and the metageneration; null removes a field."""
    item = require_object(exchange)
    read_conditions(exchange).check(item)
    given = given_fields(read_resource(exchange.request.body))
    content_type = given.pop("contentType", item.content_type) or item.content_type
    if "metadata" in given:
        given["metadata"] = _filled({**item.more.get("metadata", {}), **given["metadata"]}) or None
    changed = change_object(exchange.store, item, content_type, _filled({**item.more, **given}), exchange.now)
    return object_resource(changed, host_url(exchange))


def copy_object(exchange: Exchange) -> JsonObject:
    """Copy at once, whatever the size; returns the copy's resource."""
    return object_resource(_copy(exchange), host_url(exchange))


def rewrite_object(exchange: Exchange) -> JsonObject:
    """Copy, in the form of a rewrite that is done after its first call."""
    copy = _copy(exchange)
    return {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": str(copy.size),
        "objectSize": str(copy.size),
        "done": True,
        "resource": object_resource(copy, host_url(exchange)),
    }


def compose_object(exchange: Exchange) -> JsonObject:
    """Create an object from the bytes of other objects, one after the other."""
    bucket, name = require_bucket(exchange), exchange.params["object"]
    check_object_name(name)
    read_conditions(exchange).check(find_object(exchange.store, bucket.name, name))
    body = read_resource(exchange.request.body)
    asked, named = body.get("destination"), body.get("sourceObjects")
    sources = [_source(exchange, source) for source in named] if isinstance(named, list) else []
    if not 1 <= len(sources) <= _MOST_SOURCES:
        raise OldRefused(
            400, f"You must provide at least one and at most {_MOST_SOURCES} source components.", "required"
        )
    pieces = chain.from_iterable(exchange.store.read(source.blob) for source in sources)
    given = _filled(given_fields(asked if isinstance(asked, dict) else {}))
    made = _put(exchange, bucket.name, name, pieces, {"contentType": sources[0].content_type, **given})
    return object_resource(made, host_url(exchange))


def _copy(exchange: Exchange) -> Object:
    source = require_object(exchange, "sourceGeneration")
    read_conditions(exchange, "ifSource").check(source)
    bucket, name = require_bucket(exchange, exchange.params["to_bucket"]), exchange.params["to_object"]
    check_object_name(name)
    read_conditions(exchange).check(find_object(exchange.store, bucket.name, name))
    asked = _filled(given_fields(read_resource(exchange.request.body)))
    given = {"contentType": source.content_type, **(asked or source.more)}
    return _put(exchange, bucket.name, name, exchange.store.read(source.blob), given)


def _put(exchange: Exchange, bucket: str, name: str, pieces: Iterable[bytes], given: Mapping[str, Any]) -> Object:
    blob = fresh_id(_BLOB_LENGTH)
    exchange.store.append(blob, pieces)
    return store_object(exchange.store, bucket, name, blob, measure(exchange.store.read(blob)), given, exchange.now)


def _source(exchange: Exchange, source: object) -> Object:
    name = source.get("name") if isinstance(source, dict) else None
    if not isinstance(name, str):
        raise Refused(400, "Every source object needs a name.")
    item = find_object(exchange.store, exchange.params["bucket"], name)
    if item is None:
        raise OldRefused(404, f"Object {name} (generation: 0) not found.")
    return item


def _filled(fields: Mapping[str, Any]) -> JsonObject:
    return {key: value for key, value in fields.items() if value is not None}
