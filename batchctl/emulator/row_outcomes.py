"""The outcomes that rules give to rows: errors, answers that are cut off or blocked, and given answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from batchctl.emulator.globs import matches
from batchctl.emulator.wire import RPC_CODES, JsonObject

_DEFAULT_ERROR: JsonObject = {"code": RPC_CODES["INTERNAL"], "message": "The emulator's rules fail this row."}
_KEEPS_TEXT = frozenset({"MAX_TOKENS", "STOP"})


@dataclass(frozen=True)
class RowOutcome:
    """The outcome of a share of the rows: an error, an answer with another finish reason, or a given response."""

    kind: str
    """`error`, `finishReason` or `response`: the member of the rule that says it."""
    value: str
    """As JSON."""
    share: Fraction = Fraction(1)

    def hits(self, position: int) -> bool:
        """Whether the row at this 0-based position gets it: the first one, then evenly spread ones."""
        return -(-(position + 1) * self.share // 1) > -(-position * self.share // 1)

    @property
    def error(self) -> JsonObject | None:
        """The error, if it is one."""
        found: JsonObject | None = json.loads(self.value) if self.kind == "error" else None
        return found

    def change(self, response: JsonObject) -> JsonObject:
        """The usual response as this outcome makes it."""
        value = json.loads(self.value)
        if self.kind == "response":
            given: JsonObject = value
            return given
        candidates = [_stopped(candidate, value) for candidate in response.get("candidates", [])]
        return {**response, **({"candidates": candidates} if candidates else {})}


def _stopped(candidate: JsonObject, reason: str) -> JsonObject:
    """A candidate that ended for a reason: with half of its text for MAX_TOKENS, else without any."""
    if reason not in _KEEPS_TEXT:
        return {"finishReason": reason, "index": candidate.get("index", 0)}
    cut = reason == "MAX_TOKENS"
    parts = [
        {**part, "text": part["text"][: len(part["text"]) // 2]} if cut and "text" in part else part
        for part in candidate["content"]["parts"]
    ]
    return {**candidate, "content": {**candidate["content"], "parts": parts}, "finishReason": reason}


@dataclass(frozen=True)
class RowRule:
    """The outcomes of the rows that a glob covers. Each takes its share of those that the outcomes before it left."""

    glob: str
    outcomes: tuple[RowOutcome, ...]


Hits: TypeAlias = dict[tuple[RowRule, int], int]
"""The number of rows of a job for which each outcome of each rule was drawn."""


def row_outcome(rules: Sequence[RowRule], texts: Sequence[str], hits: Hits) -> RowOutcome | None:
    """The outcome by the first rule that covers one of the row's texts; None if there is none."""
    for rule in rules:
        if any(matches(rule.glob, text) for text in texts):
            return _taken(rule, hits)
    return None


def _taken(rule: RowRule, hits: Hits) -> RowOutcome | None:
    for number, outcome in enumerate(rule.outcomes):
        position = hits.get((rule, number), 0)
        hits[rule, number] = position + 1
        if outcome.hits(position):
            return outcome
    return None


def rules_for_rows(fitting: Sequence[JsonObject]) -> tuple[RowRule, ...]:
    """The rules about rows among those that cover a job."""
    return tuple(
        RowRule(rule.get("match", {}).get("row", "*"), _outcomes(rule))
        for rule in fitting
        if rule.get("fate") == "rows"
    )


def _outcomes(rule: JsonObject) -> tuple[RowOutcome, ...]:
    if "rowOutcomes" not in rule:
        error = {**_DEFAULT_ERROR, **rule.get("rowError", {})}
        return (_outcome("error", {"code": error["code"], "message": error["message"]}, error),)
    return tuple(
        _outcome(kind, {**_DEFAULT_ERROR, **given[kind]} if kind == "error" else given[kind], given)
        for given in rule["rowOutcomes"]
        for kind in ("error", "finishReason", "response")
        if kind in given
    )


def _outcome(kind: str, value: object, given: JsonObject) -> RowOutcome:
    return RowOutcome(kind, json.dumps(value), Fraction(str(given.get("share", 1))))


def stored_rules(rules: Sequence[RowRule]) -> list[object]:
    """The rules as a job's course keeps them."""
    return [[rule.glob, [[one.kind, one.value, str(one.share)] for one in rule.outcomes]] for rule in rules]


def read_stored_rules(stored: Sequence[Sequence[object]]) -> tuple[RowRule, ...]:
    """The value of `stored_rules`, or `[glob, code, message, share]` of an earlier release."""
    return tuple(map(_read_stored, stored))


def _read_stored(stored: Sequence[object]) -> RowRule:
    glob, outcomes, *older = stored
    if older:
        message, share = older
        return RowRule(str(glob), (_outcome("error", {"code": outcomes, "message": message}, {"share": share}),))
    assert isinstance(outcomes, list)
    return RowRule(str(glob), tuple(RowOutcome(kind, value, Fraction(share)) for kind, value, share in outcomes))
