"""One state of a small world as a value, and the copy of it that a transition works on."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from batchctl.model.inventory import KeptResults
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import Ghost, JobRow, RecordedAttempt
from batchctl.model.steps import Step
from tests.search.choices import Choices
from tests.search.scenes import Scene
from tests.search.values import name_text, numbers_in, renumbered

Pair: TypeAlias = tuple[str, str]


class Store(NamedTuple):
    """The state file."""

    rows: tuple[JobRow, ...] = ()
    """The jobs' own rows, by name."""
    attempts: tuple[RecordedAttempt, ...] = ()
    """By key."""
    ghosts: tuple[Ghost, ...] = ()
    is_new: bool = True
    epoch: int = 0
    """Of the last process that took the lock; counted from that of a sleeping one."""


class Remote(NamedTuple):
    """One remote job as it truly is."""

    job: RemoteJob
    is_copy: bool = False
    """Made by another hand, with a mark that was copied from ours."""


class Op(NamedTuple):
    """One small step of a process; everything between two of them happens at once."""

    what: str
    step: Step
    attempt: RecordedAttempt | None = None
    """The attempt as the process has it."""
    before: RecordedAttempt | None = None
    """The same before this step."""
    answer: str = ""
    """How the call went."""
    made: RemoteJob | None = None
    """What the answer to a create call shows."""


class Sleeper(NamedTuple):
    """A process that was stopped in the middle of its steps."""

    epoch: int
    ops: tuple[Op, ...]
    """What it goes on with."""
    later: tuple[Op, ...] = ()
    """The steps of the next job."""


class State(NamedTuple):
    """Everything that tells what may come."""

    wanted: tuple[Pair, ...]
    """The manifests: names, each with the work it asks for."""
    moved: tuple[Pair, ...] = ()
    """The entries of `spec.moved`."""
    store: Store = Store()
    remotes: tuple[Remote, ...] = ()
    """All remote jobs but the foreign ones, by name."""
    deleted: tuple[RemoteJob, ...] = ()
    """Deleted a moment ago: an old reading may still show them."""
    landing: tuple[RemoteJob, ...] = ()
    """Jobs whose create call the API has taken, but not carried out."""
    kept: tuple[KeptResults, ...] = ()
    """What is in the results folder, by path."""
    sleeper: Sleeper | None = None
    is_blind: bool = False
    """Whether the state was lost while a list lagged behind: then nothing could tell of a job."""


class Working:
    """A copy of a state that a transition changes."""

    def __init__(self, scene: Scene, state: State, choices: Choices) -> None:
        self.scene = scene
        self.choices = choices
        self.wanted = dict(state.wanted)
        self.moved = state.moved
        self.store = state.store
        self.remotes = {remote.job.name: remote for remote in state.remotes}
        self.deleted = {job.name: job for job in state.deleted}
        self.landing = state.landing
        self.kept = {str(one.attempt.results): one for one in state.kept}
        self.sleeper = state.sleeper
        self.is_blind = state.is_blind
        self._last = max(numbers_in(state), default=0)

    def freeze(self) -> State:
        """The canonical form."""
        store, sleeper = self.store, self.sleeper
        if sleeper is None:
            store = store._replace(epoch=0)
        elif store.epoch > sleeper.epoch:
            store, sleeper = store._replace(epoch=1), sleeper._replace(epoch=0)
        else:
            store, sleeper = store._replace(epoch=0), sleeper._replace(epoch=0)
        remotes = tuple(self.remotes[name] for name in sorted(self.remotes, key=_number_first))
        raw = State(
            tuple(sorted(self.wanted.items())),
            self.moved,
            store,
            remotes,
            tuple(self.deleted[name] for name in sorted(self.deleted, key=_number_first)),
            self.landing,
            tuple(self.kept[path] for path in sorted(self.kept)),
            sleeper,
            self.is_blind,
        )
        canonical: State = renumbered(raw)
        return canonical

    def next_number(self) -> int:
        """For a token or a remote job that is new."""
        self._last += 1
        return self._last

    def remote_name(self, account: Account) -> str:
        number = name_text(self.next_number())
        if account.api is Api.GEMINI:
            return f"batches/{number}"
        return f"projects/p/locations/europe-west4/batchPredictionJobs/{number}"

    def lineage(self, name: str) -> str:
        """The name that a job has today, whatever a mark calls it."""
        return dict(self.moved).get(name, name)


def attempt_of(store: Store, key: AttemptKey) -> RecordedAttempt | None:
    return next((one for one in store.attempts if one.key == key), None)


def _number_first(name: str) -> str:
    return name.rpartition("/")[2]
