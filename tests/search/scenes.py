"""The small worlds that are searched: how many jobs, on which API, with which policies, and what may happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path

from batchctl.model.admission import AdmissionLimits
from batchctl.model.chain import Chain, ChainCount
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnChange, OnMissing, OnRemove
from batchctl.model.locations import Location
from batchctl.model.row_settings import Canary, RowSettings
from batchctl.model.row_work import ShardLimits
from batchctl.model.sources import AwaitedRows, ChainedFile, InlineRows, RequestRow, Source
from batchctl.model.stack import Limits, Moved, Stack
from batchctl.reconcile import Options
from tests.search.ledger import name_of
from tests.search.values import FrozenDict
from tests.support.values import replace

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
class RowRules:
    """The rows of the jobs of a scene. A row is a number, which stands for its fingerprint."""

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    """The rows of each work that a manifest may ask for."""
    per_shard: int | None = None
    canary: Canary | None = None
    settings: RowSettings = field(default_factory=RowSettings)
    outcomes: tuple[str, ...] = ("all good",)
    """How the rows of a remote job may go, see `service.answers_of`."""
    orders: tuple[tuple[str, Options], ...] = ()
    """Commands about rows that a person may give."""
    at_once: int | None = None
    """`limits.activeJobs` of the account."""
    chain: tuple[str, str] | None = None
    """A job whose rows are made from the answers of another one, and that job."""

    def rows_of(self, work: str) -> tuple[int, ...]:
        return dict(self.inputs)[work]


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
    rows: RowRules | None = None
    """The rows of its jobs; None: rows are not part of this world."""

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


def digest_of(work: str, rows: tuple[int, ...] | None = None) -> str:
    """The digest of some work; of a chain also by its rows."""
    if rows is None:
        return "d1:" + work * 64
    return f"d1:{work}{sum(1 << row for row in rows):08x}".ljust(len("d1:") + 64, work)


@cache
def manifest(
    scene: Scene,
    name: str,
    work: str,
    renames: tuple[tuple[str, str], ...] = (),
    made: tuple[int, ...] | None = None,
) -> DesiredJob:
    """The manifest of a job that asks for some work. `made`: the rows of a chain."""
    first = scene.original(name)
    today = dict(renames)
    account = dict(scene.accounts)[first]
    plain = DesiredJob(
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
    return plain if scene.rows is None else _with_rows(plain, scene.rows, work, made)


def _with_rows(job: DesiredJob, rules: RowRules, work: str, made: tuple[int, ...] | None) -> DesiredJob:
    source: Source
    digest, tree = job.digest, job.tree
    if rules.chain is not None and rules.chain[0] == job.name:
        chain = Chain(rules.chain[1], "template")
        digest = digest_of(work, made or ())
        tree = FrozenDict(tree, rows=made)
        source = AwaitedRows(chain) if made is None else _chained(chain, made)
    else:
        source = InlineRows(tuple(RequestRow(name_of(row), FrozenDict()) for row in rules.rows_of(work)))
    return replace(
        job,
        source=source,
        digest=digest,
        tree=tree,
        row_settings=rules.settings,
        canary=rules.canary,
        sharding=ShardLimits(rows=rules.per_shard),
    )


def _chained(chain: Chain, rows: tuple[int, ...]) -> ChainedFile:
    return ChainedFile(
        path=Path("/s/rows.jsonl"),
        sha256="",
        rows=len(rows),
        size=0,
        chain=chain,
        count=ChainCount(len(rows)),
    )


def input_of(scene: Scene, job: DesiredJob) -> tuple[int, ...]:
    """The rows of a manifest."""
    match job.source:
        case InlineRows(rows):
            return tuple(int((row.key or "").removeprefix("k")) for row in rows)
        case ChainedFile():
            made: tuple[int, ...] = job.tree["rows"]
            return made
        case _:
            return ()


@cache
def desired_stack(
    scene: Scene,
    wanted: tuple[tuple[str, str], ...],
    moved: tuple[tuple[str, str], ...],
    made: tuple[int, ...] | None = None,
) -> DesiredStack:
    """All that the manifests say. `made`: the rows of the chain."""
    entries = tuple(Moved(before, after, Location("batchctl.yaml")) for before, after in moved)
    at_once = None if scene.rows is None else scene.rows.at_once
    stack = replace(STACK, limits=Limits(admission=AdmissionLimits(active=at_once)), moved=entries)
    names = {name for name, _ in wanted}
    jobs = []
    for name, work in wanted:
        one = manifest(scene, name, work, moved, made)
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
