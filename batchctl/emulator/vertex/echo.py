"""The caller's data as a server prints it after parsing it into its own messages. Source: proto-JSON's rules.

Names are camelCase, members with default values are absent, floats with integer values are integers, and members come
in another order. Maps and free-form values keep their names.
"""

from __future__ import annotations

from batchctl.emulator.proto import camel

_MAPS = frozenset({"labels", "properties", "defs"})
"""Fields whose members have names chosen by the caller."""
_FREE = frozenset({
    "args", "response", "default", "example", "responseJsonSchema", "parametersJsonSchema", "modelParameters",
})  # fmt: skip
"""Fields of any JSON."""
_PRESENT = frozenset({"text", "temperature", "topP", "topK", "seed", "thinkingBudget", "candidateCount"})
"""Scalars with presence, so that a default value is echoed."""


def normalised(value: object, name: str = "") -> object:
    """The echo of the value of the field `name`."""
    if isinstance(value, dict):
        named = [(key if name in _MAPS or name in _FREE else camel(key), item) for key, item in value.items()]
        inside = name if name in _FREE else ""
        kept = [(key, item) for key, item in reversed(named) if name in _MAPS | _FREE or not _default(key, item)]
        return {key: normalised(item, inside or ("" if name in _MAPS else key)) for key, item in kept}
    if isinstance(value, list):
        return [normalised(item, name) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _default(name: str, value: object) -> bool:
    if name in _PRESENT or name in _FREE:
        return value is None
    return value is None or value is False or value in ("", []) or (value == 0 and not isinstance(value, bool))
