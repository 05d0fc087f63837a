"""The end of an attempt, by its record."""

from __future__ import annotations

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.states import BAD_STATES, GOOD_STATES
from batchctl.model.verdicts import RowVerdict

WANTED_STOPS = frozenset({CancelCause.USER, CancelCause.REMOVE, CancelCause.REPLACE, CancelCause.DUPLICATE})
"""Cancels whose end is no failure: by a user, a manifest, or of a duplicate. The cancel at a deadline is one."""


def has_succeeded(attempt: RecordedAttempt) -> bool:
    """Whether an attempt is a success: a good state, at least one good row, and no more bad ones than allowed.

    Without `maxFailedRows` a job fails only when no row is good (design section 4).
    """
    if attempt.state not in GOOD_STATES or has_too_many_failed(attempt) or is_collected_canary(attempt):
        return False
    all_failed = attempt.results is not None and attempt.rows.ok == 0 and (attempt.rows.failed or 0) > 0
    return not all_failed and not is_unplaced(attempt)


def has_too_many_failed(attempt: RecordedAttempt) -> bool:
    """Whether an attempt in a good state fails by `maxFailedRows` alone: it has good rows, which were paid for."""
    return attempt.state in GOOD_STATES and bool(attempt.rows.too_many_failed) and bool(attempt.rows.ok)


def is_collected_canary(attempt: RecordedAttempt) -> bool:
    """Whether an attempt has the results of a canary: other rows of the job are not bought yet."""
    return attempt.is_canary and attempt.results is not None


def is_unplaced(attempt: RecordedAttempt) -> bool:
    """Whether results were collected, and none of them could be matched with a row of the known input.

    They were paid for, so the remote job stays, and batchctl does not buy the work again by itself.
    """
    rows = attempt.rows
    is_good = attempt.state in GOOD_STATES and attempt.results is not None
    return is_good and (rows.ok, rows.failed) == (0, 0) and bool(rows.total)


def row_words(attempt: RecordedAttempt) -> str:
    """The rows of an attempt that ended in a good state, for a sentence; empty when all rows have an answer.

    Before the results are collected it is not known which rows have none: the API's numbers may be old.
    """
    rows = attempt.rows
    if is_unplaced(attempt):
        return f"no result matches any of its {rows.total} rows; the results are kept, see `batchctl results`"
    came = (rows.ok or 0) + (rows.failed or 0)
    # The rows that a canary leaves out come later. A shard that failed as a whole gave nothing for those of its own.
    left_out = rows.not_sent if attempt.is_canary else 0
    missing = (rows.total or 0) - came - left_out if attempt.results is not None and rows.ok is not None else 0
    words = []
    if rows.failed:
        is_all = missing <= 0 and not rows.ok
        share = f"{rows.failed} of {rows.total} rows"
        if is_all:
            share = "the only row" if rows.failed == 1 else f"all {rows.failed} rows"
        words.append(f"{share} failed{_codes(attempt)}")
    if missing > 0:
        words.append(f"{missing} of {rows.total} rows {'has' if missing == 1 else 'have'} no result")
    return "; ".join(words)


def _codes(attempt: RecordedAttempt) -> str:
    """The verdicts of failed rows, in brackets. Rows without a result are counted beside them."""
    codes = ", ".join(code for code in attempt.rows.bad_codes if not code.endswith(f" {RowVerdict.NO_RESULT}"))
    return f" ({codes})" if codes else ""


def was_cancelled(attempt: RecordedAttempt, *causes: CancelCause) -> bool:
    """Whether an attempt ended without success after we cancelled it for one of these causes.

    A cancelled job may show as FAILED (reference 1.6), or be gone before anybody saw its end.
    """
    ended = attempt.state in BAD_STATES or (attempt.gone_time is not None and not attempt.has_ended)
    return ended and attempt.cancel_cause in causes
