"""Values that are equal although some of their fields differ: what they are about, not what is noted beside it."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class PartlyEqual(Struct, frozen=True, eq=False):
    """Base of values that are compared without the fields that `BESIDE` names. A subclass gives `eq=False`, too."""

    BESIDE: ClassVar[frozenset[str]]

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in self.BESIDE)
