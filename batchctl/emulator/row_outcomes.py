"""The outcomes that rules give to rows: errors, answers that are cut off or blocked, and given answers.

The outcome of each row is decided once, when the rows of a job are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import asdict

from batchctl.emulator.globs import matches
from batchctl.emulator.row_hashes import prompt_hash
from batchctl.emulator.store import Store
from batchctl.emulator.wire import RPC_CODES, JsonObject

_DEFAULT_ERROR: JsonObject = {"code": RPC_CODES["INTERNAL"], "message": "The emulator's rules fail this row."}
_KEEPS_TEXT = frozenset({"MAX_TOKENS", "STOP"})


class RowOutcome(Struct, frozen=True):
    """The outcome of a share of the rows: an error, an answer with another finish reason, or a given response."""

    kind: str
    """`error`, `finishReason` or `response`: the member of the rule that says it."""
    value: str
    """As JSON."""
    share: Fraction = Fraction(1)
    by_content: bool = False
    """Whether the row's prompt decides, wherever and whenever it is sent; else its position."""
    times: int | None = None
    """The number of times that a row gets it before it gets the usual answer. None: always."""
    below_tokens: int | None = None
    """Rows with at least this `maxOutputTokens` get the usual answer."""
    other_model: str | None = None
    """Rows for a model that this glob matches get the usual answer."""

    def hits(self, position: int) -> bool:
        """Whether the row at this 0-based position gets it: the first one, then evenly spread ones."""
        return -(-(position + 1) * self.share // 1) > -(-position * self.share // 1)

    def draws(self, seed: int, number: int, prompt: bytes) -> bool:
        """Whether the row with this prompt gets it: the same for the same arguments."""
        digest = hashlib.sha256(f"{seed}/{number}/".encode() + prompt).digest()
        return int.from_bytes(digest[:6], "big") * self.share.denominator < self.share.numerator << 48

    def lifted(self, model: str, request: JsonObject) -> bool:
        """Whether the model or the `maxOutputTokens` of the request spares the row."""
        if self.other_model is not None and matches(self.other_model, model):
            return True
        config = request.get("generationConfig")
        most = config.get("maxOutputTokens") if isinstance(config, dict) else None
        return self.below_tokens is not None and isinstance(most, int) and most >= self.below_tokens


def changed(outcome: JsonObject, response: JsonObject) -> JsonObject:
    """The usual response as an outcome without an error makes it."""
    if "response" in outcome:
        given: JsonObject = outcome["response"]
        return given
    candidates = [_stopped(candidate, outcome["finishReason"]) for candidate in response["candidates"]]
    return {**response, "candidates": candidates}


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


class RowRule(Struct, frozen=True):
    """The outcomes of the rows that a glob covers. Each takes its share of those that the outcomes before it left."""

    glob: str
    outcomes: tuple[RowOutcome, ...]
    seed: int = 0
    """Changes which rows are drawn by their content."""


class RowChooser:
    """Chooses the outcomes of one job's rows, which are passed in input order."""

    def __init__(self, store: Store, api: str, model: str, rules: Sequence[RowRule]) -> None:
        self._store = store
        self._api = api
        self._model = model.rpartition("/")[2]
        self._rules = rules
        self._seen: dict[tuple[RowRule, int], int] = {}
        """The number of rows for which each outcome of each rule was drawn."""
        self._tries: dict[bytes, int] = {}
        """The number of times that rows with limited outcomes were sent, by prompt."""

    def choose(self, texts: Sequence[str], request: JsonObject, *, has_candidates: bool) -> str | None:
        """The outcome, as JSON, by the first rule that covers one of the row's texts; None for the usual answer.

        An answer without candidates has no finish reason to change.
        """
        for rule in self._rules:
            if any(matches(rule.glob, text) for text in texts):
                found = self._taken(rule, request)
                if found is None or (found.kind == "finishReason" and not has_candidates):
                    return None
                return f'{{"{found.kind}": {found.value}}}'
        return None

    def save(self) -> None:
        """Store the number of times that rows were sent."""
        self._store.change_all(
            "INSERT OR REPLACE INTO row_tries (api, prompt, tries) VALUES (?, ?, ?)",
            ((self._api, prompt, tries) for prompt, tries in self._tries.items()),
        )

    def _taken(self, rule: RowRule, request: JsonObject) -> RowOutcome | None:
        prompt = prompt_hash(request) if any(one.by_content or one.times for one in rule.outcomes) else b""
        for number, outcome in enumerate(rule.outcomes):
            if self._chosen(rule, number, prompt):
                spared = outcome.lifted(self._model, request) or self._tried(prompt, outcome.times)
                return None if spared else outcome
        return None

    def _chosen(self, rule: RowRule, number: int, prompt: bytes) -> bool:
        outcome = rule.outcomes[number]
        if outcome.by_content:
            return outcome.draws(rule.seed, number, prompt)
        position = self._seen.get((rule, number), 0)
        self._seen[rule, number] = position + 1
        return outcome.hits(position)

    def _tried(self, prompt: bytes, times: int | None) -> bool:
        """Count this row as sent; whether it was sent `times` times before."""
        if times is None:
            return False
        if prompt not in self._tries:
            sql = "SELECT tries FROM row_tries WHERE api = ? AND prompt = ?"
            found = self._store.rows(sql, self._api, prompt)
            self._tries[prompt] = found[0][0] if found else 0
        self._tries[prompt] += 1
        return self._tries[prompt] > times


def forget_tries(store: Store) -> None:
    """Count all rows from the start again."""
    store.change("DELETE FROM row_tries")


def rules_for_rows(fitting: Sequence[JsonObject]) -> tuple[RowRule, ...]:
    """The rules about rows among those that cover a job."""
    return tuple(
        RowRule(rule.get("match", {}).get("row", "*"), _outcomes(rule), rule.get("seed", 0))
        for rule in fitting
        if concerns_rows(rule)
    )


def concerns_rows(rule: JsonObject) -> bool:
    """Whether the rule gives outcomes to rows."""
    return rule.get("fate") == "rows" or "rowError" in rule or "rowOutcomes" in rule


def _outcomes(rule: JsonObject) -> tuple[RowOutcome, ...]:
    if "rowOutcomes" not in rule:
        given = rule.get("rowError", {})
        error = {**_DEFAULT_ERROR, **{name: value for name, value in given.items() if name != "share"}}
        return (_outcome("error", error, given),)
    return tuple(
        _outcome(kind, {**_DEFAULT_ERROR, **given[kind]} if kind == "error" else given[kind], given)
        for given in rule["rowOutcomes"]
        for kind in ("error", "finishReason", "response")
        if kind in given
    )


def _outcome(kind: str, value: object, given: JsonObject) -> RowOutcome:
    unless = given.get("unless", {})
    return RowOutcome(
        kind,
        json.dumps(value),
        Fraction(str(given.get("share", 1))),
        given.get("by") == "content",
        given.get("times"),
        unless.get("maxOutputTokens"),
        unless.get("model"),
    )


def stored_rules(rules: Sequence[RowRule]) -> list[object]:
    """The rules as a job's course keeps them."""
    return [[rule.glob, [_stored(outcome) for outcome in rule.outcomes], rule.seed] for rule in rules]


def _stored(outcome: RowOutcome) -> list[object]:
    """The members in their order; JSON has no fractions."""
    return [*{**asdict(outcome), "share": str(outcome.share)}.values()]


def read_stored_rules(stored: Sequence[Sequence[object]]) -> tuple[RowRule, ...]:
    """The value of `stored_rules`, or `[glob, code, message, share]` of an earlier release."""
    return tuple(map(_read_stored, stored))


def _read_stored(stored: Sequence[object]) -> RowRule:
    glob, outcomes, *more = stored
    if not isinstance(outcomes, list):
        message, share = more
        return RowRule(str(glob), (_outcome("error", {"code": outcomes, "message": message}, {"share": share}),))
    read = tuple(RowOutcome(kind, value, Fraction(share), *rest) for kind, value, share, *rest in outcomes)
    return RowRule(str(glob), read, *more)  # type: ignore[arg-type]  # a seed, or nothing
