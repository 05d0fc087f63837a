"""The rows of a job without a good answer, as `explain` shows them."""

from __future__ import annotations

from collections.abc import Iterator

from batchctl.model.json_value import Json
from batchctl.model.reasons import Reason
from batchctl.model.rows_left import RowLeft, RowNext, RowsLeft
from batchctl.model.verdicts import RowVerdict
from batchctl.report.console import Console
from batchctl.report.explain import JobCase
from batchctl.report.layout import NOTE_INDENT, Row, count, outside, write_heading, write_table
from batchctl.report.text import Text

_INDENT = 2
_LONGEST_NAME = 30
_TRANSIENT = frozenset(one.value for one in RowVerdict if one.is_transient)


def answers_words(case: JobCase) -> str:
    """`97 of 100 rows have a good answer; 1 is sent again, 2 are not sent again`; empty if it is not known."""
    left = case.left
    if left is None:
        return ""
    parts = [f"{_are(number)} {words}" for number, words in _parts(case, left) if number]
    answered = f"{left.good:,} of {left.total:,} rows {'has' if left.good == 1 else 'have'} a good answer"
    return "; ".join(filter(None, [answered, ", ".join(parts)]))


def _parts(case: JobCase, left: RowsLeft) -> Iterator[tuple[int, str]]:
    yield left.counts.get(RowNext.UNDER_WAY, 0), f"in {_attempt(case)}"
    yield left.counts.get(RowNext.AGAIN, 0), "sent again"
    yield left.counts.get(RowNext.FALLBACK, 0), "sent by rows.fallback"
    yield left.counts.get(RowNext.NOTHING, 0), "not sent again"
    yield left.not_sent, "not sent yet"


def write_rows_left(case: JobCase, console: Console) -> None:
    """A few rows without a good answer: key, verdict, what happens next, and what the API said."""
    left = case.left
    if left is None or not left.first:
        return
    more = left.failed - len(left.first)
    write_heading(console, f"Rows left ({len(left.first)} of {left.failed:,})" if more > 0 else "Rows left")
    room = console.width - _INDENT - NOTE_INDENT if console.is_terminal else None
    rows = [
        Row((outside(_short(one.name, _LONGEST_NAME)), outside(one.code), Text(_course(case, one))), _note(one, room))
        for one in left.first
    ]
    write_table(console, rows, indent=_INDENT)


def _note(row: RowLeft, room: int | None) -> tuple[Text, ...]:
    words = row.message or _meaning(row.code)
    return (outside(words if room is None else _short(outside(words).plain, room)),) if words else ()


def _course(case: JobCase, row: RowLeft) -> str:
    failed = f"failed {count(row.tries, 'time')}" if row.tries else "no answer yet"
    match row.next:
        case RowNext.UNDER_WAY:
            return f"{failed}; {_attempt(case)} sends it again"
        case RowNext.AGAIN:
            return f"{failed}; the next attempt sends it again"
        case RowNext.FALLBACK:
            return f"{failed}; rows.fallback sends it next"
        case RowNext.NOTHING:
            return f"{failed}; not sent again{_why(case, row)}"


def _why(case: JobCase, row: RowLeft) -> str:
    """Why a row is not sent again by itself."""
    if row.code not in _TRANSIENT:
        return ": it would fail again"
    if case.desired is None or case.plan.code is Reason.CANARY_FAILED:
        return ""
    if "ROWS" not in case.desired.lifecycle.retry_on:
        return ": retryOn has no ROWS"
    most = case.desired.row_settings.max_attempts
    return f": rows.maxAttempts is {most}" if row.tries >= most else ""


def _attempt(case: JobCase) -> str:
    attempt = case.plan.attempt
    return "the current attempt" if attempt is None else f"attempt {attempt.key.attempt}"


def _meaning(code: str) -> str:
    return next((one.meaning for one in RowVerdict if one.value == code), "")


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _are(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"


def rows_left_member(left: RowsLeft | None) -> dict[str, Json]:
    """The member `rowsLeft`; no member where it is not known."""
    if left is None:
        return {}
    first = [
        {
            "key": one.name,
            "index": one.index,
            "verdict": one.code,
            "tries": one.tries,
            "message": one.message,
            "next": one.next.value,
        }
        for one in left.first
    ]
    counts = {one.value: left.counts.get(one, 0) for one in RowNext}
    return {"rowsLeft": {"total": left.total, "good": left.good, "notSent": left.not_sent, **counts, "first": first}}
