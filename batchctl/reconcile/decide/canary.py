"""The canary: a few rows are bought first, and their verdicts decide about the others (`spec.canary`)."""

from __future__ import annotations

from collections.abc import Iterator

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import Canary
from batchctl.model.row_work import RowsSent
from batchctl.model.states import GOOD_STATES, Phase
from batchctl.model.verdicts import RowVerdict
from batchctl.model.work_size import can_send_rows, rows_sent
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import create_agreed, rest
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import is_collected_canary
from batchctl.reconcile.view.subject import Subject


def size_of_canary(subject: Subject, context: Context) -> int | None:
    """The number of rows of the canary that comes first; None if the work needs none, or no more."""
    desired, canary = subject.manifest, subject.manifest.canary
    if canary is None or _is_begun(subject, canary) or _is_accepted(subject):
        return None
    work = context.rows_of(subject)
    rows = rows_sent(desired) if work is None else work.to_send
    if rows is None:
        # Rows at Cloud Storage are counted when they are chosen.
        return canary.rows if can_send_rows(desired) else None
    return canary.rows if rows > canary.rows else None


def follow_canary(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Buy the other rows, or stop there; None if the attempt is no collected canary."""
    attempt, desired = view.attempt, subject.desired
    if desired is None or attempt.sent is None or not view.has_results or not is_collected_canary(attempt):
        return None
    if attempt.state not in GOOD_STATES or subject.is_cancel_requested:
        return None
    faults = [] if desired.canary is None else list(_faults(attempt.sent, desired.canary, desired))
    left = attempt.rows.not_sent or attempt.sent.total - attempt.sent.rows
    if faults and not _is_accepted(subject):
        return rest(Phase.FAILED, Reason.CANARY_FAILED, _failed_words(attempt, faults, left))
    words = _passed_words(attempt.sent, left, is_accepted=bool(faults))
    return create_agreed(subject.next_key, Reason.CANARY_PASSED, words, is_suspended=context.is_suspended(subject))


def has_failed_canary(subject: Subject) -> bool:
    """Whether the attempt that counts is a canary that failed."""
    view, desired = subject.current, subject.desired
    if view is None or desired is None or desired.canary is None or view.attempt.sent is None:
        return False
    is_canary = subject.asks_for(view.attempt) and is_collected_canary(view.attempt)
    return is_canary and any(_faults(view.attempt.sent, desired.canary, desired))


def _faults(sent: RowsSent, canary: Canary, desired: DesiredJob) -> Iterator[str]:
    """Why a canary fails."""
    good = sent.good(desired.row_settings.accept)
    if not canary.max_failed_rows.allows(sent.rows - good, sent.rows):
        codes = RowCounts(verdicts=sent.verdicts, accepted=desired.row_settings.accept).bad_codes
        limit = f"canary.maxFailedRows is {canary.max_failed_rows.text}"
        yield f"{sent.rows - good} of {sent.rows} rows failed ({', '.join(codes)}), and {limit}{_meaning(codes)}"
    most, answered = canary.max_tokens_per_row, sent.rows - sent.verdicts.get(RowVerdict.NO_RESULT, 0)
    if most is not None and sent.tokens is not None and answered and sent.tokens > most * answered:
        yield f"a row took {sent.tokens // answered:,} tokens on average, and canary.maxTokensPerRow is {most:,}"


def _failed_words(attempt: RecordedAttempt, faults: list[str], left: int) -> str:
    name, number = attempt.key.job, attempt.key.attempt
    rows = "1 row is" if left == 1 else f"{left:,} rows are"
    return (
        f"the canary failed: {'; '.join(faults)}. The other {rows} not bought. Correct the request or the rows, then"
        f" run `batchctl apply`. `batchctl results {name} --attempt {number} --failed` shows the answers;"
        f" `batchctl retry {name} --accept-canary` buys the other rows anyway"
    )


def _meaning(codes: tuple[str, ...]) -> str:
    """The meaning of the most frequent verdict, which says what to correct; `codes` are such as `2 MAX_TOKENS`."""
    code = codes[0].partition(" ")[2] if codes else ""
    return next((f". {one}: {one.meaning.removesuffix('.')}" for one in RowVerdict if one == code), "")


def _passed_words(sent: RowsSent, left: int, *, is_accepted: bool) -> str:
    good = f"{sent.verdicts.get(RowVerdict.OK, 0)} of {sent.rows} rows are good"
    start = f"the canary failed and was accepted: {good}" if is_accepted else f"the canary passed: {good}"
    return f"{start}; the other {left:,} {'row follows' if left == 1 else 'rows follow'}"


def _is_begun(subject: Subject, canary: Canary) -> bool:
    """Whether an attempt has sent more of the same work, or a canary has passed."""
    desired = subject.manifest
    for view in subject.attempts:
        attempt = view.attempt
        if not same_digest(attempt.digest, desired.digest) or attempt.is_unsent:
            continue
        if attempt.sent is None or not attempt.is_canary:
            return True
        if is_collected_canary(attempt) and not any(_faults(attempt.sent, canary, desired)):
            return True
    return False


def _is_accepted(subject: Subject) -> bool:
    accepted = None if subject.recorded is None else subject.recorded.row.canary_accepted
    return accepted is not None and same_digest(accepted, subject.manifest.digest)
