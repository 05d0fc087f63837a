"""Members of a row as the user wrote them, where a server gives them back in another way.

An importer takes texts that look like numbers for numbers, reorders members and fills in what is absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.rows.echo import number_like


def as_written(came: Mapping[str, Json], known: Mapping[str, Json]) -> dict[str, Json]:
    """The members beside a row's request: as the input has it, and what the reply has besides or says otherwise."""
    found = {name: value for name, value in came.items() if name not in known}
    return {name: came[name] if _differs(came, name, value) else value for name, value in known.items()} | found


def _differs(came: Mapping[str, Json], name: str, value: Json) -> bool:
    return name in came and not _is_same(came[name], value)


def _is_same(came: Json, value: Json) -> bool:
    if isinstance(came, Mapping) and isinstance(value, Mapping):
        return all(_is_same(came.get(name), member) for name, member in value.items())
    if isinstance(came, list) and isinstance(value, list):
        return len(came) == len(value) and all(map(_is_same, came, value))
    if isinstance(came, str | int | float) and isinstance(value, str | int | float):
        return came == value or number_like(str(came)) == number_like(str(value))
    return bool(came == value)
