"""Loads the buckets of a seed. The format is `schemas/emulator-seed.schema.json`."""

from __future__ import annotations

import json

from batchctl.emulator.schemas import Invalid
from batchctl.emulator.storage.objects import add_bucket, find_bucket, find_object, put_object
from batchctl.emulator.storage.resources import check_object_name
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused

_PROJECT = "emulator"
"""The project of buckets for which a seed gives none; only lists of buckets show it."""


def load_buckets(store: Store, buckets: JsonObject, place: str) -> None:
    """Load the buckets and objects whose names are free. Raises Invalid with the place."""
    now = store.now()
    for name, given in buckets.items():
        bucket = given or {}
        if find_bucket(store, name) is None:
            location = bucket.get("location", "").upper()
            add_bucket(store, name, bucket.get("project", _PROJECT), now, location)
        for path, item in bucket.get("objects", {}).items():
            where = f"{place}.{name}.objects.{path}"
            _check(path, item, where)
            if find_object(store, name, path) is None:
                put_object(store, name, path, [_content(item)], item.get("contentType", "application/jsonl"), now)


def _check(path: str, item: JsonObject, place: str) -> None:
    if ("content" in item) == ("lines" in item):
        raise Invalid(f"{place}: needs exactly one of content and lines")
    try:
        check_object_name(path)
    except Refused as refused:
        raise Invalid(f"{place}: {refused.message}") from refused


def _content(item: JsonObject) -> bytes:
    """The text, or the lines as JSON; in ASCII, so that any text can be stored."""
    if "content" in item:
        return str(item["content"]).encode()
    return b"".join(json.dumps(line).encode() + b"\n" for line in item["lines"])
