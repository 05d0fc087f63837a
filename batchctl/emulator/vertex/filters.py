"""The `filter` of a list: its grammar, and its translation to a condition on stored jobs. Source: reference 3.

    filter     := factor { AND factor }
    factor     := term { OR term }
    term       := [ NOT ] simple
    simple     := "(" filter ")" | field sign value

OR binds more tightly than AND, as in all of Google's filters. Invalid filters are refused with the error's position.
"""

from __future__ import annotations

import re

from msgspec import Struct

from batchctl.emulator.clock import parse_timestamp
from batchctl.emulator.job_store import Where
from batchctl.emulator.lifecycle import State
from batchctl.emulator.wire import Refused

JOB_STATE = "job_state"
"""The name of the SQL function for a job's state: of created, course, cancelled and asked."""
_TEXT = r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_SIGN = r"(?P<sign>!=|<=|>=|[=<>:()])"
_TOKEN = re.compile(rf"\s*(?:{_TEXT}|{_SIGN}|(?P<word>[^\s\"'=<>!:()]+))", re.DOTALL)
_VALUE = re.compile(rf"\s*(?:{_TEXT}|(?P<word>[^\s\"'()]+)|{_SIGN})", re.DOTALL)
"""The value after a sign: an unquoted value may contain signs, as a time does."""
_MOST_SIGNS = 200
"""Below SQLite's limit on nesting."""
_LAST_PART = "replace(model, rtrim(model, replace(model, '/', '')), '')"
"""SQL for the text after the last slash."""
_STATE = "JOB_STATE_"
_LABEL = re.compile(r"labels\.([A-Za-z0-9_-]{1,64})")
_ORDERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_EQUALS = frozenset({"=", "!="})


class _Token(Struct, frozen=True):
    kind: str
    """`text` for a quoted value, `word` for an unquoted one, `sign`, or `end`."""
    value: str
    at: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else ascii(self.value)


def parse_filter(text: str | None) -> Where:
    """The condition of the filter. Raises Refused (400) with the error and its position."""
    if text is None or not text.strip():
        return Where()
    return _Reader(text).whole()


class _Reader:
    """Parses one filter from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        if sum(token.kind == "sign" for token in self._tokens) > _MOST_SIGNS:
            raise _refused(f"more than {_MOST_SIGNS} signs", len(text))

    def whole(self) -> Where:
        """The condition of the complete text."""
        found = self._filter()
        if self._next.kind != "end":
            raise _refused(f"expected AND, OR or the end, not {self._next.shown}", self._next.at)
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _accept(self, kind: str, value: str) -> bool:
        if (self._next.kind, self._next.value) != (kind, value):
            return False
        self._at += 1
        return True

    def _filter(self) -> Where:
        parts = [self._factor()]
        while self._accept("word", "AND"):
            parts.append(self._factor())
        return _joined(" AND ", parts)

    def _factor(self) -> Where:
        parts = [self._term()]
        while self._accept("word", "OR"):
            parts.append(self._term())
        return _joined(" OR ", parts)

    def _term(self) -> Where:
        return _negated(self._simple()) if self._accept("word", "NOT") else self._simple()

    def _simple(self) -> Where:
        if not self._accept("sign", "("):
            return self._comparison()
        inside = self._filter()
        if not self._accept("sign", ")"):
            raise _refused(f"expected a closing parenthesis, not {self._next.shown}", self._next.at)
        return inside

    def _comparison(self) -> Where:
        field, sign = self._take(), self._next
        if field.kind != "word" or field.value in {"AND", "OR"}:
            raise _refused(f"expected a field, not {field.shown}", field.at)
        if sign.kind != "sign" or sign.value in {"(", ")"}:
            raise _refused(f"expected a comparison after {field.shown}", field.at)
        value = self._tokens[self._at + 1]
        if value.kind not in {"text", "word"}:
            raise _refused(f"expected a value, not {value.shown}", value.at)
        self._at += 2
        return _comparison(field, sign.value, value)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while text[at:].strip():
        after_sign = bool(tokens) and tokens[-1].kind == "sign" and tokens[-1].value not in {"(", ")"}
        found = (_VALUE if after_sign else _TOKEN).match(text, at)
        if found is None:
            raise _refused(f"cannot parse {text[at:].strip()[:20]!a}", at)
        kind = str(found.lastgroup)
        value = found[kind]
        tokens.append(
            _Token(kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "text" else value, found.start(kind))
        )
        at = found.end()
    return [*tokens, _Token("end", "", len(text)), _Token("end", "", len(text))]


def _comparison(field: _Token, sign: str, value: _Token) -> Where:
    label = _LABEL.fullmatch(field.value)
    if label:
        return _label(label[1], field, sign, value)
    match field.value:
        case "display_name":
            _allow(field, sign, _EQUALS | {":"})
            if sign == ":":
                return Where("coalesce(display_name, '') GLOB ?", (_glob(value.value),))
            return _equal("display_name", sign, value.value)
        case "model_display_name":
            # A published model has no display name of its own; its id is used instead.
            _allow(field, sign, _EQUALS)
            return _equal(_LAST_PART, sign, value.value)
        case "state":
            _allow(field, sign, _EQUALS)
            if value.value not in {*(f"{_STATE}{state}" for state in State), f"{_STATE}UNSPECIFIED"}:
                raise _refused(f"{value.shown} is not a state", value.at)
            return _equal(f"{JOB_STATE}(created, course, cancelled, asked)", sign, value.value.removeprefix(_STATE))
        case "create_time":
            _allow(field, sign, _ORDERS)
            return Where(f"created {sign} ?", (_moment(value),))
        case _:
            raise _refused(f"unknown field {field.shown}", field.at)


def _label(key: str, field: _Token, sign: str, value: _Token) -> Where:
    _allow(field, sign, frozenset({"=", ":"}))
    path = f'$."{key}"'
    if sign == "=":
        return Where("json_extract(labels, ?) IS ?", (path, value.value))
    if (value.kind, value.value) != ("word", "*"):
        raise _refused(f"{field.shown}: only the value * is allowed, which matches jobs with the label", value.at)
    return Where("json_extract(labels, ?) IS NOT NULL", (path,))


def _allow(field: _Token, sign: str, signs: frozenset[str]) -> None:
    if sign not in signs:
        raise _refused(f"{field.shown} does not support {sign}", field.at)


def _equal(column: str, sign: str, value: str) -> Where:
    return Where(f"{column} {'IS' if sign == '=' else 'IS NOT'} ?", (value,))


def _glob(text: str) -> str:
    """Only `*` is special; in SQLite other characters are, too."""
    return re.sub(r"[\[?]", lambda found: f"[{found[0]}]", text)


def _moment(value: _Token) -> int:
    try:
        return parse_timestamp(value.value)
    except (ValueError, OverflowError) as error:
        raise _refused(f"{value.shown} is not an RFC 3339 time", value.at) from error


def _negated(where: Where) -> Where:
    return Where(f"NOT ({where.sql})", where.values)


def _joined(word: str, parts: list[Where]) -> Where:
    if len(parts) == 1:
        return parts[0]
    return Where(word.join(f"({part.sql})" for part in parts), tuple(value for part in parts for value in part.values))


def _refused(what: str, at: int) -> Refused:
    return Refused(400, f"Request contains an invalid argument: invalid filter: {what}, at position {at}.")
