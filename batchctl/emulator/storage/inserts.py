"""Creating objects, in one request or by a session. Source: storage v1, `objects.insert`; reference 4."""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.media import Media, read_related, read_resource
from batchctl.emulator.older_apis import OldRefused, host_url
from batchctl.emulator.sessions import continue_session, open_session
from batchctl.emulator.storage.conditions import Conditions, read_conditions
from batchctl.emulator.storage.objects import Measure, find_object, measure, store_object
from batchctl.emulator.storage.resources import check_object_name, given_fields, object_resource, require_bucket
from batchctl.emulator.wire import JsonObject, Refused, Request, Response

_BLOB_LENGTH = 36
_HASH = re.compile(r"(crc32c|md5)=([A-Za-z0-9+/=]+)")
_SHOWN = {"md5": "MD5", "crc32c": "CRC32C"}


def insert_object(exchange: Exchange) -> JsonObject | Response:
    """Create an object, or open a session for it; `uploadType` chooses the protocol."""
    request = exchange.request
    match request.param("uploadType"):
        case "media":
            return _insert(exchange, Media({}, request.header("content-type"), request.body))
        case "multipart":
            return _insert(exchange, read_related(request))
        case "resumable":
            resource = read_resource(request.body)
            kind = request.header("x-upload-content-type")
            return open_session(exchange, _target(exchange, Media(resource, kind, b"")))
        case _:
            raise Refused(400, "uploadType must be media, multipart or resumable.")


def continue_insert(exchange: Exchange) -> JsonObject | Response:
    """One piece of a session. The conditions are checked again at the end, because the object may have changed."""
    return continue_session(exchange, _check, _finish)


def _insert(exchange: Exchange, media: Media) -> JsonObject:
    target = _target(exchange, media)
    blob = fresh_id(_BLOB_LENGTH)
    _check_hashes(measured := measure([media.content]), target["hashes"])
    exchange.store.append(blob, [media.content])
    return _keep(exchange, target, blob, measured)


def _target(exchange: Exchange, media: Media) -> JsonObject:
    """The object to create, checked as far as possible without the bytes. Raises Refused (400, 404, 412)."""
    name = exchange.request.param("name") or media.resource.get("name")
    if not isinstance(name, str) or not name:
        raise OldRefused(400, "Required parameter: name", "required", place=("parameter", "name"))
    check_object_name(name)
    given = given_fields(media.resource)
    encoding = exchange.request.param("contentEncoding")
    target: JsonObject = {
        "bucket": require_bucket(exchange).name,
        "name": name,
        "given": {
            **({"contentType": media.content_type} if media.content_type else {}),
            **({"contentEncoding": encoding} if encoding else {}),
            **{key: value for key, value in given.items() if value is not None},
        },
        "hashes": {**_sent_hashes(exchange.request), **_stated_hashes(media.resource)},
        "conditions": read_conditions(exchange).to_json(),
    }
    _check(exchange, target)
    return target


def _check(exchange: Exchange, target: JsonObject) -> None:
    """Raise Refused (404, 412) unless the bucket exists and the object fulfils the conditions."""
    bucket = require_bucket(exchange, target["bucket"])
    Conditions(**target["conditions"]).check(find_object(exchange.store, bucket.name, target["name"]))


def _finish(exchange: Exchange, target: JsonObject, blob: str) -> JsonObject:
    measured = measure(exchange.store.read(blob))
    _check_hashes(measured, {**target["hashes"], **_sent_hashes(exchange.request)})
    return _keep(exchange, target, blob, measured)


def _keep(exchange: Exchange, target: JsonObject, blob: str, measured: Measure) -> JsonObject:
    item = store_object(exchange.store, target["bucket"], target["name"], blob, measured, target["given"], exchange.now)
    return object_resource(item, host_url(exchange))


def _sent_hashes(request: Request) -> dict[str, str]:
    """The hashes in the header."""
    return dict(_HASH.findall(request.header("x-goog-hash")))


def _stated_hashes(resource: Mapping[str, object]) -> dict[str, str]:
    """The hashes in the resource."""
    stated = {"md5": resource.get("md5Hash"), "crc32c": resource.get("crc32c")}
    return {kind: value for kind, value in stated.items() if isinstance(value, str) and value}


def _check_hashes(measured: Measure, hashes: Mapping[str, str]) -> None:
    """Raise Refused (400) if the received bytes differ from those that the caller sent."""
    for kind, found in (("md5", measured.md5), ("crc32c", measured.crc32c)):
        if hashes.get(kind, found) != found:
            name = _SHOWN[kind]
            text = f'Provided {name} hash "{hashes[kind]}" doesn\'t match calculated {name} hash "{found}".'
            raise OldRefused(400, text)
