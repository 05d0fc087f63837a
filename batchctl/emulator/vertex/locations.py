"""Restrictions by location: buckets must be near the job, and BigQuery is not available on `global`.

Source: reference 16. A bucket without a given location is near every job.
"""

from __future__ import annotations

import re

from batchctl.emulator.storage.objects import find_bucket
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.uris import BadPlace, read_gs
from batchctl.emulator.wire import JsonObject, Refused

_GLOBAL = "global"
_WIDE = {
    "us": re.compile(r"us(-.*)?|nam[0-9]+"),
    "eu": re.compile(r"eu(rope-.*)?|eur[0-9]+"),
    "asia": re.compile(r"asia(-.*|[0-9]+)?"),
}
"""The regions of a location with several regions."""


def check_locations(store: Store, location: str, job: JsonObject) -> None:
    """Raise Refused (400) for a bucket that is not near the job, and for BigQuery where it is not available."""
    source, destination = job["inputConfig"], job["outputConfig"]
    if location == _GLOBAL and ("bigquerySource" in source or "bigqueryDestination" in destination):
        raise Refused(400, "BigQuery sources and destinations are not supported in the global location.")
    prefix = destination.get("gcsDestination", {}).get("outputUriPrefix", "")
    for uri in (*source.get("gcsSource", {}).get("uris", []), prefix):
        place = _bucket_location(store, uri)
        if not are_near(place, location):
            words = (
                f"The Cloud Storage bucket of `{uri}` is in location `{place}`. It must be in the same regional"
                f" location as the service location `{location}`."
            )
            raise Refused(400, words, name="FAILED_PRECONDITION")


def are_near(bucket: str, location: str) -> bool:
    """Whether a job at `location` may use a bucket in `bucket`; a bucket without a location is near every job."""
    if location == _GLOBAL or bucket in {"", location}:
        return True
    return any(
        area.fullmatch(bucket) and area.fullmatch(location) and ("-" not in bucket or location == name)
        for name, area in _WIDE.items()
    )


def _bucket_location(store: Store, uri: str) -> str:
    """In lower case; also empty for a URI without a bucket, which fails the job and not the call."""
    try:
        bucket = find_bucket(store, read_gs(uri)[0])
    except BadPlace:
        return ""
    return "" if bucket is None else bucket.location.lower()
