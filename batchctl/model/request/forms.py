"""Hints for values of the wrong form: a text for an object, an object for a list, another case of an enum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut
from batchctl.model.request.catalogue import MESSAGES
from batchctl.model.request.fields import Choice, Each, Message, Of
from batchctl.model.request.spelling import spellings
from batchctl.model.suggest import closest

_OF_PYTHON = Pattern(r"""\s*(<class |(list|dict)\[|\[?\w+\(\w+=|\[?\{'|\w+=['"\[\w])""")
"""Python representations: `[Tool(…=…)]`, `<class 'Recipe'>`, `list[Recipe]`, `{'a': 1}`."""
_FROM_PYTHON = 'this is the Python repr of an object: write the JSON that model_dump(mode="json") gives'
_SEPARATOR = Pattern(r"[\s-]+")
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
        case Of(name):
            item = as_object(MESSAGES[name], value)
            return f"write [{item.removeprefix('write ')}]" if item.startswith("write {") else item
        case _:
            return f"write it as a list: [{cut(value)}]"


def known_value(value: str, kind: Choice) -> str:
    """The value of an enum that is most likely meant, else all of them."""
    meant = [name for name in kind.values if not name.endswith(_UNSPECIFIED)]
    start = _common_start(meant)
    ends = {name.removeprefix(start): name for name in meant}
    # What all values begin with says nothing about which of them is meant.
    end = _SEPARATOR.sub("_", value).upper().removeprefix(_type_of(kind)).removeprefix(start)
    begun = [name for name in ends if name.startswith(end)]
    ended = [name for name in ends if name.endswith(f"_{end}")]
    near = next((found[0] for found in ([end] if end in ends else [], begun, ended) if len(found) == 1), None)
    near = near or closest(end, ends)
    return f"did you mean {ends[near]}?" if near else f"known are: {', '.join(kind.values)}"


def _type_of(kind: Choice) -> str:
    """The name of an enum's type as its first value has it, `THINKING_LEVEL_`; empty without such a value."""
    first = next((name for name in kind.values if name.endswith(_UNSPECIFIED)), _UNSPECIFIED)
    return first.removesuffix(_UNSPECIFIED[1:]) if first != _UNSPECIFIED else ""


def _common_start(names: Sequence[str]) -> str:
    """The words that all names of an enum begin with, such as `HARM_CATEGORY_`."""
    words = zip(*(name.split("_") for name in names), strict=False)
    shared = takewhile(lambda found: len(set(found)) == 1, words)
    return "".join(f"{found[0]}_" for found in shared)
