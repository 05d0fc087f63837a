"""The gate before create calls: closed for the rest of a pass by a refusal for quota, and the lesson written down.

What the lesson is, and who may go in the next pass, is decided in `reconcile`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from batchctl.engine.journal import Journal
from batchctl.model.admission import QuotaKey, quota_of
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import NotYetError, QuotaExceeded
from batchctl.reconcile import after_refusal, after_success

_HINT = "`batchctl watch` creates it as soon as there is capacity"


class NotAdmittedError(NotYetError):
    """The API takes no further job now. Nothing was made, and nothing failed: the job waits for another pass."""


class Gate:
    """Of one pass. Used from the engine's own thread only."""

    def __init__(self, journal: Journal, live: Mapping[QuotaKey, int]) -> None:
        self._journal = journal
        self._live = Counter(live)
        self._sent: Counter[QuotaKey] = Counter()
        """Create calls that have no answer yet."""
        self._closed: dict[QuotaKey, NotAdmittedError] = {}

    def require_open(self, job: DesiredJob) -> None:
        """Raise NotAdmittedError when a create call of the same model was refused in this pass."""
        why = self._closed.get(_key(job))
        if why is not None:
            raise NotAdmittedError(why.message, code=why.code, hint=why.hint)

    @contextmanager
    def under_way(self, job: DesiredJob) -> Iterator[None]:
        """The time from a create call to its answer."""
        key = _key(job)
        self._sent[key] += 1
        try:
            yield
        finally:
            self._sent[key] -= 1

    def note_made(self, job: DesiredJob) -> None:
        """A create call got through. After a refusal in this pass it is one that was under way then."""
        key = _key(job)
        self._live[key] += 1
        before = self._journal.find_quota(key)
        after = after_success(before, live=self._live[key], late=key in self._closed)
        if after is not None and after != before:
            self._journal.note_quota(after)

    def note_refused(self, job: DesiredJob, error: QuotaExceeded, now: datetime) -> NotAdmittedError:
        """A create call was refused for quota; gives what it means for its job. `now` is the provider's clock."""
        key = _key(job)
        late = key in self._closed
        words = f"the API takes no further job of {key.model} now: {error.message}"
        # What the refusal asks for: waiting does not bring back every quota.
        self._closed[key] = NotAdmittedError(words, code=error.code, hint=error.hint or _HINT)
        before = self._journal.find_quota(key)
        live = self._live[key] + self._sent[key]
        after = after_refusal(before, key, live=live, late=late, now=now, retry_after=error.retry_after)
        self._journal.note_quota(after)
        return self._closed[key]


def _key(job: DesiredJob) -> QuotaKey:
    return quota_of(job.account, job.model)
