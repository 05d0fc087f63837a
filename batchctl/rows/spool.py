"""Result lines on their way to the file: taken as they arrive, given back in input order.

Owns the memory bound: the lines wait on disk, and only three numbers for each stay in memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from array import array
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from batchctl.disk.making import create_file
from batchctl.model.desired import Json
from batchctl.model.ports import ResultItem
from batchctl.rows.join import Place

_NO_INDEX = 2**62
"""Sorts after every input position."""


class Spool(AbstractContextManager["Spool"]):
    """Lines in arrival order, in a file that goes away with the spool."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = create_file(path)
        self._indices = array("q")
        self._offsets = array("q", [0])
        self._moved: dict[int, Place] = {}

    def add(self, place: Place, item: ResultItem) -> None:
        """Take the next line."""
        line = result_line(place, item)
        self._stream.write(line)
        self._indices.append(_NO_INDEX if place.index is None else place.index)
        self._offsets.append(self._offsets[-1] + len(line))

    def move(self, number: int, place: Place) -> None:
        """Give a line, by its number in the order of arrival, another place than it came with."""
        self._indices[number] = _NO_INDEX if place.index is None else place.index
        self._moved[number] = place

    def write_sorted(self, path: Path) -> str:
        """Write all lines by input position, those without one last as they came; gives the file's sha256."""
        sha256 = hashlib.sha256()
        # Sorting is stable, so lines of one position keep the order of their arrival.
        order = sorted(range(len(self._indices)), key=self._indices.__getitem__)
        with create_file(path) as target:
            for number in order:
                self._stream.seek(self._offsets[number])
                line = self._stream.read(self._offsets[number + 1] - self._offsets[number])
                if number in self._moved:
                    line = _encoded({**json.loads(line), **_head(self._moved[number])})
                sha256.update(line)
                target.write(line)
            target.flush()
            os.fsync(target.fileno())
        return sha256.hexdigest()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()
        self._path.unlink()


def result_line(place: Place, item: ResultItem) -> bytes:
    """One line of `results.jsonl`. Never fails on what an API may send: a paid result is kept, whatever is in it."""
    row = _head(place)
    if item.response is not None:
        row["response"] = dict(item.response)
    else:
        row["error"] = dict(item.error or {})
    if item.members:
        row["input"] = dict(item.members)
    return _encoded(row)


def _head(place: Place) -> dict[str, Json]:
    return {"key": place.key, "index": place.index}


def _encoded(row: dict[str, Json]) -> bytes:
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        line = json.dumps(_finite(row), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate becomes its JSON escape by this, which is what the API sent.
    return line.encode("utf-8", "backslashreplace") + b"\n"


def _finite(value: Json) -> Json:
    """NaN and infinities as the strings that proto-JSON has for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
