"""The content of a digest, small in memory: most of it is the same for thousands of jobs, and exists once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from batchctl.model.json_value import Json

PART = "source"
"""The member that each job has for itself."""
_DECODE = msgspec.json.Decoder().decode


encode_part = msgspec.json.Encoder().encode
"""Writes the member `PART` for a tree."""


class SlimTree(Mapping[str, Json]):
    """A JSON object whose member `PART` is decoded each time it is read. It equals any other mapping with its content.

    Other trees may share the other members: do not change them.
    """

    __slots__ = ("_part", "_shared")

    def __init__(self, shared: Mapping[str, Json], part: bytes) -> None:
        """`shared`: the members in their order, `PART` with any value. `part`: the value of `PART` as JSON."""
        self._shared = shared
        self._part = part

    def with_part(self, part: bytes) -> SlimTree:
        """The same tree with another value of `PART`, as JSON."""
        return SlimTree(self._shared, part)

    def __getitem__(self, name: str) -> Json:
        return _DECODE(self._part) if name == PART else self._shared[name]

    def get(self, name: str, default: Any = None, /) -> Any:  # noqa: ANN401 - JSON, or what the caller gives
        """See Mapping. The one that it has catches an error for each member that is missing."""
        return self[PART] if name == PART and PART in self._shared else self._shared.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shared)

    def __len__(self) -> int:
        return len(self._shared)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SlimTree) and self._part == other._part and self._shared is other._shared:
            return True
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment] # JSON has no hash

    def __repr__(self) -> str:
        return repr(dict(self))
