"""Puts a row's request over the job's defaults, as RFC 7396 says, whichever spelling each has."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import MESSAGES, ROOTS
from batchctl.model.request.fields import Field, Free, Message, Of
from batchctl.model.request.spelling import snake_case, spellings

_NO_OBJECTS = (str, list, int, float, bool)
"""Types that are recognised faster than a mapping is ruled out."""


def with_defaults(defaults: Mapping[str, Json], request: Mapping[str, Json], kind: Kind) -> Mapping[str, Json]:
    """The request over its defaults; without defaults it stays as it is, nulls too.

    Null takes a default away. A schema replaces a default's as a whole. Each member keeps the row's spelling.
    """
    return _merged(defaults, request, ROOTS[kind]) if defaults else request


def _merged(target: Json, patch: Json, message: Message | None) -> Json:
    if type(patch) in _NO_OBJECTS or not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    known = {} if message is None else spellings(message.name)
    for name, value in patch.items():
        field = known.get(name)
        default = result[name] if name in result else result.pop(_other(name, field), None)
        if value is None:
            result.pop(name, None)
        elif field is not None and isinstance(field.value, Free) and field.value.is_whole:
            result[name] = value
        else:
            result[name] = _merged(default, value, _message_of(field))
    return result


def _other(name: str, field: Field | None) -> str:
    """The other spelling of a member; the same where it has none."""
    if field is None:
        return name
    return field.name if name != field.name else snake_case(field.name)


def _message_of(field: Field | None) -> Message | None:
    return MESSAGES[field.value.message] if field is not None and isinstance(field.value, Of) else None
