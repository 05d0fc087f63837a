"""The recorded values of one attempt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct, field

from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.cost.tokens import Counted
from batchctl.model.errors import Effect
from batchctl.model.json_value import Json
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.row_work import RowsSent
from batchctl.model.states import ACTIVE_STATES, TERMINAL_STATES
from batchctl.model.times import rfc3339_seconds


class CancelCause(StrEnum):
    """Why batchctl sent a cancel; it determines what happens next."""

    USER = "user"
    REMOVE = "remove"
    REPLACE = "replace"
    DEADLINE = "deadline"
    DUPLICATE = "duplicate"


class Intent(Struct, frozen=True):
    """The durable record that a create call is about to be made. Open until its outcome is known."""

    time: datetime
    """The time of the record on the local clock."""
    first_look: datetime | None = None
    """The first complete look without the token, on the local clock. The grace starts here."""
    first_look_there: datetime | None = None
    """The same moment on the provider's clock; None in states of older formats."""


class Operation(StrEnum):
    """A kind of call for an attempt."""

    UPLOAD = "upload"
    CREATE = "create"
    COLLECT = "collect"
    CANCEL = "cancel"
    DELETE = "delete"


class Trouble(Struct, frozen=True):
    """A failure of an attempt, kept until a later call succeeds. Times are those of the provider's clock."""

    operation: Operation
    code: str
    message: str
    """The API's message, at most 256 characters."""
    hint: str
    """The hint; empty if there is none."""
    first_time: datetime
    last_time: datetime
    tries: int = 1
    """Consecutive failures."""
    next_time: datetime | None = None
    """The earliest time of the next try; None: in the next pass, or never."""
    until: datetime | None = None
    """The end of automatic retries; None: no end, or no retries."""
    effect: Effect | None = None
    """The possible effect of the last call; None in states of older versions."""

    @property
    def words(self) -> str:
        """The API's message, since when, and until when it is tried again."""
        parts = [f"since {rfc3339_seconds(self.first_time)}"]
        if self.tries > 1:
            parts.append(f"tried {self.tries} times")
        if self.next_time is not None:
            parts.append(f"again at {rfc3339_seconds(self.next_time)}")
        if self.until is not None:
            parts.append(f"given up after {rfc3339_seconds(self.until)}")
        return f"{self.message} ({', '.join(parts)})"


class MergedResults(Struct, frozen=True):
    """The results of all shards of an attempt, and of the attempts before it."""

    path: str
    """Relative to the results folder."""
    rows: RowCounts


class RecordedAttempt(Struct, frozen=True, gc=False):
    """One attempt as the state file has it."""

    key: AttemptKey
    account: Account
    digest: str
    token: str
    tree: Mapping[str, Json] = field(default_factory=dict)
    """The redacted tree behind the digest; empty for an adopted attempt, whose input is not recorded."""
    intent: Intent | None = None
    """The open intent; None if the outcome of the create call is known."""
    remote: str | None = None
    """The remote job's resource name."""
    state: str | None = None
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    error: Status | None = None
    """The API's error for a failed job or a refused create call."""
    rejected: bool = False
    """The create call was refused for good (4xx but 401, 408, 409, 429)."""
    adopted: bool = False
    """Found by its mark, not created by this state."""
    cancel_time: datetime | None = None
    cancel_cause: CancelCause | None = None
    delete_time: datetime | None = None
    """The time of the answer to our delete."""
    missed: Moment | None = None
    """The first of the consecutive complete looks without the remote job; None if it is visible."""
    gone_time: datetime | None = None
    """The time at which `apply` recorded that the remote job is gone."""
    results: str | None = None
    """The path of the results, relative to the results folder; None until they are durably collected."""
    results_lost: bool = False
    """The API has the job but no longer its results: there is nothing to collect."""
    input_bytes: int | None = None
    """`DesiredJob.input_bytes` at the create call; None if batchctl did not send the rows."""
    tokens: int | None = None
    """Tokens that the API counted for the answered rows; None if it counted none."""
    row_hashes: str | None = None
    """`DesiredJob.row_hashes` at the create call."""
    trouble: Trouble | None = None
    """The present trouble; None without one."""
    input_file: str | None = None
    """Its uploaded input file; empty: it has none; None: not known."""
    sent: RowsSent | None = None
    """The rows that it sent; None if batchctl did not choose them."""
    merged: MergedResults | None = None
    """Of the first of several shards: the results of all of them."""
    counted: Counted | None = None
    """The tokens of its answers by kind; None if its results are not collected, or an older version collected them."""
    expected: TokenEstimate | None = None
    """The estimate at its create call, of all shards, on the first of them."""

    @property
    def is_canary(self) -> bool:
        """Whether it sent a few rows first, to decide about the others."""
        return self.sent is not None and self.sent.is_canary

    @property
    def is_active(self) -> bool:
        """Whether its remote job is queued or running, by the last known state."""
        return self.state in ACTIVE_STATES

    @property
    def has_ended(self) -> bool:
        """Whether its remote job has ended. An unknown state is not an end."""
        return self.state in TERMINAL_STATES

    @property
    def state_name(self) -> str:
        """Its state without the API's prefix, such as `PARTIALLY_SUCCEEDED`; empty if it is not known."""
        return _state_name(self.state)

    @property
    def state_words(self) -> str:
        """Its state for a sentence: `partially succeeded`."""
        return _state_words(self.state)

    @property
    def is_uncollected(self) -> bool:
        """Whether there may be results that are not collected yet."""
        return self.results is None and not self.results_lost

    @property
    def collect_by(self) -> datetime | None:
        """Until when its results certainly exist; None if nothing is left to collect, or there is no limit."""
        kept = CAPABILITIES[self.account.api].results_kept
        may_have_any = self.has_ended and self.is_uncollected and not self.is_gone
        return self.end_time + kept if kept and self.end_time and may_have_any else None

    @property
    def is_reused(self) -> bool:
        """Whether it reuses results of the same work: it was never sent and has no remote job."""
        return self.remote is None and self.results is not None

    @property
    def is_new(self) -> bool:
        """Whether no create call was tried for it, and nothing keeps it from being made."""
        return self.is_unsent and self.intent is None and self.trouble is None and not self.rejected

    @property
    def is_unsent(self) -> bool:
        """Whether it has neither a known remote job nor results."""
        return self.remote is None and self.results is None

    @property
    def is_gone(self) -> bool:
        """Whether it has no remote job any more: our delete was answered, its absence confirmed, or nothing sent."""
        return self.delete_time is not None or self.gone_time is not None or self.is_reused


def _state_name(state: str | None) -> str:
    return (state or "").removeprefix("JOB_STATE_")


@lru_cache
def _state_words(state: str | None) -> str:
    return _state_name(state).lower().replace("_", " ")
