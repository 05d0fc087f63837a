"""Results as JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from batchctl.model.json_value import Json
from batchctl.report.documents import ascii_json_lines, readable_json_line, to_json_line, to_readable_json_line


class JsonLinesWriter:
    """One JSON object per row: ASCII, or `readable` on a terminal."""

    def __init__(self, sink: BinaryIO, *, readable: bool) -> None:
        self._sink = sink
        self._is_readable = readable
        self._format = to_readable_json_line if readable else to_json_line

    def write(self, row: Mapping[str, Json]) -> None:
        """Write one row."""
        self._sink.write(self._format(row).encode())

    def write_lines(self, lines: bytes) -> None:
        """Write rows that are lines of JSON in UTF-8 already, without spaces."""
        if self._is_readable:
            lines = "".join(map(readable_json_line, lines.decode().split("\n")[:-1])).encode()
            self._sink.write(lines)
        else:
            self._sink.write(ascii_json_lines(lines))

    def close(self) -> None:
        """Nothing is left to write."""
