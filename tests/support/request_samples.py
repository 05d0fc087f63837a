"""Requests made from the model of requests: together they have every member, and every value of every enum."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from batchctl.model.keys import Api
from batchctl.model.request.catalogue import MESSAGES
from batchctl.model.request.fields import (
    Base64,
    Boolean,
    Choice,
    Duration,
    Each,
    Field,
    Free,
    Integer,
    Message,
    Named,
    Number,
    Of,
    Text,
    Value,
)

Place = tuple[str, str]
"""A member, by the name of its message and its own."""
_TEXTS = ("text", "application/json", "cachedContents/abc123", "run_it")


@dataclass(frozen=True)
class Samples:
    """Requests for one API: one for each member at each place, with what is required around it."""

    api: Api
    given: Mapping[Place, Any] = field(default_factory=dict)
    """Values of members whose own members the model does not know."""
    left_out: Collection[Place] = frozenset()
    """Members that no request may have."""

    def of(self, root: Message, above: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
        """The requests."""
        inside = (*above, root.name)
        fields = [one for one in root.fields if one.is_on(self.api) and (root.name, one.name) not in self.left_out]
        found = {one.name: list(self._values(root, one, inside)) for one in fields}
        base = {one.name: found[one.name][0] for one in fields if self._is_needed(root, one, above)}
        if base or not fields:
            yield dict(base)
        for one in fields:
            yield from ({**base, one.name: value} for value in found[one.name])

    def _is_needed(self, message: Message, one: Field, above: tuple[str, ...]) -> bool:
        """A turn has a role, which Vertex requires; an instruction does not."""
        is_role = message.name == "Content" and one.name == "role" and above[-1:] == ("GenerateContentRequest",)
        return one.is_needed(self.api) or is_role

    def _values(self, message: Message, one: Field, above: tuple[str, ...]) -> Iterator[Any]:
        if (message.name, one.name) in self.given:
            yield self.given[message.name, one.name]
        else:
            yield from self._of_kind(one, one.value, above)

    def _of_kind(self, one: Field, kind: Value, above: tuple[str, ...]) -> Iterator[Any]:
        match kind:
            case Of(name):
                if name not in above:
                    yield from self.of(MESSAGES[name], above)
            case Each(item):
                yield from ([value] for value in self._of_kind(one, item, above))
            case Named(inner):
                yield from ({"name": value} for value in self._of_kind(one, inner, above))
            case Choice(values):
                yield from values
            case _:
                yield _scalar(one, kind)


def _scalar(one: Field, kind: Value) -> Any:
    match kind:
        case Text(pattern):
            texts = (text for text in (*one.examples, *_TEXTS) if isinstance(text, str))
            return next(text for text in texts if re.search(pattern, text))
        case Base64():
            return "AAAA"
        case Boolean():
            return True
        case Integer(least):
            return max(least or 1, 1)
        case Number(least, most):
            return min(max(least or 1, 1), most or 1)
        case Duration():
            return "1.5s"
        case Free(is_whole=True):
            return {"type": "STRING"}
        case _:
            return {"name": "value"}
