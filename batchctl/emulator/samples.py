"""Sample values that fit a JSON Schema, or the schema form of the API: the answers to requests for JSON.

Best effort: patterns and conditions between members are not followed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct, field

from batchctl.emulator.wire import JsonObject

_DEEPEST = 12
"""The number of levels that are followed: a schema may refer to itself."""
_OPTIONAL_DEPTH = 3
"""The number of levels with members and items that are not required."""
_MOST_ITEMS = 100
_MOST_VALUES = 1000
"""The number of values and parts that are followed: lists of lists grow with a power of their depth."""
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "emulator@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def sample(schema: object, text: str) -> object:
    """A value that fits the schema; strings without other demands are `text`."""
    root = schema if isinstance(schema, dict) else {}
    return _Sampler(root, text).value(schema, 0)


class _Sampler(Struct, frozen=True):
    root: JsonObject
    text: str
    left: Iterator[int] = field(default_factory=lambda: iter(range(_MOST_VALUES)))

    def value(self, schema: object, depth: int) -> object:
        if not isinstance(schema, dict) or depth > _DEEPEST or next(self.left, None) is None:
            return None
        schema = self._resolved(schema, depth)
        choices = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(choices, list) and choices:
            return choices[0]
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer" | "number" as kind:
                return _number(schema, kind)
            case other:
                return True if other == "boolean" else None

    def _resolved(self, schema: JsonObject, depth: int) -> JsonObject:
        """The schema with the definition that it refers to, the first of its options, and all of its parts."""
        if depth > _DEEPEST or next(self.left, None) is None:
            return schema
        for name in ("$ref", "ref"):
            if isinstance(schema.get(name), str):
                rest = {key: value for key, value in schema.items() if key != name}
                return self._resolved({**self._definition(schema[name]), **rest}, depth + 1)
        for name in ("anyOf", "oneOf", "allOf"):
            parts = schema.get(name)
            if isinstance(parts, list) and parts:
                rest = {key: value for key, value in schema.items() if key != name}
                for part in parts if name == "allOf" else parts[:1]:
                    rest = _merged(rest, self._resolved(part, depth + 1) if isinstance(part, dict) else {})
                return self._resolved(rest, depth + 1)
        return schema

    def _definition(self, reference: str) -> JsonObject:
        found: object = self.root
        for name in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(name, {}) if isinstance(found, dict) and name else found
        return found if isinstance(found, dict) else {}

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        members, required = schema.get("properties"), schema.get("required")
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        properties = members if isinstance(members, dict) else {}
        wanted = [*properties, *(name for name in names if name not in properties)]
        kept = wanted if depth < _OPTIONAL_DEPTH else names
        return {name: self.value(properties.get(name, {"type": "string"}), depth + 1) for name in kept}

    def _array(self, schema: JsonObject, depth: int) -> list[object]:
        first = schema.get("prefixItems")
        items = [self.value(item, depth + 1) for item in first] if isinstance(first, list) else []
        least = int(_limit(schema, "minItems", 0 if items or depth >= _OPTIONAL_DEPTH else 1))
        most = int(_limit(schema, "maxItems", _MOST_ITEMS))
        more = schema.get("items", {})
        count = min(max(least, len(items)), max(most, 0), _MOST_ITEMS)
        return [*items, *(self.value(more, depth + 1) for _ in range(count - len(items)))][:count]

    def _string(self, schema: JsonObject) -> str:
        wanted = schema.get("format")
        if isinstance(wanted, str) and wanted in _FORMATS:
            return _FORMATS[wanted]
        least, most = _limit(schema, "minLength", 0), _limit(schema, "maxLength", len(self.text))
        return self.text.ljust(min(int(least), _MOST_ITEMS * _MOST_ITEMS), ".")[: max(int(most), int(least), 0)]


def _type(schema: JsonObject) -> str:
    """The name of the type in lower case; of several types, the first that is not null."""
    implied = "object" if "properties" in schema else "array" if schema.keys() & {"items", "prefixItems"} else "string"
    named = schema.get("type", implied)
    if isinstance(named, list):
        named = next((name for name in named if name != "null"), "null")
    return str(named).lower()


def _number(schema: JsonObject, kind: str) -> float:
    """The number nearest to zero that the limits allow."""
    step = _limit(schema, "multipleOf", 1) or 1
    low = max(_limit(schema, "minimum", -math.inf), _limit(schema, "exclusiveMinimum", -math.inf))
    high = min(_limit(schema, "maximum", math.inf), _limit(schema, "exclusiveMaximum", math.inf))
    found: float = 0
    if low > 0 or (low == 0 and "exclusiveMinimum" in schema):
        found = math.ceil(low / step) * step
        found += step if found == _limit(schema, "exclusiveMinimum", -math.inf) else 0
    elif high < 0 or (high == 0 and "exclusiveMaximum" in schema):
        found = math.floor(high / step) * step
        found -= step if found == _limit(schema, "exclusiveMaximum", math.inf) else 0
    if not low <= found <= high or (kind == "number" and found in (low, high)):
        found = low if low == high else (low + high) / 2 if math.isfinite(low + high) else found
    return int(found) if float(found).is_integer() else found


def _merged(first: JsonObject, second: JsonObject) -> JsonObject:
    """Both schemas in one; members and required names are joined."""
    joined = {**first, **second}
    for name in ("properties", "required"):
        one, other = first.get(name), second.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            joined[name] = {**one, **other}
        elif isinstance(one, list) and isinstance(other, list):
            joined[name] = [*one, *other]
    return joined


def _limit(schema: JsonObject, name: str, usual: float) -> float:
    """A limit of the schema, which may be a number in a string."""
    value = schema.get(name, usual)
    try:
        return float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else usual
    except ValueError:
        return usual
