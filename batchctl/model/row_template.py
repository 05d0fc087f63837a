"""Templates of rows that are made from the answers of another job: `src: {fromJob: NAME, template: …}`.

A template is a row whose strings may have placeholders: `${row.key}`, `${row.text}` and `${row.json.PATH}`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, NoReturn, TypeAlias

from msgspec import Struct

from batchctl.model.pattern import Pattern


class Field(StrEnum):
    """The parts of an answer that a placeholder can name."""

    KEY = "key"
    TEXT = "text"
    JSON = "json"


Path: TypeAlias = tuple[str | int, ...]
"""Names of members and positions in lists."""

_STEP = Pattern(r'\.([^.\[\]\s"]+)|\[(0|[1-9][0-9]{0,8})\]|\[("(?:[^"\\]|\\.)*")\]')
_HEAD = Pattern(r"\.([^.\[\]]*)")
_DEEPEST = 100
"""Steps of a path: more than a value of a row may be nested."""


class NotInAnswer(ValueError):
    """The answer does not have the part that a placeholder names."""


class Placeholder(Struct, frozen=True):
    """One placeholder."""

    field: Field
    path: Path = ()

    @classmethod
    def parse(cls, text: str) -> Placeholder:
        """The placeholder behind `row`, such as `.json.items[0].name`. Raises ValueError."""
        head = _HEAD.match(text)
        if head is None or head[1] not in list(Field):
            raise ValueError(f"there is no ${{row{text}}}")
        field, rest = Field(head[1]), text[head.end() :]
        if field is not Field.JSON and rest:
            raise ValueError(f"${{row.{field}}} is a text, and has no members")
        return cls(field, _path(rest, text))

    @property
    def written(self) -> str:
        """As a manifest writes it."""
        return f"${{row.{self.field}{''.join(map(_written_step, self.path))}}}"


def _path(rest: str, text: str) -> Path:
    steps: list[str | int] = []
    while rest:
        found = _STEP.match(rest)
        if found is None or len(steps) == _DEEPEST:
            raise ValueError(f"the path in ${{row{text}}} is malformed")
        name, position, quoted = found.groups()
        steps.append(name or (int(position) if position else json.loads(quoted)))
        rest = rest[found.end() :]
    return tuple(steps)


def _written_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _STEP.fullmatch(f".{step}") else f"[{json.dumps(step, ensure_ascii=False)}]"


class Mixed(Struct, frozen=True):
    """A string with placeholders between other text."""

    parts: tuple[str | Placeholder, ...]


Lookup: TypeAlias = Callable[[Placeholder], Any]
"""The value of a placeholder. Raises NotInAnswer."""


class Answer(Struct, frozen=True, dict=True):
    """One good answer of the other job."""

    key: str
    """The key of its row, or a name made from its position."""
    text: str | None

    def value_of(self, placeholder: Placeholder) -> Any:  # noqa: ANN401 - a JSON value
        """The value of a placeholder. Raises NotInAnswer."""
        match placeholder.field:
            case Field.KEY:
                return self.key
            case Field.TEXT:
                return self._text
            case Field.JSON:
                return _value_at(self._json, placeholder)

    @property
    def _text(self) -> str:
        if self.text is None:
            raise NotInAnswer("the answer has no text")
        return self.text

    @cached_property
    def _json(self) -> Any:  # noqa: ANN401 - a JSON value
        try:
            return json.loads(self._text, parse_constant=_refuse)
        except NotInAnswer:
            raise
        except (ValueError, RecursionError):
            raise NotInAnswer("the answer is not JSON") from None


def _refuse(name: str) -> NoReturn:
    raise NotInAnswer(f"the answer is not JSON: it has {name}")


def _value_at(value: Any, placeholder: Placeholder) -> Any:  # noqa: ANN401 - a JSON value
    for step in placeholder.path:
        is_member = isinstance(step, str) and isinstance(value, dict) and step in value
        is_item = isinstance(step, int) and isinstance(value, list) and step < len(value)
        if not (is_member or is_item):
            raise NotInAnswer(f"the answer has no {placeholder.written}")
        value = value[step]
    return value


class RowTemplate(Struct, frozen=True, dict=True):
    """A row with placeholders: a JSON object whose strings may also be a Placeholder or Mixed."""

    root: Mapping[str, Any]

    def fill(self, lookup: Lookup) -> dict[str, Any]:
        """The row with values in place of the placeholders. Raises NotInAnswer."""
        return {name: _fill(value, lookup) for name, value in self.root.items()}

    @property
    def has_json_values(self) -> bool:
        """Whether a JSON value of any type may be in place of a string."""
        return any(isinstance(leaf, Placeholder) and leaf.field is Field.JSON for leaf in _leaves(self.root))

    @cached_property
    def sha256(self) -> str:
        """The hash of the template: the same for templates that make the same rows from the same answers."""
        text = json.dumps(_tagged(self.root), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _fill(value: Any, lookup: Lookup) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(value, Placeholder):
        return lookup(value)
    if isinstance(value, Mixed):
        return "".join(part if isinstance(part, str) else _text(lookup(part)) for part in value.parts)
    if isinstance(value, Mapping):
        return {name: _fill(member, lookup) for name, member in value.items()}
    return [_fill(item, lookup) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """A value inside a longer text: a string as it is, all others as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - a JSON value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    if inner is None:
        yield value
    for item in inner or ():
        yield from _leaves(item)


def _tagged(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """The template as JSON in which a placeholder cannot be mistaken for text."""
    if isinstance(value, Placeholder):
        return ["row", value.field.value, *value.path]
    if isinstance(value, Mixed):
        return ["mixed", *map(_tagged, value.parts)]
    if isinstance(value, Mapping):
        return {name: _tagged(member) for name, member in value.items()}
    return ["list", *map(_tagged, value)] if isinstance(value, list) else value
