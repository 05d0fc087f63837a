"""Buckets and objects on the wire, and finding those that a path names.

Source: storage v1, the schemas Bucket and Object.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from batchctl.emulator.clock import timestamp
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.globs import matches
from batchctl.emulator.older_apis import OldRefused, host_url, number
from batchctl.emulator.sessions import in_session
from batchctl.emulator.settings import Settings
from batchctl.emulator.storage.objects import Bucket, Object, find_bucket, find_object
from batchctl.emulator.wire import JsonObject, Refused

_WRITABLE = ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "customTime")
_USUAL_LOCATION = "US"
"""The location of a bucket that was created without one."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 1024
"""In bytes of UTF-8."""
_NANOS_AFTER_MILLIS = len("000000Z")


def bucket_resource(bucket: Bucket, exchange: Exchange) -> JsonObject:
    """The bucket on the wire."""
    host = host_url(exchange)
    billing = {"billing": {"requesterPays": True}} if _is_paid_by_caller(bucket.name, exchange.settings) else {}
    location = bucket.location or _USUAL_LOCATION
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "selfLink": f"{host}/storage/v1/b/{bucket.name}",
        "name": bucket.name,
        "location": location,
        "locationType": "region" if "-" in location else "multi-region",
        **billing,
        "storageClass": "STANDARD",
        "metageneration": "1",
        "timeCreated": _time(bucket.created),
        "updated": _time(bucket.created),
        "etag": _etag(bucket.created, 1),
    }


def object_resource(item: Object, host: str) -> JsonObject:
    """The object on the wire; int64 values are strings."""
    path = f"/storage/v1/b/{item.bucket}/o/{quote(item.name, safe='')}"
    return {
        "kind": "storage#object",
        "id": f"{item.bucket}/{item.name}/{item.generation}",
        "selfLink": f"{host}{path}",
        "mediaLink": f"{host}/download{path}?generation={item.generation}&alt=media",
        "name": item.name,
        "bucket": item.bucket,
        "generation": str(item.generation),
        "metageneration": str(item.metageneration),
        "contentType": item.content_type,
        "storageClass": "STANDARD",
        "size": str(item.size),
        "md5Hash": item.md5,
        "crc32c": item.crc32c,
        "etag": object_etag(item),
        "timeCreated": _time(item.created),
        "updated": _time(item.updated),
        "timeStorageClassUpdated": _time(item.created),
        **item.more,
    }


def object_etag(item: Object) -> str:
    """Changes with the bytes and with the metadata."""
    return _etag(item.generation, item.metageneration)


def given_fields(resource: Mapping[str, Any]) -> JsonObject:
    """The fields of an object's resource that the caller may set; null removes a field. Raises Refused (400)."""
    given = {key: resource[key] for key in _WRITABLE if key in resource}
    if any(not isinstance(value, str | None) or _CONTROL.search(value or "") for value in given.values()):
        raise Refused(400, "Invalid object resource: its fields are strings of one line.")
    if "metadata" in resource:
        metadata = resource["metadata"] or {}
        if not isinstance(metadata, dict) or any(not isinstance(value, str | None) for value in metadata.values()):
            raise Refused(400, "Invalid object resource: metadata must be a map of strings.")
        given["metadata"] = metadata
    return given


def require_bucket(exchange: Exchange, name: str | None = None) -> Bucket:
    """The bucket of the path, or the one named. Raises Refused (404, or 400 if the call names no payer)."""
    bucket = find_bucket(exchange.store, exchange.params["bucket"] if name is None else name)
    if bucket is None:
        raise OldRefused(404, "The specified bucket does not exist.")
    request = exchange.request
    payer = request.param("userProject") or request.header("x-goog-user-project")
    # A session's address includes the values of the call that opened it, also the payer.
    if not payer and not in_session(request) and _is_paid_by_caller(bucket.name, exchange.settings):
        raise OldRefused(400, "Bucket is a requester pays bucket but no user project provided.", "required")
    return bucket


def _is_paid_by_caller(bucket: str, settings: Settings) -> bool:
    return any(matches(glob, bucket) for glob in settings.requester_pays)


def require_object(exchange: Exchange, generation: str = "generation") -> Object:
    """The object of the path, if it has the generation in the query. Raises Refused (400, 404)."""
    bucket, name = require_bucket(exchange), exchange.params["object"]
    item = find_object(exchange.store, bucket.name, name)
    asked = number(exchange, generation, 0)
    if item is None or asked not in {0, item.generation}:
        raise OldRefused(404, f"No such object: {bucket.name}/{name}")
    return item


def check_object_name(name: str) -> None:
    """Raise Refused (400) for a name that objects cannot have."""
    size = len(name.encode("utf-8", "replace"))
    if not 1 <= size <= _LONGEST_NAME or name in {".", ".."} or re.search(r"[\r\n\ud800-\udfff]", name):
        raise OldRefused(400, f"Disallowed object name: {ascii(name)[:80]}")


def _etag(number: int, more: int) -> str:
    return base64.b64encode(f"{number}/{more}".encode()).decode()


def _time(moment: int) -> str:
    """RFC 3339 with three fraction digits."""
    return f"{timestamp(moment)[:-_NANOS_AFTER_MILLIS]}Z"
