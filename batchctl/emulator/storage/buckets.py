"""The calls on buckets. Source: storage v1, `buckets`."""

from __future__ import annotations

import re

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.media import read_resource
from batchctl.emulator.older_apis import OldRefused, max_results, page_token, read_token
from batchctl.emulator.storage.objects import add_bucket, buckets_from, find_bucket, objects_from, remove_bucket
from batchctl.emulator.storage.resources import bucket_resource, require_bucket
from batchctl.emulator.wire import JsonObject, Response

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_MOST_PER_PAGE = 1000


def get_bucket(exchange: Exchange) -> JsonObject:
    """The bucket's resource."""
    return bucket_resource(require_bucket(exchange), exchange)


def insert_bucket(exchange: Exchange) -> JsonObject:
    """Create a bucket in the project of the query."""
    given = read_resource(exchange.request.body)
    project, name = exchange.request.param("project"), given.get("name")
    if not project:
        raise OldRefused(400, "Required parameter: project", "required", place=("parameter", "project"))
    if not isinstance(name, str) or not BUCKET_NAME.fullmatch(name):
        raise OldRefused(400, f"Invalid bucket name: {ascii(name)[:80]}")
    if find_bucket(exchange.store, name):
        raise OldRefused(409, "Your previous request to create the named bucket succeeded and you already own it.")
    bucket = add_bucket(exchange.store, name, project, exchange.now, str(given.get("location") or "").upper())
    return bucket_resource(bucket, exchange)


def list_buckets(exchange: Exchange) -> JsonObject:
    """One page of the project's buckets by name."""
    project = exchange.request.param("project")
    if not project:
        raise OldRefused(400, "Required parameter: project", "required", place=("parameter", "project"))
    size = max_results(exchange, _MOST_PER_PAGE, _MOST_PER_PAGE)
    prefix = exchange.request.param("prefix") or ""
    after = read_token(exchange)
    start = f"{after}\0" if after else prefix
    found = [item for item in buckets_from(exchange.store, project, start) if item.name.startswith(prefix)]
    reply: JsonObject = {"kind": "storage#buckets"}
    if found:
        reply["items"] = [bucket_resource(bucket, exchange) for bucket in found[:size]]
    return {**reply, "nextPageToken": page_token(found[size - 1].name)} if len(found) > size else reply


def delete_bucket(exchange: Exchange) -> Response:
    """Delete an empty bucket."""
    bucket = require_bucket(exchange)
    if next(objects_from(exchange.store, bucket.name, ""), None):
        raise OldRefused(409, "The bucket you tried to delete is not empty.")
    remove_bucket(exchange.store, bucket)
    return Response(204)
