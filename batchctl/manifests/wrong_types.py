"""The words for a value of the wrong type: what it must be, what it is, and how to write it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from batchctl.manifests.fault_list import did_you_mean, quote_hint
from batchctl.manifests.nodes import Members, Node, Scalar
from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut, shown

_WORDS = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "array": "a list",
    "object": "a mapping",
}
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
"""Spellings of the two booleans; YAML 1.1, which most other tools read, accepts all but the digits."""
_SIZE = Pattern(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([KMGT])(i?)B", re.IGNORECASE)
"""A size with a unit, such as `500MB` or `1 GiB`."""


def wrong_type(node: Node, field: str, *wanted: str, schemas: Sequence[Mapping[str, Json]] = ()) -> tuple[str, str]:
    """The message and the hint for a value of the wrong type; `schemas` restrict the accepted values."""
    names = [_WORDS[name] for name in wanted if name != "null"]
    hint = _type_hint(node, wanted, schemas) if isinstance(node, Scalar) else ""
    is_fraction = isinstance(node, Scalar) and isinstance(node.value, float) and "integer" in wanted
    found = shown(node.text) if is_fraction and isinstance(node, Scalar) else kind_of(node)
    return f"{field} must be {_listed(names)}, not {found}", hint


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def kind_of(node: Node) -> str:
    """The kind of a value, with its article."""
    if isinstance(node, Scalar):
        value = node.value
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "a boolean"
        return "a string" if isinstance(value, str) else "a number"
    return "a mapping" if isinstance(node, Members) else "a list"


def _type_hint(node: Scalar, wanted: Sequence[str], schemas: Sequence[Mapping[str, Json]]) -> str:
    """The way to write a value so that it has an accepted type and the field accepts it."""
    if node.variable is not None:
        kind = next((kind for kind in ("string", "number", "boolean") if kind in wanted), "")
        return f"declare {shown(node.variable)} with type: {kind}" if kind else ""
    if node.value is None:
        return "remove it"
    if "string" in wanted:
        return next((says for schema in schemas if (says := _refusal(node.text, schema))), quote_hint(node.text))
    word = node.text.strip().lower()
    if "boolean" in wanted and word in _TRUE | _FALSE:
        return f"write it as {'true' if word in _TRUE else 'false'}, without quotes"
    return _string_hint(node.value, wanted) if isinstance(node.value, str) else ""


def _string_hint(text: str, wanted: Sequence[str]) -> str:
    """The hint to write the text as a list or a number; empty if it is neither."""
    if "array" in wanted:
        return f"write it as a list: [{cut(text)}]"
    if not ("integer" in wanted or "number" in wanted):
        return ""
    size = _SIZE.fullmatch(text.strip())
    if size is not None:
        factor = (1024 if size[3] else 1000) ** ("KMGT".index(size[2].upper()) + 1)
        return f"write it without a unit: {int(float(size[1]) * factor)}"
    return "write it as a plain number, without quotes" if re.match(r"[-+.]?[0-9]", text) else ""


def _refusal(text: str, schema: Mapping[str, Json]) -> str:
    """Why the field would not accept the text even if it were quoted; empty if it would."""
    if "pattern" in schema and not re.search(schema["pattern"], text):
        return f"it {schema['patternErrorMessage']}"
    if "enum" in schema and text not in schema["enum"]:
        return did_you_mean(text, [value for value in schema["enum"] if value is not None])
    return ""
