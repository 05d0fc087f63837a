"""Tokens by the kinds that have prices of their own.

Source: reference 1.4 (`usageMetadata`), chapter 16 (prices differ by modality, by cache, and for long prompts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

LONG_PROMPT = 200_000
"""A row whose prompt has more tokens is billed at the rates for long prompts, where a model has them."""


class Modality(StrEnum):
    """The API's names."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"


MODALITIES = tuple(Modality)
"""In their order. An enum is slow to walk through, and costs do that for each job."""

Counts = Mapping[Modality, int]


class Tokens(Struct, frozen=True, omit_defaults=True):
    """Tokens of one or many rows. Each counts once: `input` is without cached tokens, `output` without thoughts."""

    input: Counts = field(default_factory=dict)
    cached: Counts = field(default_factory=dict)
    output: Counts = field(default_factory=dict)
    thoughts: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            _sum(self.input, other.input),
            _sum(self.cached, other.cached),
            _sum(self.output, other.output),
            self.thoughts + other.thoughts,
        )

    @property
    def total(self) -> int:
        return sum((*self.input.values(), *self.cached.values(), *self.output.values(), self.thoughts))

    @property
    def prompt(self) -> int:
        """Tokens of the input, cached ones included."""
        return sum((*self.input.values(), *self.cached.values()))


class Usage(Struct, frozen=True, omit_defaults=True):
    """The tokens of some rows, by whether their prompts are long, because that decides about their rates."""

    short: Tokens = Tokens()
    long: Tokens = Tokens()

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.short + other.short, self.long + other.long)

    @property
    def all(self) -> Tokens:
        return self.short if self.long == _NO_TOKENS else self.short + self.long


_NO_TOKENS = Tokens()


class Counted(Struct, frozen=True, omit_defaults=True):
    """The count of the API for the answers of one attempt, or of one of its shards."""

    usage: Usage
    rows: int
    """Answers with counts."""
    uncounted: int = 0
    """Answers whose cost does not follow from the counts: they have none, or a service tier with other prices."""
    retires: datetime | None = None
    """When the model is shut down, as its answers say (`modelStatus.retirementTime`, reference 16)."""


def add_usage(parts: Iterable[Usage]) -> Usage:
    """The sum of many usages, in one step: `+` would make a value for each."""
    found = list(parts)
    return Usage(_add_tokens([one.short for one in found]), _add_tokens([one.long for one in found]))


def _add_tokens(parts: Sequence[Tokens]) -> Tokens:
    return Tokens(
        _add_counts([one.input for one in parts]),
        _add_counts([one.cached for one in parts]),
        _add_counts([one.output for one in parts]),
        sum(one.thoughts for one in parts),
    )


def _add_counts(parts: Sequence[Counts]) -> Counts:
    found: dict[Modality, int] = {}
    for counts in parts:
        for kind, number in counts.items():
            found[kind] = found.get(kind, 0) + number
    return {kind: found[kind] for kind in MODALITIES if kind in found}


def _sum(one: Counts, other: Counts) -> Counts:
    if not one or not other:
        return one or other
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in MODALITIES if kind in one or kind in other}
