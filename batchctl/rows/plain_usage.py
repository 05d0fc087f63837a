"""The token counts of usual answers, by a compiled type: text alone, and every count a plausible number."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from batchctl.model.cost.tokens import LONG_PROMPT
from batchctl.rows.numbers import MOST_COUNT

Count = Annotated[int, Meta(ge=0, lt=MOST_COUNT)]
"""A plausible number of tokens."""


class _OfText(Struct, gc=False, forbid_unknown_fields=True):
    modality: Literal["TEXT"]
    tokenCount: Count  # noqa: N815 - names of the API


class PlainUsage(Struct, gc=False, forbid_unknown_fields=True):
    """The `usageMetadata` of a usual answer."""

    promptTokenCount: Count  # noqa: N815
    candidatesTokenCount: Count  # noqa: N815
    totalTokenCount: Count  # noqa: N815
    thoughtsTokenCount: Count | UnsetType = UNSET  # noqa: N815
    promptTokensDetails: list[_OfText] = []  # noqa: N815
    candidatesTokensDetails: list[_OfText] = []  # noqa: N815
    trafficType: str = ""  # noqa: N815


class PlainSums(Struct, frozen=True):
    """The counts of several usual answers."""

    prompt: int
    answered: int
    total: int
    thoughts: int | None
    """None: no answer has the count."""


def sum_up(usages: Sequence[PlainUsage]) -> PlainSums | None:
    """The sums of several answers; None if a prompt is long, or if details say something else than a count."""
    prompts, answered, totals, thoughts = (
        list(map(attrgetter(name), usages))
        for name in ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")
    )
    details = (("promptTokensDetails", prompts), ("candidatesTokensDetails", answered))
    if max(prompts) > LONG_PROMPT or not all(_fit(list(map(attrgetter(name), usages)), of) for name, of in details):
        return None
    thought = [number for number in thoughts if number is not UNSET]
    return PlainSums(sum(prompts), sum(answered), sum(totals), sum(thought) if thought else None)


def _fit(details: Sequence[Sequence[_OfText]], numbers: Sequence[int]) -> bool:
    """Whether the details of each answer, if it has any, are its number."""
    if not any(details):
        return True
    pairs = zip(details, numbers, strict=True)
    return all(not some or (len(some) == 1 and some[0].tokenCount == number) for some, number in pairs)
