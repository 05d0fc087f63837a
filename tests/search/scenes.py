"""The small worlds that are searched: how many jobs, on which API, with which policies, and what may happen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path

from batchctl.model.desired import (
    DesiredJob,
    DesiredStack,
    InlineRows,
    Kind,
    Lifecycle,
    Location,
    Moved,
    OnChange,
    OnMissing,
    OnRemove,
    Stack,
)
from batchctl.model.keys import Account, Api
from tests.search.values import FrozenDict

GEMINI = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
VERTEX = Account(Api.VERTEX, "https://europe-west4-aiplatform.googleapis.com", "p", "europe-west4")
STACK = Stack("shop", "abc123", Path("/s"), Path("/s/batchctl.yaml"), {}, Path("/s/state.db"), Path("/s/results"))
MODEL = "gemini-2.5-flash"

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LIST_LAG = 2 * MINUTE
"""How far what an API shows may be behind; shorter than the grace, as the design asks for."""

STRICT = Lifecycle()
LENIENT = Lifecycle(backoff_limit=1, on_missing=OnMissing.RECREATE)
TIMED = Lifecycle(
    backoff_limit=1,
    retry_on=frozenset({"FAILED", "EXPIRED", "CANCELLED"}),
    pending_deadline=30 * MINUTE,
    active_deadline=HOUR,
    ttl_after_finished=2 * HOUR,
)


STAYING = Lifecycle(on_remove=OnRemove.CANCEL, on_change=OnChange.KEEP)
LEFT = Lifecycle(on_remove=OnRemove.KEEP)

READINGS = frozenset({"torn", "old", "no gets"})
STRANGERS = frozenset({"strangers cancel", "strangers delete"})
CHANGES = frozenset({"edit", "remove"})


@dataclass(frozen=True)
class Scene:
    """One small world."""

    name: str
    accounts: tuple[tuple[str, Account], ...]
    """Each job's account, in the order of the names."""
    lifecycle: Lifecycle = STRICT
    needs: tuple[tuple[str, str], ...] = ()
    """Pairs: the first depends on the second."""
    events: frozenset[str] = frozenset()
    """What may happen besides passes and progress, see `events`."""
    spans: tuple[timedelta, ...] = (MINUTE, 4 * MINUTE, HOUR)
    """How much time may pass at once."""
    faults: int = 1
    """How much may go wrong in one pass."""
    works: tuple[str, ...] = ("12", "34")
    """What each job's manifest may ask for; where it runs is part of the work, so two jobs share none as a rule."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Renames that a person may make, with an entry in `spec.moved`."""
    ends: tuple[str, ...] = ("SUCCEEDED", "FAILED", "EXPIRED", "PARTIALLY_SUCCEEDED")
    """How a remote job may end by itself."""

    @cached_property
    def all_accounts(self) -> tuple[Account, ...]:
        return tuple(sorted({account for _, account in self.accounts}))

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.accounts)

    def allows(self, event: str) -> bool:
        return event in self.events

    def works_of(self, name: str) -> str:
        """What the manifest of a job may ask for."""
        return self.works[self.names.index(self.original(name))]

    def original(self, name: str) -> str:
        """The name that a job had at first."""
        return {after: before for before, after in self.aliases}.get(name, name)


def digest_of(work: str) -> str:
    return "d1:" + work * 64


@cache
def manifest(scene: Scene, name: str, work: str, renames: tuple[tuple[str, str], ...] = ()) -> DesiredJob:
    """The manifest of a job that asks for some work."""
    first = scene.original(name)
    today = dict(renames)
    account = dict(scene.accounts)[first]
    return DesiredJob(
        name,
        Kind.BATCH_JOB,
        "main",
        account,
        MODEL,
        InlineRows(()),
        digest_of(work),
        FrozenDict(model=MODEL, runId=work),
        f"{name}.yaml",
        Location(f"{name}.yaml"),
        scene.lifecycle,
        FrozenDict(),
        depends_on=tuple(today.get(other, other) for one, other in scene.needs if one == first),
        webhook=FrozenDict(),
    )


@cache
def desired_stack(
    scene: Scene, wanted: tuple[tuple[str, str], ...], moved: tuple[tuple[str, str], ...]
) -> DesiredStack:
    """All that the manifests say."""
    entries = tuple(Moved(before, after, Location("batchctl.yaml")) for before, after in moved)
    stack = Stack(STACK.name, STACK.uid, STACK.folder, STACK.file, {}, STACK.state, STACK.results, moved=entries)
    names = {name for name, _ in wanted}
    jobs = []
    for name, work in wanted:
        one = manifest(scene, name, work, moved)
        # A manifest that names a job which is not there is no valid stack.
        known = tuple(other for other in one.depends_on if other in names)
        jobs.append(one if known == one.depends_on else _needing(one, known))
    return DesiredStack(stack, tuple(jobs), frozenset(scene.all_accounts))


def _needing(job: DesiredJob, needs: tuple[str, ...]) -> DesiredJob:
    return replace(job, depends_on=needs)


def scenes(api: Account, other: Account) -> tuple[Scene, ...]:
    """All scenes on one API; the second job of two is on the other one."""
    one = (("a", api),)
    return (
        Scene("faults", one, LENIENT, events=READINGS | CHANGES | STRANGERS | {"late"}),
        Scene("timers", one, TIMED, events=CHANGES | STRANGERS | {"torn"}),
        Scene("lost state", one, STRICT, events=READINGS | CHANGES | {"late", "lose", "rebuild"}),
        Scene("two processes", one, LENIENT, events=CHANGES | {"sleep", "torn", "strangers delete"}),
        Scene("renamed", one, STRICT, events=CHANGES | {"torn", "old", "lose", "rebuild"}, aliases=(("a", "c"),)),
        Scene("orders and copies", one, LENIENT, events=frozenset({"edit", "copy", "orders", "late", "torn"})),
        Scene("cancelled when removed", one, STAYING, events=CHANGES | {"torn", "late", "strangers cancel"}),
        Scene("kept when removed", one, LEFT, events=CHANGES | {"torn", "late", "lose"}),
        Scene(
            "two jobs",
            (("a", api), ("b", other)),
            STRICT,
            needs=(("b", "a"),),
            events=CHANGES | {"torn", "strangers delete"},
            spans=(4 * MINUTE, HOUR),
            ends=("SUCCEEDED", "FAILED"),
        ),
        Scene(
            "two jobs, two processes",
            (("a", api), ("b", other)),
            STRICT,
            needs=(("b", "a"),),
            events=frozenset({"sleep", "remove", "late"}),
            spans=(4 * MINUTE, HOUR),
            ends=("SUCCEEDED", "FAILED"),
        ),
        Scene(
            "the same work twice",
            (("a", api), ("b", api)),
            STRICT,
            events=frozenset({"edit", "remove", "late"}),
            spans=(4 * MINUTE, HOUR),
            ends=("SUCCEEDED", "FAILED"),
            works=("12", "12"),
        ),
    )
