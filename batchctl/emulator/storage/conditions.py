"""Preconditions: the state of an existing object that a call requires.

Source: storage v1, the parameters `ifGenerationMatch` and others. Generation 0 means that no object exists.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import asdict

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import OldRefused
from batchctl.emulator.storage.objects import Object
from batchctl.emulator.wire import JsonObject, Refused

_MESSAGE = "At least one of the pre-conditions you specified did not hold."


class Conditions(Struct, frozen=True):
    """The required values; None if a value is not required."""

    generation: int | None = None
    other_generation: int | None = None
    """Must differ from the object's."""
    metageneration: int | None = None
    other_metageneration: int | None = None

    def to_json(self) -> JsonObject:
        """The stored form."""
        return asdict(self)

    def check(self, item: Object | None) -> None:
        """Raise Refused (412) unless the object, or its absence, fulfils all conditions."""
        if not self._matches(item) or self.has_not_changed(item):
            raise OldRefused(412, _MESSAGE, place=("header", "If-Match"))

    def check_read(self, item: Object) -> None:
        """Like `check`, for a read: an unchanged object is not an error (see `has_not_changed`)."""
        if not self._matches(item):
            raise OldRefused(412, _MESSAGE, place=("header", "If-Match"))

    def has_not_changed(self, item: Object | None) -> bool:
        """Whether the object still has the generation or metageneration that the caller excludes."""
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
    """The conditions of the query on the object, or on the source of a copy (`ifSource`). Raises Refused (400)."""
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
        raise Refused(400, f"Invalid value for {name}: {ascii(text)[1:-1][:40]!r} is not a number.")
    return int(text)
