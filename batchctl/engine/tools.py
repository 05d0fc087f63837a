"""The tools of the engine: the implementations of the ports, handed in by the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.engine.providers import Providers
from batchctl.engine.warnings import LastSaid, Warnings
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import StoppedError
from batchctl.model.inventory import Inventory
from batchctl.model.keys import TOKEN_LENGTH
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from batchctl.reconcile import Options, Question, rows_to_survey

if TYPE_CHECKING:  # protocols are for type checkers
    from batchctl.engine.token_samples import TokenSamples
    from batchctl.model.ports.inputs import InputEncoder
    from batchctl.model.ports.providers import ProviderFactory
    from batchctl.model.ports.results import ResultStore, RowLedger, Shelf
    from batchctl.model.ports.state import StateStore
    from batchctl.model.ports.surroundings import Notifier, Progress, Stoppable

_LETTERS_OF_TOKENS = "abcdefghijklmnopqrstuvwxyz0123456789"
_TOKENS: int = len(_LETTERS_OF_TOKENS) ** TOKEN_LENGTH


def new_token() -> str:
    """A new token, which identifies one create call."""
    import secrets  # for create calls alone

    # One number for all letters: each call for random bytes goes into the kernel, and lets other threads go first.
    letters, number = [], secrets.randbelow(_TOKENS)
    for _ in range(TOKEN_LENGTH):
        number, letter = divmod(number, len(_LETTERS_OF_TOKENS))
        letters.append(_LETTERS_OF_TOKENS[letter])
    return "".join(letters)


def jitter() -> float:
    """A number from 0 to 1."""
    from random import SystemRandom  # for calls that failed

    return SystemRandom().random()


BlackBox: TypeAlias = Callable[[Question, Plan | None, Warnings], None]
"""Keeps a decision with its input; None: the decision failed. What keeps it from that is a warning."""


def keep_nothing(_question: Question, _plan: Plan | None, _warnings: Warnings) -> None:
    """The black box of a command without one."""


class Tools(Struct, frozen=True):
    """Everything that the engine touches the world with."""

    state: StateStore
    providers: Providers
    inputs: InputEncoder
    results: ResultStore
    notifier: Notifier
    clock: Stoppable
    progress: Progress
    token: Callable[[], str] = new_token
    random: Callable[[], float] = jitter
    """Numbers from 0 to 1, for jitter."""
    said: LastSaid = field(default_factory=LastSaid)
    """The warnings already shown, so that no pass repeats them."""
    postponed: dict[str, float] = field(default_factory=dict)
    """Clean-up that failed, and the moment of the monotonic clock before which it is not tried again."""
    shelf: Shelf | None = None
    """None: the results folder is not read, and the record alone says what was collected."""
    ledger: RowLedger | None = None
    """None: every attempt sends all rows."""
    connect: Callable[[Stack], ProviderFactory] | None = None
    """Gives the factory for a stack whose file has changed; None where it is read once."""
    opened: Stack | None = None
    """The stack as the command first read it: these tools reach its state, results and accounts."""
    activity: Activity = UNWATCHED
    black_box: BlackBox = keep_nothing
    get_ready: Callable[[], None] | None = None
    """Loads what creates need. It is called while the accounts are read, if a job is new; None: nothing is loaded."""
    samples: TokenSamples | None = None
    """None: no tokens are counted before work is bought."""

    @property
    def warnings(self) -> Warnings:
        return Warnings(self.progress, self.said)

    def follow(self, stack: Stack, before: Stack | None, *, retry: bool) -> None:
        """Get ready for a further pass: reach the accounts as its stack says; `retry` tries those that failed again."""
        if self.connect is not None and before is not None and stack != before:
            self.providers.replace(self.connect(stack))
        elif retry:
            self.providers.forget_failures()

    def look_at_results(self, desired: DesiredStack, recorded: Recorded, options: Options) -> Inventory | None:
        """The content of the results folder, with the rows of jobs whose next attempt depends on them."""
        if self.shelf is None:
            return None
        inventory = self.shelf.look()
        if self.ledger is None:
            return inventory
        if inventory.problem is None:
            # A job without a collected folder has no ledger, and to look for its folder takes longer than to plan it.
            collected = {path.partition("/")[0] for path in (*inventory.kept, *inventory.faults)}
            desired = replace(desired, jobs=tuple([job for job in desired.jobs if job.name in collected]))
        asked = rows_to_survey(desired, recorded, options)
        found = {job.name: self.ledger.survey(job, choice) for job, choice in asked}
        return replace(inventory, rows={name: work for name, work in found.items() if work is not None})

    def with_samples(self, desired: DesiredStack, planned: Plan, observed: Observed) -> DesiredStack:
        """The stack with the tokens that the API counted for jobs that the plan buys; the same one without news."""
        return desired if self.samples is None else self.samples.add(desired, planned, observed, self.providers)

    def is_whole(self, path: str) -> bool:
        """Whether collected rows are complete; reads all of them."""
        return self.shelf is None or self.shelf.verify(path) is None

    def require_running(self) -> None:
        """Raise StoppedError when the process was asked to stop: running calls end, no new ones start."""
        if self.clock.is_stopped():
            raise StoppedError("stopped before it was finished", hint="run the same command again: it goes on")
