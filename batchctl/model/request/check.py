"""Checks a request against the model of it.

One check for `spec.request` and for rows. Where the APIs let through what JSON's mapping of protocol buffers allows
(numbers as strings, enums as numbers, null for an absent member), it does too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.kinds import Kind
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.request.catalogue import ANY, MESSAGES, ROOTS
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
from batchctl.model.request.problems import Fault, Path, Problem, kind_of
from batchctl.model.request.spelling import snake_case, spellings

_NOT_IN_DEFAULTS = frozenset({"contents", "content", "model"})
"""The fields that each row has itself."""
_DURATION = Pattern(r"-?[0-9]+(\.[0-9]{1,9})?s")
_BASE64 = Pattern(r"[A-Za-z0-9+/_-]*={0,2}")
_INTEGER = Pattern(r"-?[0-9]{1,20}(\.0*)?")
_NUMBER = Pattern(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def check_row_request(request: Json, kind: Kind, api: Api | None) -> Iterator[Problem]:
    """The problems of one row's request, in either spelling. `api` is None where it is not known."""
    yield from _Check(api, is_default=False).object(request, ROOTS[kind], ())


def check_defaults(request: Json, kind: Kind | None, api: Api | None) -> Iterator[Problem]:
    """The same of a job's `request`, which goes under each row: nothing is required, and a text makes an instruction.

    `kind` is None for a stack's defaults, which are for rows of both kinds.
    """
    yield from _Check(api, is_default=True).object(request, ANY if kind is None else ROOTS[kind], ())


class _Check(Struct, frozen=True):
    """One walk through a request."""

    api: Api | None
    is_default: bool

    def object(self, value: Json, message: Message, path: Path) -> Iterator[Problem]:
        """The problems of an object that has to be a message."""
        if not isinstance(value, Mapping):
            from batchctl.model.request.forms import as_object

            yield _wrong(path, "object", value, as_object(message, value))
            return
        known = spellings(message.name)
        for name, member in value.items():
            field = known.get(name)
            if field is None or (not path and self.is_default and field.name in _NOT_IN_DEFAULTS):
                from batchctl.model.request.hints import way_out

                yield Problem(
                    (*path, name),
                    Fault.UNKNOWN_FIELD,
                    f"there is no field {shown(name)} in {_named(path)}",
                    way_out(name, message, hidden=_NOT_IN_DEFAULTS if self.is_default and not path else frozenset()),
                )
            elif name != field.name and field.name in value:
                text = f"both {snake_case(field.name)} and {field.name} are given"
                yield Problem((*path, name), Fault.INVALID_VALUE, text, "keep one")
            elif member is not None:
                yield from self._member(member, field, (*path, name))
        yield from self._lacking(value, message, path)

    def _lacking(self, value: Mapping[str, Json], message: Message, path: Path) -> Iterator[Problem]:
        if self.is_default and not path:
            return
        for field in message.fields:
            if (
                field.is_needed(self.api)
                and value.get(field.name) is None
                and value.get(snake_case(field.name)) is None
            ):
                hint = field.description.rstrip(".")
                yield Problem(path, Fault.MISSING_FIELD, f'the field "{field.name}" is missing in {_named(path)}', hint)
        is_turn = path[:1] == ("contents",) and message.name == "Content"
        if is_turn and self.api is Api.VERTEX and value.get("role") is None:
            yield Problem(
                path, Fault.MISSING_FIELD, f'the field "role" is missing in {_named(path)}', "write role: user"
            )
        if message.exactly_one and all(member is None for member in value.values()):
            names = ", ".join(field.name for field in message.fields[:_FEW])
            yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} may not be empty", f"give one of: {names}, …")
        if message.alternatives and len(value) > 1:
            known = spellings(message.name)
            given = [name for name in value if name in known and value[name] is not None]
            data = [name for name in given if known[name].name in message.alternatives]
            if len(data) > 1:
                text = f"{_named(path)} has both {shown(data[0])} and {shown(data[1])}"
                yield Problem(path, Fault.INVALID_VALUE, text, "write an item of its own for each")

    def _member(self, value: Json, field: Field, path: Path) -> Iterator[Problem]:
        if not field.is_on(self.api):
            assert field.only is not None
            text = f"{_named(path)} is for {API_NAMES[field.only]} only"
            yield Problem(path, Fault.WRONG_PROVIDER, text, "leave it out")
            return
        if self.api is not None and field.undocumented_on is self.api:
            text = (
                f"{_named(path)} is not in the documentation of {API_NAMES[self.api]}, although Google's SDK sends it"
            )
            yield Problem(path, Fault.UNDOCUMENTED, text, "try it on one row before you run many")
        if field.instead:
            yield Problem(path, Fault.DEPRECATED, f"{_named(path)} is deprecated", f"write {field.instead}")
        if self.is_default and field.name == "systemInstruction" and not isinstance(value, Mapping):
            if not isinstance(value, str):
                yield _wrong(path, ("string", "object"), value)
            elif not value:
                yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} may not be empty")
            return
        yield from self._value(value, field.value, path)

    def _value(self, value: Json, kind: Value, path: Path) -> Iterator[Problem]:
        match kind:
            case Of(name):
                yield from self.object(value, MESSAGES[name], path)
            case Each():
                yield from self._list(value, kind, path)
            case Named(inner):
                yield from self._names(value, inner, path)
            case Free(takes):
                fits = isinstance(value, Mapping) or (isinstance(value, bool) and "boolean" in takes)
                if not fits:
                    from batchctl.model.request.forms import of_python

                    yield _wrong(path, takes, value, of_python(value))
            case _:
                yield from _scalar(value, kind, path, lenient=not self.is_default)

    def _list(self, value: Json, kind: Each, path: Path) -> Iterator[Problem]:
        if isinstance(value, Mapping) and kind.one_is_enough:
            yield from self._value(value, kind.item, path)
        elif not isinstance(value, list):
            from batchctl.model.request.forms import as_list

            yield _wrong(path, "array", value, as_list(kind, value))
        elif len(value) < kind.least:
            yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} may not be empty")
        else:
            for index, item in enumerate(value):
                yield from self._value(item, kind.item, (*path, index))

    def _names(self, value: Json, inner: Value, path: Path) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield _wrong(path, "object", value)
            return
        for name, member in value.items():
            yield from self._value(member, inner, (*path, name))


_FEW = 5
"""Names in a hint that is not about one of them."""


def _scalar(value: Json, kind: Value, path: Path, *, lenient: bool) -> Iterator[Problem]:
    """`lenient` takes numbers as strings, as the wire does; in a file of ours, quotes make a string."""
    match kind:
        case Boolean():
            if not isinstance(value, bool):
                yield _wrong(path, "boolean", value, _boolean_hint(value))
        case Integer(least, most):
            number = _as_number(value, _INTEGER) if lenient else value
            yield from _number(number, path, "integer", least, most)
        case Number(least, most):
            number = _as_number(value, _NUMBER) if lenient else value
            yield from _number(number, path, "number", least, most)
        case Choice():
            yield from _choice(value, kind, path)
        case _:
            yield from _text(value, kind, path)


def _text(value: Json, kind: Value, path: Path) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, "string", value, "quote it" if isinstance(value, int | float) else "")
        return
    match kind:
        case Text(pattern, says, non_empty):
            if non_empty and not value:
                yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} may not be empty")
            elif pattern and not _matches(pattern, value):
                yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} cannot be {shown(value)}", f"it {says}")
        case Base64():
            if not is_base64(value):
                yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} is not base64", "encode the bytes in base64")
        case Duration():
            if not _DURATION.fullmatch(value):
                text = f"{_named(path)} cannot be {shown(value)}"
                yield Problem(path, Fault.INVALID_VALUE, text, "it must be seconds, such as 1.5s")
        case _:
            return


def is_base64(value: str) -> bool:
    """Whether a text has the form of base64, with line ends or without."""
    return _BASE64.fullmatch(value.replace("\n", "") if "\n" in value else value) is not None


def _as_number(value: Json, form: Pattern) -> Json:
    """The number that a string holds; the value itself where it holds none."""
    return float(value) if isinstance(value, str) and form.fullmatch(value) else value


def _number(value: Json, path: Path, wanted: str, least: float | None, most: float | None) -> Iterator[Problem]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (wanted == "integer" and value != int(value)):
        yield _wrong(path, wanted, value)
    elif least is not None and value < least:
        yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} must be at least {least}")
    elif most is not None and value > most:
        yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} must be at most {most}")


def _choice(value: Json, kind: Choice, path: Path) -> Iterator[Problem]:
    if isinstance(value, int) and not isinstance(value, bool):
        return  # the number of an enum's value is as good as its name
    if not isinstance(value, str):
        yield _wrong(path, "string", value)
    elif value not in kind.values:
        from batchctl.model.request.forms import known_value

        usual = next((name for name in kind.values if name.lower() == value.lower()), None) if kind.is_closed else None
        hint = dict(kind.instead).get(value) or known_value(value, kind)
        if usual is not None:
            text = f"{_named(path)} is {shown(value)}, which the API documents as {shown(usual)}"
            yield Problem(path, Fault.UNKNOWN_VALUE, text, f"write {usual}")
        elif kind.is_closed:
            yield Problem(path, Fault.INVALID_VALUE, f"{_named(path)} cannot be {shown(value)}", hint)
        else:
            yield Problem(path, Fault.UNKNOWN_VALUE, f"{_named(path)} has the unknown value {shown(value)}", hint)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.removesuffix("$") + r"\Z" if text.endswith("$") else text)


def _matches(pattern: str, value: str) -> bool:
    return _pattern(pattern).search(value) is not None


_WANTED = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def _wrong(path: Path, wanted: str | tuple[str, ...], value: Json, hint: str = "") -> Problem:
    types = (wanted,) if isinstance(wanted, str) else wanted
    names = " or ".join(_WANTED[name] for name in types)
    message = f"{_named(path)} must be {names}, not {kind_of(value)}"
    return Problem(path, Fault.WRONG_TYPE, message, hint, types)


def _boolean_hint(value: Json) -> str:
    word = str(value).strip().lower()
    return f"write it as {word}, without quotes" if word in ("true", "false") else ""


def _named(path: Path) -> str:
    """The field that a path leads to, as sentences name it."""
    names = [step for step in path if isinstance(step, str)]
    field = shown(names[-1]) if names else '"request"'
    return f"an item of {field}" if path and not isinstance(path[-1], str) else field
