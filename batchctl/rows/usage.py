"""Tokens that the API counted for a row, as its answer says.

A count from outside that is not a plausible number counts as absent.
Source: reference 1.4 (`usageMetadata`; `tokenCount` of embeddings), 8.1, 8.2; publishers' own documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from batchctl.model.desired import Json

_MOST = 2**31
"""No row has so many: models take a few million."""
_MOST_DIGITS = 10

_METADATA = {
    "promptTokens": ("promptTokenCount", "prompt_token_count"),
    "cachedTokens": ("cachedContentTokenCount", "cached_content_token_count"),
    "outputTokens": ("candidatesTokenCount", "candidates_token_count"),
    "thoughtTokens": ("thoughtsTokenCount", "thoughts_token_count"),
    "totalTokens": ("totalTokenCount", "total_token_count"),
}
_OF_PUBLISHERS = {
    "promptTokens": ("input_tokens", "prompt_tokens"),
    "outputTokens": ("output_tokens", "completion_tokens"),
    "totalTokens": ("total_tokens",),
}


def input_tokens(response: Mapping[str, Json]) -> int | None:
    """The tokens of one row's input; None if the API gives no plausible number."""
    usage = response.get("usageMetadata")
    return _number(usage.get("promptTokenCount") if isinstance(usage, Mapping) else response.get("tokenCount"))


def usage_of(response: Mapping[str, Json]) -> dict[str, int]:
    """The token counts of one answer, by column name. Counts that the API does not give are absent."""
    found = response.get("usageMetadata")
    found = response.get("usage_metadata") if found is None else found
    if isinstance(found, Mapping):
        return _counts(found, _METADATA)
    body = response.get("body")
    found = (body if isinstance(body, Mapping) else response).get("usage")
    if isinstance(found, Mapping):
        return _counts(found, _OF_PUBLISHERS)
    tokens = _number(response.get("tokenCount"))
    return {} if tokens is None else {"promptTokens": tokens}


class UsageTotal:
    """Sums of token counts, and how many answers each model version gave."""

    def __init__(self) -> None:
        self._rows = 0
        self._tokens: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()

    def add(self, response: Mapping[str, Json]) -> None:
        """Add one answer."""
        usage = usage_of(response)
        self._rows += bool(usage)
        self._tokens.update(usage)
        version = model_version(response)
        if version is not None:
            self._versions[version] += 1

    @property
    def total(self) -> int | None:
        """Tokens of input and output of all answers; None if the API counted none."""
        if not self._rows:
            return None
        tokens = self._tokens
        return tokens["totalTokens"] or tokens["promptTokens"] + tokens["outputTokens"] + tokens["thoughtTokens"]

    def facts(self) -> dict[str, Json]:
        """The members of a results manifest. `usage.rows` is the number of answers with token counts."""
        usage = {"rows": self._rows, **{name: self._tokens[name] for name in _METADATA if name in self._tokens}}
        return {"modelVersions": dict(sorted(self._versions.items())[:_MOST_VERSIONS]), "usage": usage}


_MOST_VERSIONS = 100
_LONGEST_VERSION = 256


def model_version(response: Mapping[str, Json]) -> str | None:
    """The model version that gave an answer, as the API names it."""
    body = response.get("body")
    inner = body if isinstance(body, Mapping) else response
    for found in (response.get("modelVersion"), response.get("model_version"), inner.get("model")):
        if isinstance(found, str) and found:
            return found[:_LONGEST_VERSION]
    return None


def _counts(usage: Mapping[str, Json], names: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    found = {column: [_number(usage.get(name)) for name in spellings] for column, spellings in names.items()}
    return {column: number for column, numbers in found.items() for number in numbers if number is not None}


def _number(found: Json) -> int | None:
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _MOST_DIGITS:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if 0 <= found < _MOST else None
