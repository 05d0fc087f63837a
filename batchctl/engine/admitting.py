"""The gate before create calls: closed for the rest of a pass by a refusal for quota, and the lesson written down.

What the lesson is, and who may go in the next pass, is decided in `reconcile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from batchctl.engine.journal import Journal
from batchctl.model.admission import QuotaKey, short_model
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import BatchctlError, QuotaExceeded
from batchctl.reconcile import after_refusal, after_success


class NotAdmittedError(BatchctlError):
    """The API takes no further job now. Nothing was made, and nothing failed: the job waits for another pass."""


class Gate:
    """Of one pass. Used from the engine's own thread only."""

    def __init__(self, journal: Journal, live: Mapping[QuotaKey, int]) -> None:
        self._journal = journal
        self._live = dict(live)
        self._closed: dict[QuotaKey, str] = {}

    def require_open(self, job: DesiredJob) -> None:
        """Raise NotAdmittedError when a create call of the same model was refused in this pass."""
        why = self._closed.get(_key(job))
        if why is not None:
            raise NotAdmittedError(why)

    def note_made(self, job: DesiredJob, sent: datetime) -> None:
        """A create call got through. `sent` is when it was made, on the provider's clock."""
        key = _key(job)
        self._live[key] = self._live.get(key, 0) + 1
        before = self._journal.find_quota(key)
        after = after_success(before, sent=sent)
        if after is not None and after != before:
            self._journal.note_quota(after)

    def note_refused(self, job: DesiredJob, error: QuotaExceeded, sent: datetime, now: datetime) -> NotAdmittedError:
        """A create call was refused for quota; gives what it means for its job. Times are the provider's."""
        key = _key(job)
        self._closed[key] = f"the API takes no further job of {key.model} now: {error.message}"
        before = self._journal.find_quota(key)
        live = self._live.get(key, 0)
        after = after_refusal(before, key, live=live, sent=sent, now=now, retry_after=error.retry_after)
        self._journal.note_quota(after)
        return NotAdmittedError(self._closed[key])


def _key(job: DesiredJob) -> QuotaKey:
    return QuotaKey(job.account, short_model(job.model))
