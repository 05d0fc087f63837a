"""Preconditions: what a call asks of the object that is there before it does anything.

Source: storage v1, the parameters `ifGenerationMatch` and its like. Generation 0 stands for no object at all.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.legacy import OldRefused
from batchctl.emulator.storage.objects import Object
from batchctl.emulator.wire import JsonObject, Refused

_MESSAGE = "At least one of the pre-conditions you specified did not hold."


@dataclass(frozen=True)
class Conditions:
    """What is asked; None where nothing is."""

    generation: int | None = None
    other_generation: int | None = None
    """Must not be the object's."""
    metageneration: int | None = None
    other_metageneration: int | None = None

    def to_json(self) -> JsonObject:
        """The stored form."""
        return asdict(self)

    def check(self, item: Object | None) -> None:
        """Raise Refused (412) unless all that is asked holds for the object, or for its absence."""
        if not self._matches(item) or self.has_not_changed(item):
            raise OldRefused(412, _MESSAGE, place=("header", "If-Match"))

    def check_read(self, item: Object) -> None:
        """The same for a read, where an object that has not changed is no error: see `has_not_changed`."""
        if not self._matches(item):
            raise OldRefused(412, _MESSAGE, place=("header", "If-Match"))

    def has_not_changed(self, item: Object | None) -> bool:
        """Whether the object is still the one that the caller does not want."""
        generation, metageneration = _numbers(item)
        return self.other_generation == generation or (
            metageneration is not None and self.other_metageneration == metageneration
        )

    def _matches(self, item: Object | None) -> bool:
        generation, metageneration = _numbers(item)
        return self.generation in {None, generation} and (
            self.metageneration is None or self.metageneration == metageneration
        )


def read_conditions(exchange: Exchange, of: str = "if") -> Conditions:
    """What the query asks of the object, or of the source of a copy (`ifSource`). Raises Refused (400)."""
    return Conditions(
        _number(exchange, f"{of}GenerationMatch"),
        _number(exchange, f"{of}GenerationNotMatch"),
        _number(exchange, f"{of}MetagenerationMatch"),
        _number(exchange, f"{of}MetagenerationNotMatch"),
    )


def _numbers(item: Object | None) -> tuple[int, int | None]:
    return (0, None) if item is None else (item.generation, item.metageneration)


def _number(exchange: Exchange, name: str) -> int | None:
    text = exchange.request.param(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, f"Invalid value for {name}: {ascii(text)[1:-1][:40]!r} is no number.")
    return int(text)
