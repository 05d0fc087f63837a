"""Keeps thousands of jobs small in memory: values that they have in common exist once, and rows are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.packed_rows import PackedRows
from batchctl.model.slim_tree import PART, SlimTree, encode_part
from batchctl.model.sources import InlineRows, Source

T = TypeVar("T")

_MOST_SHARED = 1024
_ENCODE = msgspec.msgpack.Encoder().encode


class SlimJobs:
    """Makes jobs smaller, for the jobs of one stack."""

    def __init__(self) -> None:
        self._known: dict[tuple[type, bytes], Any] = {}

    def slim(self, job: DesiredJob) -> DesiredJob:
        """An equal job."""
        return replace(
            job,
            tree=self._tree(job.tree),
            source=_packed(job.source),
            request=self._shared(job.request),
            labels=self._shared(job.labels),
            lifecycle=self._shared(job.lifecycle),
            row_settings=self._shared(job.row_settings),
            sharding=self._shared(job.sharding),
            model=self._shared(job.model),
        )

    def _tree(self, tree: Mapping[str, Json]) -> Mapping[str, Json]:
        shared = {name: None if name == PART else self._shared(part) for name, part in tree.items()}
        return SlimTree(self._shared(shared), encode_part(tree[PART])) if PART in tree else shared

    def _shared(self, value: T) -> T:
        """The first value that is written as this one is."""
        try:
            key = (type(value), _ENCODE(value))
        except UnicodeEncodeError:
            return value  # half of a surrogate pair
        if len(self._known) >= _MOST_SHARED:
            self._known.clear()
        found: T = self._known.setdefault(key, value)
        return found


def _packed(source: Source) -> Source:
    if not isinstance(source, InlineRows):
        return source
    try:
        return replace(source, rows=PackedRows.of(source.rows))
    except UnicodeEncodeError:
        return source
