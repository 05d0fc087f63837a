"""Tokens that the API counted for a row, as its answer says.

A count from outside that is not a plausible number counts as absent.
Source: reference 1.4 (`usageMetadata`; `tokenCount` of embeddings), 8.1, 8.2; publishers' own documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import to_builtins

from batchctl.model.cost.tokens import Counted
from batchctl.model.json_value import Json
from batchctl.rows.numbers import MOST_COUNT, read_count
from batchctl.rows.plain_usage import PlainSums, PlainUsage, sum_up
from batchctl.rows.token_kinds import TokenSums, text_tokens, tokens_of_publisher

_METADATA = {
    "promptTokenCount": "promptTokens",
    "prompt_token_count": "promptTokens",
    "cachedContentTokenCount": "cachedTokens",
    "cached_content_token_count": "cachedTokens",
    "candidatesTokenCount": "outputTokens",
    "candidates_token_count": "outputTokens",
    "thoughtsTokenCount": "thoughtTokens",
    "thoughts_token_count": "thoughtTokens",
    "totalTokenCount": "totalTokens",
    "total_token_count": "totalTokens",
}
_OF_PUBLISHERS = {
    "input_tokens": "promptTokens",
    "prompt_tokens": "promptTokens",
    "output_tokens": "outputTokens",
    "completion_tokens": "outputTokens",
    "total_tokens": "totalTokens",
}


def input_tokens(response: Mapping[str, Json]) -> int | None:
    """The tokens of one row's input; None if the API gives no plausible number."""
    usage = response.get("usageMetadata")
    return read_count(usage.get("promptTokenCount") if isinstance(usage, Mapping) else response.get("tokenCount"))


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
    tokens = read_count(response.get("tokenCount"))
    return {} if tokens is None else {"promptTokens": tokens}


class UsageTotal:
    """Sums of token counts, and how many answers each model version gave."""

    def __init__(self) -> None:
        self._rows = 0
        self._tokens: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self._input: int | None = None
        self._is_input_known = True
        self._kinds = TokenSums()

    def add(self, outcome: Mapping[str, Json] | None) -> None:
        """Add the outcome of one row; None: it cannot be read."""
        response = None if outcome is None else outcome.get("response")
        if response is None:
            self._is_input_known &= outcome is not None
            if outcome is None:
                self._kinds.add(None)
            return
        self._kinds.note_status(response.get("modelStatus"))
        self._add_kinds(response)
        self._add(usage_of(response), input_tokens(response), model_version(response))

    def note_statuses(self, statuses: Iterable[Json]) -> None:
        """Note the `modelStatus` of answers that have one."""
        for status in statuses:
            self._kinds.note_status(status)

    def add_counts(self, usage: Mapping[str, Json], version: str) -> None:
        """Add an answer by its `usageMetadata` and its `modelVersion`."""
        tokens = read_count(usage.get("promptTokenCount"))
        self._kinds.add(usage)
        self._add(_counts(usage, _METADATA), tokens, version[:_LONGEST_VERSION] or None)

    def add_all(self, usages: Sequence[Mapping[str, Json]], versions: Iterable[str]) -> None:
        """The same for several answers. If all have the same counts, each count is summed at once."""
        columns = _columns(usages)
        if columns is None:
            for usage, version in zip(usages, versions, strict=True):
                self.add_counts(usage, version)
            return
        self._kinds.add_all(usages)
        self._add_columns(len(usages), columns, Counter(versions))

    def add_plain(self, usages: Sequence[PlainUsage], versions: Iterable[str]) -> None:
        """The same for several answers whose counts have been read by a compiled type."""
        sums = sum_up(usages)
        if sums is None:
            self.add_all([to_builtins(usage) for usage in usages], versions)
            return
        self.add_sums(sums, Counter(versions))

    def add_sums(self, sums: PlainSums, versions: Mapping[str, int]) -> None:
        """Add the sums of some answers. `versions`: the number of answers from each model version."""
        rows = sum(versions.values())
        self._kinds.add_sums(rows, text_tokens(sums.prompt, sums.answered, sums.thoughts or 0))
        columns = {"promptTokens": sums.prompt, "outputTokens": sums.answered, "totalTokens": sums.total}
        columns |= {} if sums.thoughts is None else {"thoughtTokens": sums.thoughts}
        self._add_columns(rows, columns, versions)

    def _add_columns(self, rows: int, columns: Mapping[str, int], versions: Mapping[str, int]) -> None:
        """Add the sums of some answers, all of which have a count of the input."""
        self._rows += rows
        self._input = (self._input or 0) + columns["promptTokens"]
        for name, number in columns.items():
            self._tokens[name] = self._tokens.get(name, 0) + number
        for version, number in versions.items():
            if version:
                name = version[:_LONGEST_VERSION]
                self._versions[name] = self._versions.get(name, 0) + number

    def _add(self, usage: Mapping[str, int], tokens: int | None, version: str | None) -> None:
        self._rows += bool(usage)
        for name, number in usage.items():
            self._tokens[name] = self._tokens.get(name, 0) + number
        if tokens is None:
            self._is_input_known = False
        else:
            self._input = (self._input or 0) + tokens
        if version is not None:
            self._versions[version] = self._versions.get(version, 0) + 1

    def _add_kinds(self, response: Mapping[str, Json]) -> None:
        found = response.get("usageMetadata", response.get("usage_metadata"))
        if isinstance(found, Mapping):
            self._kinds.add(found)
            return
        body = response.get("body")
        own = (body if isinstance(body, Mapping) else response).get("usage")
        embedded = read_count(response.get("tokenCount"))
        tokens = tokens_of_publisher(own) if isinstance(own, Mapping) else None
        if tokens is None and embedded is not None:
            tokens = text_tokens(embedded)
        if tokens is None:
            self._kinds.add(None)
        else:
            self._kinds.add_tokens(tokens)

    @property
    def counted(self) -> Counted:
        """The tokens of all answers by the kinds that have prices of their own."""
        return self._kinds.counted

    @property
    def input(self) -> int | None:
        """The input tokens of all answers; None unless the API counted them for each answer."""
        return self._input if self._is_input_known else None

    @property
    def total(self) -> int | None:
        """Tokens of input and output of all answers; None if the API counted none."""
        if not self._rows:
            return None
        tokens = self._tokens
        parts = ("promptTokens", "outputTokens", "thoughtTokens")
        return tokens.get("totalTokens") or sum(tokens.get(name, 0) for name in parts)

    def facts(self) -> dict[str, Json]:
        """The members of a results manifest. `usage.rows` is the number of answers with token counts."""
        counts = {name: self._tokens[name] for name in dict.fromkeys(_METADATA.values()) if name in self._tokens}
        versions = dict(sorted(self._versions.items())[:_MOST_VERSIONS])
        kinds = to_builtins(self.counted)
        return {"modelVersions": versions, "usage": {"rows": self._rows, **counts}, "counted": kinds}


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


def _columns(usages: Sequence[Mapping[str, Json]]) -> Mapping[str, int] | None:
    """The sum of each count; None unless all answers have the same counts, of the input too, in one spelling each."""
    names = [name for name in _METADATA if name in usages[0]]
    if "promptTokenCount" not in names or len({_METADATA[name] for name in names}) < len(names):
        return None
    others = _METADATA.keys() - set(names)
    if not all(map(others.isdisjoint, usages)):
        return None
    sums: dict[str, int] = {}
    for name in names:
        column: list[Json] = [usage.get(name) for usage in usages]
        if set(map(type, column)) != {int} or not 0 <= min(column) <= max(column) < MOST_COUNT:
            return None
        sums[_METADATA[name]] = sum(column)
    return sums


def _counts(usage: Mapping[str, Json], columns: Mapping[str, str]) -> dict[str, int]:
    """The counts by column; where a count has several spellings, the last one in `columns` is used."""
    found = {}
    for name, column in columns.items():
        if name in usage and (number := read_count(usage[name])) is not None:
            found[column] = number
    return found
