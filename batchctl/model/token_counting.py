"""Counting the tokens of some rows by the API before a job is bought: the values, and the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:  # a job has a sample
    from batchctl.model.desired import DesiredJob
    from batchctl.model.json_value import Json


class TokenSample(Struct, frozen=True):
    """The tokens that the API counted for some rows of a job."""

    rows: int
    bytes: int
    """Of these rows, measured like `DesiredJob.input_bytes`."""
    tokens: int

    def tokens_of(self, size: int) -> int:
        """The tokens of so many bytes of rows like these, rounded up."""
        return -(-size * self.tokens // self.bytes)


class SampledRow(Struct, frozen=True):
    """A row to count."""

    request: Mapping[str, Json]
    """As it is sent."""
    size: int
    """Its bytes, measured like `DesiredJob.input_bytes`."""


class RowSampler(Protocol):
    """Chooses rows of a job's input to count."""

    def sample(self, job: DesiredJob, most: int) -> Sequence[SampledRow]:
        """Up to so many rows, spread over the first ones of the input: always the same for the same input.

        Empty for rows that cannot be counted. Raises BatchctlError for a file that cannot be read.
        """
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """A provider that can count tokens."""

    def count_tokens(self, model: str, request: Mapping[str, Json]) -> int | None:
        """The tokens of the prompt of a generate request; None if the API does not count for this model.

        A read: nothing is created or changed. Raises ApiError.
        """
        ...
