"""One state of a small world as a value, and the copy of it that a transition works on."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import Account, Api, AttemptKey, same_digest
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import Ghost, JobRow
from batchctl.model.steps import Step
from batchctl.reconcile import has_succeeded
from batchctl.reconcile.view.shards import combine_attempts
from tests.search.choices import Choices
from tests.search.ledger import Answer, Histories, Segment, SentList
from tests.search.scenes import Scene, desired_stack, input_of, manifest
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
    rows: tuple[int, ...] = ()
    """The rows that were sent."""
    answers: tuple[Answer, ...] = ()
    """The results that it has, once it has ended."""
    is_unreadable: bool = False
    """Its results can never be read."""


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
    landing: tuple[Remote, ...] = ()
    """Jobs whose create call the API has taken, but not carried out."""
    kept: tuple[KeptResults, ...] = ()
    """What is in the results folder, by path."""
    lists: tuple[SentList, ...] = ()
    """The lists of sent rows there, by name."""
    ledger: tuple[Segment, ...] = ()
    """The ledgers there, by path."""
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
        self.lists = state.lists
        self.ledger = {one.path: one for one in state.ledger}
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
            self._lists_in_use(),
            tuple(self.ledger[path] for path in sorted(self.ledger)),
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

    def _lists_in_use(self) -> tuple[SentList, ...]:
        """The lists that somebody may read yet; which others there are makes no difference."""
        remotes = (*self.remotes.values(), *self.landing)
        marks = {one.job.mark.token for one in remotes if one.job.mark is not None}
        asleep = () if self.sleeper is None else (*self.sleeper.ops, *self.sleeper.later)
        read = marks | {one.token for one in self.store.attempts}
        read |= {op.attempt.token for op in asleep if op.attempt is not None}
        return tuple(one for one in self.lists if one.token in read)

    def desired(self) -> DesiredStack:
        """What the manifests say now. The rows of a chain are made from collected answers."""
        return desired_stack(self.scene, tuple(sorted(self.wanted.items())), self.moved, self.made())

    def made(self) -> tuple[int, ...] | None:
        """The rows of the chain; None while there are no answers to make them from."""
        rules = self.scene.rows
        if rules is None or rules.chain is None or rules.chain[1] not in self.wanted:
            return None
        name = rules.chain[1]
        wanted = manifest(self.scene, name, self.wanted[name])
        row = next((one for one in self.store.rows if one.name == name), None)
        named = () if row is None else [one for one in self.store.attempts if one.key.job == name]
        attempts = tuple(one for one in named if row is not None and one.key.attempt == row.current)
        attempt = combine_attempts(attempts) if attempts else None
        if attempt is None or not attempt.results or not has_succeeded(attempt):
            return None
        if not same_digest(attempt.digest, wanted.digest):
            return None
        known = Histories(self.ledger.values(), name, rules.settings.accept)
        return tuple(row for row in input_of(self.scene, wanted) if (one := known[row]) is not None and one.is_good)

    def wanted_job(self, name: str) -> DesiredJob | None:
        """The manifest of a job; None if there is none."""
        return next((job for job in self.desired().jobs if job.name == name), None)

    def lineage(self, name: str) -> str:
        """The name that a job has today, whatever a mark calls it."""
        return dict(self.moved).get(name, name)


def attempt_of(store: Store, key: AttemptKey) -> RecordedAttempt | None:
    return next((one for one in store.attempts if one.key == key), None)


def _number_first(name: str) -> str:
    return name.rpartition("/")[2]
