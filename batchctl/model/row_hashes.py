"""Short hashes of rows by key, to name the rows that changed. They contain no text of a prompt.

They are kept beside the digest and are not part of it. Larger inputs have none, so that the state stays small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from msgspec import Struct

from batchctl.model.canonical import canonical_json, row_bytes
from batchctl.model.sources import RequestRow

MOST_ROWS = 1_000
MOST_BYTES = 100_000
"""The most characters that the hashes of one input may have."""
_SHORT = 12
_NAMED = 10
"""The number of keys that a sentence names."""
_LONGEST_KEY = 40
BEYOND = f"the changed rows are not known: batchctl records rows when it sends them, for inputs of up to {MOST_ROWS:,}"


class RowHashes:
    """Adds rows one by one; returns their hashes as one text, or None beyond the limits."""

    def __init__(self) -> None:
        self._hashes: dict[str, str] | None = {}
        self._rows = 0

    @property
    def is_full(self) -> bool:
        """Whether there are too many rows already, so that no further one needs to be added."""
        return self._hashes is None

    def add(self, row: RequestRow) -> None:
        """Add the next row."""
        if self._hashes is not None:
            self.add_line(row.key, row_bytes(row))

    def add_line(self, key: str | None, line: bytes) -> None:
        """Add the next row by its key and its `row_bytes`."""
        self._rows += 1
        if self._hashes is not None:
            self._hashes[_name(self._rows, key)] = _short_hash(line)
            if len(self._hashes) > MOST_ROWS:
                self._hashes = None

    def text(self) -> str | None:
        """The hashes by key, in the order of the rows."""
        if self._hashes is None:
            return None
        members = [f'{_written(name)}:"{value}"' for name, value in self._hashes.items()]
        text = "{" + ",".join(members) + "}"
        return text if len(text) <= MOST_BYTES else None


class KnownKeys(Struct, frozen=True):
    """The keys of a list of rows whose hashes follow."""

    text: str | None
    """The hashes of all rows as one text, with `%s` for each hash; None beyond the limits."""

    @classmethod
    def of(cls, keys: Sequence[str | None]) -> Self | None:
        """The keys of rows in their order; None if two rows would have one name."""
        names = [_name(number, key) for number, key in enumerate(keys, 1)]
        if len(set(names)) < len(names):
            return None
        members = [_written(name).replace("%", "%%") + ':"%s"' for name in names]
        text = "{" + ",".join(members) + "}"
        is_small = len(names) <= MOST_ROWS and len(text % (("0" * _SHORT,) * len(names))) <= MOST_BYTES
        return cls(text if is_small else None)

    def hashes(self, lines: Sequence[bytes]) -> str | None:
        """The hashes of the rows by their `row_bytes`, as `RowHashes` gives them."""
        sha256 = hashlib.sha256
        return None if self.text is None else self.text % tuple([sha256(line).hexdigest()[:_SHORT] for line in lines])


def _name(number: int, key: str | None) -> str:
    """A row without a key is identified by its position."""
    return f"row {number}" if key is None else key


def _written(name: str) -> str:
    return canonical_json(name).decode("ascii")


def _short_hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:_SHORT]


def hash_rows(rows: Iterable[RequestRow]) -> str | None:
    """The hashes of all rows as `RowHashes` gives them."""
    hashes = RowHashes()
    for row in rows:
        hashes.add(row)
    return hashes.text()


class RowChanges(Struct, frozen=True):
    """The differences between the rows of two inputs: keys, in the order of the rows."""

    total: int
    """The present number of rows."""
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`1 of 22 rows changed: new-3`."""
        parts = []
        if self.changed:
            parts.append(f"{len(self.changed)} of {_rows(self.total)} changed: {_named(self.changed)}")
        if self.added:
            parts.append(f"{_rows(len(self.added))} added: {_named(self.added)}")
        if self.removed:
            parts.append(f"{_rows(len(self.removed))} removed: {_named(self.removed)}")
        return "; ".join(parts) or "the rows are the same in another order"


def compare_rows(before: str | None, after: str | None) -> RowChanges | None:
    """The difference of two texts of hashes; None if one of them is not known."""
    if before is None or after is None:
        return None
    old, new = _read(before), _read(after)
    return RowChanges(
        len(new),
        changed=tuple(key for key in new if key in old and old[key] != new[key]),
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
    )


def _read(text: str) -> Mapping[str, str]:
    import json  # msgspec refuses half of a surrogate pair

    found: Mapping[str, str] = json.loads(text)
    return found


def _rows(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"


def _named(keys: tuple[str, ...]) -> str:
    shown = [key if len(key) <= _LONGEST_KEY else f"{key[: _LONGEST_KEY - 1]}…" for key in keys[:_NAMED]]
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    return ", ".join(shown) + more
