"""Answers that came with a key each and with nothing else: nearly all lines of a result file are so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from batchctl.model.forms.line_values import Path
from batchctl.model.forms.templates import Column, Template
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded


class AnswerLines:
    """Some results that came one after the other, in that order."""

    def __init__(self, keys: Sequence[str], responses: Sequence[bytes]) -> None:
        """`responses` are not empty, and as `encoded` writes them."""
        self.keys = keys
        self.responses = responses

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> AnswerLines:
        """Some of the results."""
        return AnswerLines(self.keys[start:end], self.responses[start:end])

    def __iter__(self) -> Iterator[ResultItem]:
        """The results one by one."""
        for key, response in zip(self.keys, self.responses, strict=True):
            yield ResultItem(key, None, decoded(response))


class AnswerForm(Struct, frozen=True, eq=False):
    """Answers that differ in a few texts and numbers alone."""

    sample: Mapping[str, Json]
    """One of them."""
    gaps: tuple[Path, ...]
    """The places at which they differ."""
    template: Template
    """The answer as `encoded` writes it."""


class FormedAnswers(AnswerLines):
    """Results whose answers have one form. `columns` are the texts in its gaps, as `encoded` writes them."""

    def __init__(self, keys: Sequence[str], form: AnswerForm, columns: Sequence[Column]) -> None:
        self.keys = keys
        self.form = form
        self.columns = columns

    def part(self, start: int, end: int) -> FormedAnswers:
        return FormedAnswers(self.keys[start:end], self.form, [column[start:end] for column in self.columns])

    @property
    def parts(self) -> Iterator[bytes]:
        """The contents of the answers: each of their texts is whole in one of these."""
        yield from self.form.template.between
        yield from map(b"\n".join, self.columns)

    @cached_property
    def responses(self) -> Sequence[bytes]:  # type: ignore[override]
        return self.form.template.lines(self.columns, len(self)).split(b"\n")[:-1]
