"""Reads the YAML of a seed within limits: a small file cannot block the emulator, and no message quotes its content.

The limits (bytes, nesting, number of values with all aliases expanded) are checked on the parser's events, before any
value is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from batchctl.emulator.schemas import Invalid

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 2_000_000
_LONGEST_NUMBER = 100
"""In characters: the time to parse a number grows with the square of its length."""
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


class _Loader(_PARSER):  # type: ignore[misc, valid-type]  # chosen when the module is loaded
    """Leaves times as strings, as in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012  the library's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_yaml(content: bytes, name: str) -> Any:  # noqa: ANN401  whatever YAML holds
    """The only document in `content`. Raises Invalid with `name` and the position."""
    if len(content) > MAX_BYTES:
        raise Invalid(f"{name}: larger than {MAX_BYTES // 1024**2} MB")
    try:
        text = content.decode("utf-8")
        _Bounds(name).check(text)
        return yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        raise Invalid(f"{name}: not valid YAML{_place(error)}") from error
    except (ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, Invalid):
            raise
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "it contains a value that cannot be read"
        raise Invalid(f"{name}: not valid YAML: {reason}") from error


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"


@dataclass
class _Open:
    """A list or mapping whose end event has not come yet."""

    anchor: str | None
    values: int


@dataclass
class _Bounds:
    """Checks the limits on the events of a document."""

    name: str
    anchors: dict[str, int | None] = field(default_factory=dict)
    """The number of values below each anchor; None while it is open: an alias to it would be a cycle."""
    open: list[_Open] = field(default_factory=list)
    values: int = 0

    def check(self, text: str) -> None:
        """Raise Invalid if the document exceeds a limit, and YAMLError if it is not valid."""
        resolver: Any = yaml.SafeLoader("")
        for event in yaml.parse(text, Loader=_PARSER):
            if isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                is_long = event.implicit[0] and len(event.value) > _LONGEST_NUMBER
                if is_long and resolver.resolve(yaml.ScalarNode, event.value, (True, False)) in _NUMBERS:
                    raise self._bad(event, f"a number of more than {_LONGEST_NUMBER} characters")
                self._count(event, 1)
                if event.anchor is not None:
                    self.anchors[event.anchor] = 1

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise self._bad(event, f"nested deeper than {MAX_DEPTH} levels")
        self._count(event, 1)
        self.open.append(_Open(event.anchor, self.values - 1))
        if event.anchor is not None:
            self.anchors[event.anchor] = None

    def _end(self) -> None:
        ended = self.open.pop()
        if ended.anchor is not None:
            self.anchors[ended.anchor] = self.values - ended.values

    def _alias(self, event: yaml.AliasEvent) -> None:
        values = self.anchors.get(str(event.anchor), 0)
        if values is None:
            raise self._bad(event, "an alias refers to a value that contains it")
        self._count(event, values)

    def _count(self, event: yaml.Event, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self._bad(event, f"more than {MAX_VALUES} values with all aliases expanded")

    def _bad(self, event: yaml.Event, what: str) -> Invalid:
        mark: Any = event.start_mark
        return Invalid(f"{self.name}: {what}, line {mark.line + 1}, column {mark.column + 1}")
