"""Rows of an input that differ in their texts alone, column by column.

Most inputs are written by one program, so long runs of rows differ in their texts alone. What is the same for all of
them is then handled once, and what differs in columns, which takes a tenth of the time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import InputRow


class RowColumns(ABC):
    """Rows that come one after the other, ask for the same answers, and have nothing beside their requests.

    No result repeats their requests.
    """

    keys: Sequence[str | None]
    names: Sequence[str]
    """The `key` under which each row is sent: its own, or batchctl's."""
    asked: Mapping[str, Json]
    """See `InputRow`; `output`, too."""
    output: int

    def __len__(self) -> int:
        return len(self.keys)

    @property
    @abstractmethod
    def fingerprints(self) -> Sequence[bytes]:
        """The fingerprint of each row."""

    @property
    @abstractmethod
    def sizes(self) -> Sequence[int]:
        """The approximate bytes of each row as it is sent."""

    def __iter__(self) -> Iterator[InputRow]:
        """The rows one by one."""
        for key, name, fingerprint, size in zip(self.keys, self.names, self.fingerprints, self.sizes, strict=True):
            yield InputRow(key, None, {}, {"key": name}, self.asked, self.output, fingerprint, size)
