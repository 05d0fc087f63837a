"""A job whose rows are in a bucket at Cloud Storage, and the emulator's record of what it sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.support.row_shop import Shop

SOURCE = "gs://demo-in/fr.jsonl"
STAGING = "staging/"
"""The start of the names of what batchctl writes to the bucket."""


class BucketShop(Shop):
    """A job whose rows are in a bucket."""

    def write(self, given_rows: Iterable[tuple[str, str]], end: str = "\n", **spec: Any) -> None:
        """Write the manifest, and its rows to the bucket."""
        self.put(given_rows, end=end)
        self.manifest(**spec)

    def put(self, given_rows: Iterable[tuple[str | None, str]], name: str = "fr.jsonl", end: str = "\n") -> None:
        """Write rows to the bucket."""
        lines = [
            {"request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}} | ({"key": key} if key else {})
            for key, text in given_rows
        ]
        self.service.put_object("demo-in", name, "".join(json.dumps(line) + end for line in lines))

    def manifest(self, **spec: Any) -> None:
        """Write the manifest alone."""
        self.stack.write_job("translate", **{**self.api.spec("translate"), "src": SOURCE, **spec})

    def inputs(self) -> list[list[str]]:
        """The URIs that each job was given, in the order of creation."""
        return [self.service.vertex_job(job["name"])["inputConfig"]["gcsSource"]["uris"] for job in self.service.jobs()]

    def staged(self) -> list[str]:
        """The names of what batchctl wrote to the bucket and did not delete."""
        return [name for name in self.service.objects("demo-in") if name.startswith(STAGING)]

    def reads(self) -> int:
        """How often an object was read: its facts or its bytes."""
        return self.service.calls("storage.objects.get")
