"""Rows in a manifest, as bytes until somebody needs them: as values they take six times the memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, Self, overload

import msgspec

from batchctl.model.sources import RequestRow

_ENCODE = msgspec.msgpack.Encoder().encode  # members keep their order, which an API may regard
_DECODE = msgspec.msgpack.Decoder(tuple[RequestRow, ...]).decode
_DECODE_TEXTS = msgspec.msgpack.Decoder(list[str]).decode


class PackedRows(Sequence[RequestRow]):
    """A list of rows that is decoded each time it is read. It equals any other sequence of the same rows."""

    __slots__ = ("_content", "_count")

    def __init__(self, packed: bytes, count: int) -> None:
        """`packed`: the rows as MessagePack, from a list with the same number of rows."""
        self._content = packed
        self._count = count

    @classmethod
    def of(cls, rows: Iterable[RequestRow]) -> Self:
        """The same rows. Raises UnicodeEncodeError for a text with half of a surrogate pair."""
        listed = list(rows)
        return cls(_ENCODE(listed), len(listed))

    @property
    def packed(self) -> bytes:
        """The rows as MessagePack."""
        return self._content

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> RequestRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RequestRow, ...]: ...
    def __getitem__(self, index: int | slice) -> RequestRow | tuple[RequestRow, ...]:
        return _DECODE(self.packed)[index]

    def __iter__(self) -> Iterator[RequestRow]:
        return iter(_DECODE(self.packed))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedRows) and self.packed == other.packed:
            return True
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # rows contain mappings

    def __repr__(self) -> str:
        return repr(tuple(self))


class Template(Protocol):
    """Rows with gaps."""

    def filled(self, texts: Sequence[bytes]) -> bytes:
        """The rows as MessagePack, given the text of each gap as MessagePack."""
        ...


class FormedRows(PackedRows):
    """Rows that differ in some texts from those of other lists: only these texts are kept."""

    __slots__ = ("_template",)

    def __init__(self, template: Template, texts: Sequence[str], count: int) -> None:
        super().__init__(_ENCODE(texts), count)
        self._template = template

    @property
    def packed(self) -> bytes:
        """See PackedRows."""
        return self._template.filled([_ENCODE(text) for text in _DECODE_TEXTS(self._content)])
