"""The rows of collected attempts, as the manifest now judges them.

`rows.accept` and `lifecycle.maxFailedRows` may change after the results were collected. The counts by verdict are
facts; which of them are good follows from the manifest.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.row_settings import judge_rows
from batchctl.model.steps import Note
from batchctl.reconcile.view.attempt_view import AttemptView


def judge_view(view: AttemptView, desired: DesiredJob | None) -> AttemptView:
    """The attempt with its rows judged by the manifest; without a manifest, as they are recorded."""
    attempt = view.attempt if desired is None else judge_attempt(view.attempt, desired)
    if attempt is view.attempt:
        return view
    return view if attempt == view.attempt else replace(view, attempt=attempt, note=view.note or Note.REFRESHED)


def judge_attempt(attempt: RecordedAttempt, desired: DesiredJob) -> RecordedAttempt:
    """An attempt with its rows judged by a manifest. What is not collected is not judged yet."""
    if attempt.results is None:
        return attempt
    if attempt.merged is not None:
        all_rows = judge_rows(attempt.merged.rows, desired.row_settings, desired.lifecycle.max_failed_rows)
        attempt = replace(attempt, merged=replace(attempt.merged, rows=all_rows))
    rows = judge_rows(attempt.rows, desired.row_settings, desired.lifecycle.max_failed_rows)
    attempt = attempt if rows == attempt.rows else replace(attempt, rows=rows)
    sent = attempt.sent
    if not sent or not _was_canary(attempt, desired):
        return attempt
    return replace(attempt, sent=replace(sent, is_canary=True))


def _was_canary(attempt: RecordedAttempt, desired: DesiredJob) -> bool:
    """Whether an attempt whose list of rows was lost can only have been the canary: the other rows were never sent."""
    sent, canary = attempt.sent, desired.canary
    if sent is None or canary is None or not same_digest(attempt.digest, desired.digest):
        return False
    is_small = sent.rows <= canary.rows and sent.shards == 1 and attempt.key.shard == 0
    return is_small and bool(attempt.rows.not_sent) and not sent.is_canary and not sent.again
