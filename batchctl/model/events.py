"""The history of a stack: events for everything that was done or observed."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from typing import Self

from msgspec import Struct

from batchctl.model.reasons import Reason


class Bearing(Enum):
    """The effect of an event on the last error of a job."""

    DECISION = "decision"
    """A decision is executed: its `why` is the reason of a plan."""
    PROGRESS = "progress"
    """It ends earlier failures."""
    FAILURE = "failure"
    """Something failed, and is the last error until progress follows."""
    NEUTRAL = "neutral"


class EventKind(StrEnum):
    """All kinds of events. Programs match on the value; `words` are for people, and stored in the state."""

    words: str
    bearing: Bearing

    def __new__(cls, value: str, words: str, bearing: Bearing = Bearing.NEUTRAL) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        member.bearing = bearing
        return member

    # A create call and its answer
    UPLOADED = ("Uploaded", "uploaded")
    NOT_UPLOADED = ("NotUploaded", "not uploaded")
    CREATING = ("Creating", "create", Bearing.DECISION)
    CREATED = ("Created", "created", Bearing.PROGRESS)
    NOT_SENT = ("NotSent", "not sent", Bearing.FAILURE)
    REFUSED = ("Refused", "refused", Bearing.FAILURE)
    REFUSED_FOR_NOW = ("RefusedForNow", "refused for now")
    UNANSWERED = ("Unanswered", "unanswered", Bearing.FAILURE)

    # The remote job
    ADOPTED = ("Adopted", "adopted", Bearing.PROGRESS)
    STATE_CHANGED = ("StateChanged", "state")
    NOT_FOUND = ("NotFound", "not found")
    GONE = ("Gone", "gone")
    ABANDONED = ("Abandoned", "abandoned")
    CANCELLING = ("Cancelling", "cancel", Bearing.DECISION)
    DELETED = ("Deleted", "delete", Bearing.DECISION)

    # Its results
    COLLECTED = ("Collected", "collected", Bearing.PROGRESS)
    REUSED = ("Reused", "reused", Bearing.DECISION)
    MERGED = ("Merged", "merged", Bearing.PROGRESS)
    RESULTS_FOUND = ("ResultsFound", "results found")
    NOT_READY = ("NotReady", "not ready")
    GIVEN_UP = ("GivenUp", "given up")
    FAILED = ("Failed", "failed", Bearing.FAILURE)

    # The record
    FORGOTTEN = ("Forgotten", "forgotten", Bearing.DECISION)
    RENAMED = ("Renamed", "renamed")
    REBOUND = ("Rebound", "rebound")
    REBUILT = ("Rebuilt", "rebuilt")
    RECORDED = ("Recorded", "recorded")

    # Notifications
    NOTIFIED = ("Notified", "notified")
    NOTIFICATION_GIVEN_UP = ("NotificationGivenUp", "notification given up")


_FORMER_WORDS = {"looked for in vain": EventKind.NOT_FOUND}
"""Words in states of earlier versions."""
_KINDS = {kind.words: kind for kind in EventKind} | _FORMER_WORDS
_REASONS = {reason.value: reason for reason in Reason}


class Event(Struct, frozen=True):
    """One line of the append-only history: who did what, when, why."""

    time: datetime
    job: str
    attempt: int | None
    what: str
    """The words of its kind, as the state has them."""
    why: str
    who: str = ""
    code: str | None = None
    """The code of `why`: of an error, or of a plan's reason."""

    @property
    def kind(self) -> EventKind | None:
        """None if another version of batchctl wrote an event of an unknown kind."""
        return _KINDS.get(self.what)

    @property
    def bearing(self) -> Bearing:
        return Bearing.NEUTRAL if self.kind is None else self.kind.bearing

    @property
    def reason_code(self) -> Reason | None:
        """The code of the plan's reason; None for other events, and in states of older versions."""
        return _REASONS.get(self.code or "") if self.bearing is Bearing.DECISION else None

    @property
    def error_code(self) -> str | None:
        """The code of an error; None without one."""
        return None if self.bearing is Bearing.DECISION else self.code
