"""Results as JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from batchctl.model.desired import Json
from batchctl.report.documents import to_json_line, to_readable_json_line


class JsonLinesWriter:
    """One JSON object per row: ASCII, or `readable` on a terminal."""

    def __init__(self, sink: BinaryIO, *, readable: bool) -> None:
        self._sink = sink
        self._format = to_readable_json_line if readable else to_json_line

    def write(self, row: Mapping[str, Json]) -> None:
        """Write one row."""
        self._sink.write(self._format(row).encode())

    def close(self) -> None:
        """Nothing is left to write."""
