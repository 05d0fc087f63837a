"""Both spellings of members: the APIs take `generationConfig` and `generation_config` alike (reference 8.1).

Names inside user data and schemas are the user's own and are never respelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.request.catalogue import MESSAGES
from batchctl.model.request.fields import Each, Field, Message, Named, Of, Value

_CAPITAL = Pattern("[A-Z]")


@lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """The other spelling of a camelCase name."""
    return _CAPITAL.sub(lambda letter: "_" + letter[0].lower(), name)


@cache
def spellings(name: str) -> Mapping[str, Field]:
    """The fields of a message by each of their spellings."""
    fields = MESSAGES[name].fields
    return {snake_case(one.name): one for one in fields} | {one.name: one for one in fields}


def respell(value: Json, message: Message) -> Json:
    """The same request with every known member of every message in camelCase.

    Unknown members and values of a wrong type stay as they are. Raises ValueError where both spellings of a member
    stand side by side.
    """
    if not isinstance(value, Mapping):
        return value
    known = spellings(message.name)
    spelled: dict[str, Json] = {}
    for name, member in value.items():
        field = known.get(name)
        if field is None:
            spelled[name] = member
        elif field.name in spelled or (name != field.name and field.name in value):
            raise ValueError(f"both {snake_case(field.name)} and {field.name} are given: keep one")
        else:
            spelled[field.name] = _respelled(member, field.value)
    return spelled


def _respelled(value: Json, kind: Value) -> Json:
    match kind:
        case Of(name):
            return respell(value, MESSAGES[name])
        case Each(item) if isinstance(value, list):
            return [_respelled(one, item) for one in value]
        case Each(item):
            return _respelled(value, item)
        case Named(inner) if isinstance(value, Mapping):
            return {name: _respelled(one, inner) for name, one in value.items()}
        case _:
            return value
