"""When a run of passes gives up on a job or on an account: errors that last are retried a few times only."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from batchctl.model.errors import BadReply, BatchctlError, ConnectionFailed, QuotaExceeded, ReplyLost, ServerFailed
from batchctl.model.keys import Account
from batchctl.model.outcome import Outcome, Result

_TRANSIENT = (ConnectionFailed, ReplyLost, QuotaExceeded, ServerFailed)
"""Errors that end without a change by a user."""
_PATIENCE = 3
"""Passes in a row in which a job may fail for a lasting reason, or an account reply badly, before it is given up."""


class Patience(Struct, frozen=True):
    """Consecutive lasting failures of each job, and consecutive bad replies of each account."""

    failures: Mapping[str, int] = field(default_factory=dict)
    bad_replies: Mapping[Account, int] = field(default_factory=dict)

    def after(self, outcomes: Mapping[str, Outcome], errors: Mapping[Account, BatchctlError]) -> Patience:
        """The counts after one more pass with these outcomes, and these accounts that it could not read."""
        failures = dict(self.failures)
        for name, outcome in outcomes.items():
            if outcome.result is not Result.FAILED:
                failures.pop(name, None)
            elif not isinstance(outcome.error, _TRANSIENT):
                failures[name] = failures.get(name, 0) + 1
        bad = (account for account, error in errors.items() if isinstance(error, BadReply))
        return Patience(failures, {account: self.bad_replies.get(account, 0) + 1 for account in bad})

    def is_over(self, job: str) -> bool:
        """Whether the job is given up."""
        return self.failures.get(job, 0) >= _PATIENCE

    def is_lasting(self, account: Account, error: BatchctlError) -> bool:
        """Whether waiting does not help against the error that keeps an account from being read.

        A proxy may put a page of its own in place of one answer: that does not end a watch of a whole day.
        """
        if isinstance(error, BadReply):
            return self.bad_replies.get(account, 0) >= _PATIENCE
        return not isinstance(error, _TRANSIENT)
