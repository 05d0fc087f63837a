"""The steps of a plan: single writes and calls, which the engine executes in order.

Each kind of step defines its traits as arguments of its class. The type checker refuses a kind without one of them.

The file is long because the traits of all kinds are read side by side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, TypeAlias

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.events import EventKind
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import JobRow
from batchctl.model.row_work import RowChoice


class StepKind(ABC):
    """The traits of a kind of step, given as arguments of its class."""

    buys: ClassVar[bool]
    """It makes a create call."""
    stops: ClassVar[bool]
    """It ends or removes a remote job."""
    is_harmless: ClassVar[bool]
    """It records observations or collects results: executed even if everything else is held back."""
    makes_attempt: ClassVar[bool]
    """Another attempt is current afterwards."""
    needs_complete_list: ClassVar[bool]
    """It is safe only if the account was read completely."""
    needs_results_folder: ClassVar[bool]
    """It is safe only if the content of the results folder is known."""

    @property
    @abstractmethod
    def line(self) -> str:
        """The step for people, on one line."""

    def __init_subclass__(
        cls,
        *,
        buys: bool,
        stops: bool,
        is_harmless: bool,
        makes_attempt: bool,
        needs_complete_list: bool,
        needs_results_folder: bool,
    ) -> None:
        super().__init_subclass__()
        cls.buys = buys
        cls.stops = stops
        cls.is_harmless = is_harmless
        cls.makes_attempt = makes_attempt
        cls.needs_complete_list = needs_complete_list
        cls.needs_results_folder = needs_results_folder


class Note(Enum):
    """The event that a record step adds to the job's history; a refresh adds none."""

    REFRESHED = None
    ADOPTED = EventKind.ADOPTED
    LOOKED = EventKind.NOT_FOUND
    GONE = EventKind.GONE
    ABANDONED = EventKind.ABANDONED
    REUSED = EventKind.REUSED
    """Collected for this job before; only the results folder had it."""
    FOUND = EventKind.RESULTS_FOUND
    """Collected before, and missing in the record."""

    def __str__(self) -> str:
        return "refreshed" if self.value is None else self.value.words


@dataclass(frozen=True)
class RecordAttempt(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Record an attempt: adopted by its mark, refreshed from the API, not found, or gone."""

    attempt: RecordedAttempt
    note: Note = Note.REFRESHED

    @property
    def line(self) -> str:
        return f"record {self.attempt.key} {self.note}"


@dataclass(frozen=True)
class RecordJob(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Record the job's row: the manifest's settings, the current attempt, a removal."""

    job: JobRow

    @property
    def line(self) -> str:
        orders = {
            "removing": self.job.removing_time,
            "released": self.job.released_time,
            "cancel-requested": self.job.cancel_requested,
            "retry-requested": self.job.retry_requested,
        }
        words = (word for word, time in orders.items() if time is not None)
        return " ".join([f"record job {self.job.name}@{self.job.current}", *words])


@dataclass(frozen=True)
class Create(
    StepKind,
    buys=True,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=True,
    needs_results_folder=True,
):
    """Record the intent, then make the create call once. `token` is given when an open intent is sent again."""

    key: AttemptKey
    token: str | None = None
    rows: RowChoice = field(default_factory=RowChoice)
    """The rows to send, of an input that batchctl sends."""

    @property
    def line(self) -> str:
        return f"create {self.key}" if self.token is None else f"create {self.key} {self.token}"


@dataclass(frozen=True)
class Reuse(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Use a copy of results of the same work for an attempt, which is not sent."""

    attempt: RecordedAttempt
    """The attempt to record, without the path of its results."""
    source: str
    """The path of the reused results, relative to the results folder."""

    @property
    def key(self) -> AttemptKey:
        return self.attempt.key

    @property
    def line(self) -> str:
        return f"reuse {self.key} {self.source}"


@dataclass(frozen=True)
class Assemble(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Write the results of an attempt from answers of earlier attempts: it has no row to send."""

    attempt: RecordedAttempt
    """The attempt to record, without the path and the rows of its results."""
    rows: RowChoice
    """The answers that count."""

    @property
    def key(self) -> AttemptKey:
        return self.attempt.key

    @property
    def line(self) -> str:
        return f"assemble {self.key}"


@dataclass(frozen=True)
class Merge(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Write the results of all shards of an attempt into one file."""

    key: AttemptKey
    """Of the first shard."""
    rows: RowChoice
    """The answers that count."""
    state: str
    """The state in which the attempt ended, over all shards."""

    @property
    def line(self) -> str:
        return f"merge {self.key.job}@{self.key.attempt}"


@dataclass(frozen=True)
class Cancel(
    StepKind,
    buys=False,
    stops=True,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=False,
):
    """Send a cancel; a later pass shows whether the job ended."""

    key: AttemptKey
    account: Account
    remote: str
    cause: CancelCause

    @property
    def line(self) -> str:
        return f"cancel {self.key} {self.remote} {self.cause}"


@dataclass(frozen=True)
class Collect(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
):
    """Write the results durably into the results folder."""

    key: AttemptKey
    remote: RemoteJob

    @property
    def line(self) -> str:
        return f"collect {self.key} {self.remote.name}"


@dataclass(frozen=True)
class Delete(
    StepKind,
    buys=False,
    stops=True,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=True,
):
    """Delete the remote job."""

    key: AttemptKey
    account: Account
    remote: str
    results: str | None = None
    """Its collected results, which stay, see `RecordedAttempt.results`."""

    @property
    def line(self) -> str:
        return f"delete {self.key} {self.remote}"


@dataclass(frozen=True)
class Forget(
    StepKind,
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=False,
):
    """Delete the job from the record. Its results stay."""

    job: str

    @property
    def line(self) -> str:
        return f"forget {self.job}"


Record: TypeAlias = RecordAttempt | RecordJob
"""A step that only writes to the state."""
Step: TypeAlias = Record | Create | Reuse | Assemble | Merge | Cancel | Collect | Delete | Forget
"""One step. A job's steps run in order; the first failure ends them."""
