"""The steps of a plan: single writes and calls, which the engine executes in order.

Each kind of step has its traits in front of its class. The type checker refuses a kind without one of them.

The file is long because the traits of all kinds are read side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar, TypeAlias, TypeVar

from msgspec import Struct, field

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.events import EventKind
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import JobRow
from batchctl.model.row_work import RowChoice


class StepKind(Struct, frozen=True):
    """One kind of step. `step_kind` gives it its traits."""

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
    def line(self) -> str:
        """The step for people, on one line."""
        raise NotImplementedError


K = TypeVar("K", bound=StepKind)


def step_kind(
    *,
    buys: bool,
    stops: bool,
    is_harmless: bool,
    makes_attempt: bool,
    needs_complete_list: bool,
    needs_results_folder: bool,
) -> Callable[[type[K]], type[K]]:
    """Define the traits of a kind of step."""

    def define(kind: type[K]) -> type[K]:
        kind.buys = buys
        kind.stops = stops
        kind.is_harmless = is_harmless
        kind.makes_attempt = makes_attempt
        kind.needs_complete_list = needs_complete_list
        kind.needs_results_folder = needs_results_folder
        return kind

    return define


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


@step_kind(
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
)
class RecordAttempt(StepKind, frozen=True):
    """Record an attempt: adopted by its mark, refreshed from the API, not found, or gone."""

    attempt: RecordedAttempt
    note: Note = Note.REFRESHED

    @property
    def line(self) -> str:
        return f"record {self.attempt.key} {self.note}"


@step_kind(
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
)
class RecordJob(StepKind, frozen=True):
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


@step_kind(
    buys=True,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=True,
    needs_results_folder=True,
)
class Create(StepKind, frozen=True):
    """Record the intent, then make the create call once. `token` is given when an open intent is sent again."""

    key: AttemptKey
    token: str | None = None
    rows: RowChoice = field(default_factory=RowChoice)
    """The rows to send, of an input that batchctl sends."""

    @property
    def line(self) -> str:
        return f"create {self.key}" if self.token is None else f"create {self.key} {self.token}"


@step_kind(
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=False,
    needs_results_folder=False,
)
class Reuse(StepKind, frozen=True):
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


@step_kind(
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=True,
    needs_complete_list=False,
    needs_results_folder=False,
)
class Assemble(StepKind, frozen=True):
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


@step_kind(
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
)
class Merge(StepKind, frozen=True):
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


@step_kind(
    buys=False,
    stops=True,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=False,
)
class Cancel(StepKind, frozen=True):
    """Send a cancel; a later pass shows whether the job ended."""

    key: AttemptKey
    account: Account
    remote: str
    cause: CancelCause

    @property
    def line(self) -> str:
        return f"cancel {self.key} {self.remote} {self.cause}"


@step_kind(
    buys=False,
    stops=False,
    is_harmless=True,
    makes_attempt=False,
    needs_complete_list=False,
    needs_results_folder=False,
)
class Collect(StepKind, frozen=True):
    """Write the results durably into the results folder."""

    key: AttemptKey
    remote: RemoteJob

    @property
    def line(self) -> str:
        return f"collect {self.key} {self.remote.name}"


@step_kind(
    buys=False,
    stops=True,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=True,
)
class Delete(StepKind, frozen=True):
    """Delete the remote job."""

    key: AttemptKey
    account: Account
    remote: str
    results: str | None = None
    """Its collected results, which stay, see `RecordedAttempt.results`."""

    @property
    def line(self) -> str:
        return f"delete {self.key} {self.remote}"


@step_kind(
    buys=False,
    stops=False,
    is_harmless=False,
    makes_attempt=False,
    needs_complete_list=True,
    needs_results_folder=False,
)
class Forget(StepKind, frozen=True):
    """Delete the job from the record. Its results stay."""

    job: str

    @property
    def line(self) -> str:
        return f"forget {self.job}"


Record: TypeAlias = RecordAttempt | RecordJob
"""A step that only writes to the state."""
Step: TypeAlias = Record | Create | Reuse | Assemble | Merge | Cancel | Collect | Delete | Forget
"""One step. A job's steps run in order; the first failure ends them."""
