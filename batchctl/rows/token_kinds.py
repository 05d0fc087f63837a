"""Tokens of answers by the kinds that have prices of their own: modality, cached, thoughts, and long prompts.

An answer whose counts do not fit together, or that was served by a tier with other prices, counts as not counted: its
cost is not known. Tokens without a modality are taken to be text. Source: reference 1.4 and chapter 16
(`usageMetadata`, `serviceTier`; flex has batch's price), and Google's client for Python
(`GenerateContentResponseUsageMetadata`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from batchctl.model.cost.tokens import LONG_PROMPT, Counted, Counts, Modality, Tokens, Usage
from batchctl.model.json_value import Json
from batchctl.model.times import read_rfc3339
from batchctl.rows.numbers import MOST_COUNT, read_count

_BATCH_TIERS = frozenset({"standard", "flex", "service_tier_unspecified", "unspecified", "service_tier_standard"})
_BATCH_TIERS |= {"service_tier_flex", "batch"}
_SIMPLE = frozenset(
    {
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "promptTokensDetails",
        "candidatesTokensDetails",
        "trafficType",
    }
)
"""Members of the usual answers, which are summed in columns."""
_COLUMNS = (("promptTokenCount", None), ("candidatesTokenCount", 0), ("thoughtsTokenCount", 0))
"""The counts of these, with what stands for one that is absent."""
_OWN_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Members of other publishers whose tokens have prices that no price list has."""
_MODALITIES = frozenset(Modality)


class TokenSums:
    """Sums the tokens of many answers."""

    def __init__(self) -> None:
        self._rows = self._uncounted = 0
        self._short, self._long = _Sums(), _Sums()
        self._retires: datetime | None = None

    def add(self, usage: Mapping[str, Json] | None) -> None:
        """Add an answer by its `usageMetadata`; None: it has none."""
        tokens = None if usage is None else tokens_of(usage)
        if tokens is None:
            self._uncounted += 1
            return
        self._rows += 1
        (self._long if tokens.prompt > LONG_PROMPT else self._short).add(tokens)

    def add_tokens(self, tokens: Tokens) -> None:
        """Add an answer by its tokens."""
        self._rows += 1
        (self._long if tokens.prompt > LONG_PROMPT else self._short).add(tokens)

    def add_all(self, usages: Sequence[Mapping[str, Json]]) -> None:
        """The same for several answers. The usual ones, of text alone, are summed at once."""
        tokens = _sum_plain(usages)
        if tokens is None:
            for usage in usages:
                self.add(usage)
            return
        self.add_sums(len(usages), tokens)

    def add_sums(self, rows: int, tokens: Tokens) -> None:
        """Add several answers to short prompts by the sums of their tokens."""
        self._rows += rows
        self._short.add(tokens)

    def note_status(self, status: Json) -> None:
        """Note the `modelStatus` of an answer: the earliest retirement counts. A time that is none is left out."""
        time = status.get("retirementTime") if isinstance(status, Mapping) else None
        if not isinstance(time, str):
            return
        with suppress(ValueError, OverflowError):
            found = read_rfc3339(time).astimezone(UTC)
            self._retires = found if self._retires is None else min(self._retires, found)

    @property
    def counted(self) -> Counted:
        """The sums so far."""
        return Counted(Usage(self._short.tokens, self._long.tokens), self._rows, self._uncounted, self._retires)


class _Sums:
    def __init__(self) -> None:
        self._input, self._cached, self._output = Counter[Modality](), Counter[Modality](), Counter[Modality]()
        self._thoughts = 0

    def add(self, tokens: Tokens) -> None:
        self._input.update(tokens.input)
        self._cached.update(tokens.cached)
        self._output.update(tokens.output)
        self._thoughts += tokens.thoughts

    @property
    def tokens(self) -> Tokens:
        return Tokens(_sorted(self._input), _sorted(self._cached), _sorted(self._output), self._thoughts)


def tokens_of(usage: Mapping[str, Json]) -> Tokens | None:
    """The tokens of one answer by its `usageMetadata`; None if they are not known, or of a tier with other prices."""
    prompt = _count(usage, "promptTokenCount", "prompt_token_count")
    if prompt is None or not _is_batch_tier(usage.get("serviceTier", usage.get("service_tier"))):
        return None
    others = (
        _count(usage, "cachedContentTokenCount", "cached_content_token_count", absent=0),
        _count(usage, "candidatesTokenCount", "candidates_token_count", absent=0),
        _count(usage, "thoughtsTokenCount", "thoughts_token_count", absent=0),
        _count(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count", absent=0),
    )
    if None in others:
        return None
    cached, answered, thoughts, tools = (number or 0 for number in others)
    whole = _parts(prompt, usage.get("promptTokensDetails", usage.get("prompt_tokens_details")))
    parts = (
        whole,
        _parts(cached, usage.get("cacheTokensDetails", usage.get("cache_tokens_details"))),
        _parts(answered, usage.get("candidatesTokensDetails", usage.get("candidates_tokens_details"))),
        _parts(tools, usage.get("toolUsePromptTokensDetails", usage.get("tool_use_prompt_tokens_details"))),
    )
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    given, from_cache, output, of_tools = known
    fresh = _less(given, from_cache)
    if fresh is None:
        return None
    return Tokens(_plus(fresh, of_tools), from_cache, output, thoughts)


def tokens_of_publisher(usage: Mapping[str, Json]) -> Tokens | None:
    """The same by the `usage` of another publisher's model."""
    given = _count(usage, "input_tokens", "prompt_tokens")
    back = _count(usage, "output_tokens", "completion_tokens")
    if given is None or back is None or any(usage.get(name) for name in _OWN_CACHE):
        return None
    return text_tokens(given, back)


def text_tokens(given: int, back: int = 0, thoughts: int = 0) -> Tokens:
    """Tokens of text."""
    return Tokens(_text(given), output=_text(back), thoughts=thoughts)


def _text(number: int) -> Counts:
    return {Modality.TEXT: number} if number else {}


def _sum_plain(usages: Sequence[Mapping[str, Json]]) -> Tokens | None:
    """The sum of answers that have short prompts, nothing but text, and no other members; None if one is not so."""
    if not set().union(*usages) <= _SIMPLE:
        return None
    given, back, thoughts = (_column(usages, *one) for one in _COLUMNS)
    if given is None or back is None or thoughts is None or max(given) > LONG_PROMPT:
        return None
    for name, column in (("promptTokensDetails", given), ("candidatesTokensDetails", back)):
        details = ((usage.get(name), number) for usage, number in zip(usages, column, strict=True))
        if not all(not one or one == [{"modality": "TEXT", "tokenCount": number}] for one, number in details):
            return None
    return text_tokens(sum(given), sum(back), sum(thoughts))


def _column(usages: Sequence[Mapping[str, Json]], name: str, absent: Json) -> list[int] | None:
    """A count of each answer; None if one is no plausible number."""
    found: list[Json] = [usage.get(name, absent) for usage in usages]
    if set(map(type, found)) != {int} or not 0 <= min(found) <= max(found) < MOST_COUNT:
        return None
    return found


def _parts(total: int, details: Json) -> Counts | None:
    """A number of tokens by modality; None if the parts do not fit into it."""
    found: dict[Modality, int] = {}
    for one in details if isinstance(details, list) else ():
        if not isinstance(one, Mapping):
            return None
        number = _count(one, "tokenCount", "token_count", absent=0)
        modality = one.get("modality")
        if number is None or modality not in _MODALITIES:
            return None
        if number:
            found[Modality(modality)] = found.get(Modality(modality), 0) + number
    rest = total - sum(found.values())
    if rest < 0:
        return None
    return _plus(found, {Modality.TEXT: rest}) if rest else found


def _less(whole: Counts, part: Counts) -> Counts | None:
    """The rest of a number by modality; None if the part is larger in one of them."""
    rest = {kind: whole.get(kind, 0) - part.get(kind, 0) for kind in {*whole, *part}}
    return None if any(number < 0 for number in rest.values()) else {kind: rest[kind] for kind in rest if rest[kind]}


def _plus(one: Counts, other: Counts) -> Counts:
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in {*one, *other}}


def _sorted(counts: Counts) -> dict[Modality, int]:
    return {kind: counts[kind] for kind in Modality if counts.get(kind)}


def _is_batch_tier(tier: Json) -> bool:
    return tier is None or (isinstance(tier, str) and tier.lower() in _BATCH_TIERS)


def _count(values: Mapping[str, Json], name: str, older: str, absent: int | None = None) -> int | None:
    """A count in one of its two spellings; None if it is no plausible number."""
    found = values.get(name, values.get(older))
    return absent if found is None else read_count(found)
