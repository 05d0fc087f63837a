"""The changes of the state. Several are committed together or not at all."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from batchctl.model.admission import Quota
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.events import Event
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account
from batchctl.model.notices import Notice
from batchctl.model.recorded import Ghost, JobRow, RecordedFile


class SaveJob(Struct, frozen=True):
    """Write the job's own row. Each attempt is saved by `SaveAttempt`."""

    job: JobRow


class SaveAttempt(Struct, frozen=True):
    """Write one attempt with its open intent. An intent of None closes the stored one."""

    attempt: RecordedAttempt


class ForgetJob(Struct, frozen=True):
    """Delete a job and its attempts. Events stay."""

    job: str


class RenameJob(Struct, frozen=True):
    """Rename a job with its attempts, intents and events. The new name must not be recorded yet."""

    job: str
    to: str


class SaveFile(Struct, frozen=True):
    """Write one uploaded file."""

    file: RecordedFile


class SaveGhost(Struct, frozen=True):
    """Add a ghost."""

    ghost: Ghost


class DropGhost(Struct, frozen=True):
    """Delete a ghost."""

    ghost: Ghost


class SavePast(Struct, frozen=True):
    """Keep the times of an attempt that is about to be forgotten."""

    past: PastAttempt


class DropPast(Struct, frozen=True):
    """Delete the times of a forgotten attempt."""

    past: PastAttempt


class DropFile(Struct, frozen=True):
    """Delete an uploaded file from the record: it was deleted or has expired."""

    file: RecordedFile


class AddEvent(Struct, frozen=True):
    """Append to the history."""

    event: Event


class SaveIdentity(Struct, frozen=True):
    """Write the fingerprint of the credentials that show an account's jobs."""

    account: Account
    identity: str


class SaveQuota(Struct, frozen=True):
    """Write a learned quota."""

    quota: Quota


class SaveNotice(Struct, frozen=True):
    """Write a notice of the outbox: a new one, or one with the result of a delivery."""

    notice: Notice


class DropNotice(Struct, frozen=True):
    """Delete a notice from the outbox."""

    notice: Notice


Write: TypeAlias = (
    SaveJob
    | SaveAttempt
    | ForgetJob
    | RenameJob
    | SaveFile
    | DropFile
    | AddEvent
    | SaveIdentity
    | SaveQuota
    | SaveNotice
    | DropNotice
    | SaveGhost
    | DropGhost
    | SavePast
    | DropPast
)
"""One change of the state. Several are committed together or not at all."""
