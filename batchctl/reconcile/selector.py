"""Label selectors, as kubectl has them: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import UsageError
from batchctl.model.pattern import Pattern

_KEY = r"(?P<key>[A-Za-z0-9][A-Za-z0-9._/-]*)"
_TERMS = (
    Pattern(rf"{_KEY}\s*(?:(?P<not>!)=|==?)\s*(?P<values>[A-Za-z0-9._-]*)"),
    Pattern(rf"{_KEY}\s+(?P<not>not)?in\s*\((?P<values>[A-Za-z0-9._\s,-]*)\)"),
    Pattern(rf"(?P<not>!)?\s*{_KEY}(?P<values>)"),
)
_EXISTS = _TERMS[2]


class Requirement(Struct, frozen=True):
    """One term of a selector. `values` of None asks only whether the label is there."""

    key: str
    values: frozenset[str] | None
    negated: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a job's labels fulfil the term; a missing label fulfils `!=` and `notin`, as in kubectl."""
        held = self.key in labels and (self.values is None or labels[self.key] in self.values)
        return held is not self.negated


Selector: TypeAlias = tuple[Requirement, ...]


def parse_selector(text: str) -> Selector:
    """Read a selector. Raises UsageError naming the term that cannot be read."""
    return tuple(_parse_term(term.strip()) for term in re.split(r",(?![^(]*\))", text))


def _parse_term(term: str) -> Requirement:
    for pattern in _TERMS:
        match = pattern.fullmatch(term)
        if match is not None:
            values = frozenset(value.strip() for value in match["values"].split(","))
            return Requirement(match["key"], None if pattern is _EXISTS else values, match["not"] is not None)
    raise UsageError(
        f"cannot read the selector term {term!r}",
        code=ErrorCode.INVALID_SELECTOR,
        hint="write terms as team=search, team!=search, team in (a,b), team notin (a,b), team or !team",
    )
