"""Hints for values of the wrong form: a text for an object, an object for a list, another case of an enum."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut
from batchctl.model.request.fields import Choice, Each, Message, Of
from batchctl.model.request.spelling import spellings
from batchctl.model.suggest import closest

_OF_PYTHON = Pattern(r"""\s*(<class |(list|dict)\[|\[?\w+\(\w+=|\[?\{'|\w+=['"\[\w])""")
"""Python representations: `[Tool(…=…)]`, `<class 'Recipe'>`, `list[Recipe]`, `{'a': 1}`."""
_FROM_PYTHON = 'this is the Python repr of an object: write the JSON that model_dump(mode="json") gives'
_UNSPECIFIED = "_UNSPECIFIED"
"""The end of an enum's first value, which says nothing."""


def of_python(value: Json) -> str:
    """The hint for an object that is given as its Python representation; empty for any other value."""
    return _FROM_PYTHON if isinstance(value, str) and _OF_PYTHON.match(value) else ""


def as_object(message: Message, value: Json) -> str:
    """The hint for a message in another form, such as a form that SDKs accept."""
    is_content = message.name in ("Content", "SystemInstruction")
    if isinstance(value, list):
        return "write {parts: […]}" if is_content else ""
    if not isinstance(value, str):
        return ""
    known = spellings(message.name).get(value)
    if known is not None:
        return f"write {{{known.name}: {{…}}}}"
    if is_content:
        return of_python(value) or "write {parts: [{text: …}]}"
    return of_python(value) or ("write {text: …}" if message.name == "Part" else "")


def as_list(kind: Each, value: Json) -> str:
    """The hint to write a single item as a list."""
    if isinstance(value, Mapping):
        return "write it as a list: [{…}]"
    if not isinstance(value, str):
        return ""
    match kind.item:
        case Of("Part"):
            return of_python(value) or "write [{text: …}]"
        case Of():
            return of_python(value)
        case _:
            return f"write it as a list: [{cut(value)}]"


def known_value(value: str, kind: Choice) -> str:
    """The value of an enum that is most likely meant, else all of them."""
    meant = [name for name in kind.values if not name.endswith(_UNSPECIFIED)]
    ends = [name for name in meant if name.endswith(f"_{value.upper()}")]
    near = ends[0] if len(ends) == 1 else closest(value, meant)
    return f"did you mean {near}?" if near else f"known are: {', '.join(kind.values)}"
