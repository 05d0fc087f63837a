"""Builders that make a row of the decision table one line, and a text form of a plan to compare it with.

The provider's clock says NOW, the local one LOCAL: five minutes apart, so that a mix-up of the two shows.
Jobs are called `a` unless told otherwise; the work that a job does is one hex digit, which its digest repeats.

The file is long because most tables use all of the builders together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batchctl.model.admission import Quota
from batchctl.model.attempts import Intent, RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnMissing
from batchctl.model.locations import Location
from batchctl.model.observed import Gone, Moment, Observation, Presence, Present, RemoteJob, RowCounts, Status, Unknown
from batchctl.model.plan import Plan
from batchctl.model.recorded import JobRow, Recorded, RecordedJob
from batchctl.model.row_settings import Canary
from batchctl.model.row_work import RowsSent, RowWork
from batchctl.model.settings import webhook_hashes
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.stack import Limits, ProviderConfig, Stack
from batchctl.model.states import TERMINAL_STATES
from batchctl.model.steps import (
    Assemble,
    Cancel,
    Collect,
    Create,
    Delete,
    Forget,
    Merge,
    RecordAttempt,
    RecordJob,
    Reuse,
    Step,
)
from batchctl.reconcile import Options, plan
from tests.support.values import replace

NAMES = "[a-z0-9-]+"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LOCAL = NOW - timedelta(minutes=5)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

HERE = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
THERE = Account(Api.VERTEX, "https://europe-west4-aiplatform.googleapis.com", "p", "europe-west4")
STACK = Stack("shop", "abc123", Path("/s"), Path("/s/batchctl.yaml"), {}, Path("/s/state.db"), Path("/s/results"))
GRACE = STACK.limits.settle_grace


def digest(work: str) -> str:
    return "d1:" + work * 64


def token(number: int) -> str:
    return f"token{number:05d}"


def state_name(short: str) -> str:
    return short if short.startswith("JOB_STATE_") else f"JOB_STATE_{short}"


def job(
    name: str = "a",
    *,
    work: str = "1",
    account: Account = HERE,
    path: str | None = None,
    labels: Mapping[str, str] | None = None,
    model: str = "gemini-2.5-flash",
    needs: Iterable[str] = (),
    priority: int = 0,
    tokens: int | None = None,
    **lifecycle: Any,
) -> DesiredJob:
    """A manifest."""
    file = path or f"{name}.yaml"
    return DesiredJob(
        name,
        Kind.BATCH_JOB,
        "main",
        account,
        model,
        InlineRows(()),
        digest(work),
        {"model": "gemini-2.5-flash", "runId": work},
        file,
        Location(file),
        Lifecycle(**lifecycle),
        labels or {},
        depends_on=tuple(needs),
        priority=priority,
        input_bytes=None if tokens is None else 4 * tokens,
    )


def attempt(
    number: int = 1,
    state: str | None = "RUNNING",
    *,
    name: str = "a",
    work: str = "1",
    account: Account = HERE,
    **fields: Any,
) -> RecordedAttempt:
    """A recorded attempt that was created two hours ago, ran an hour ago and ended half an hour ago, as far as it came."""
    full = None if state is None else state_name(state)
    times: dict[str, Any] = {}
    if full is not None:
        times["create_time"] = NOW - 2 * HOUR
    if full not in {None, "JOB_STATE_PENDING", "JOB_STATE_QUEUED"}:
        times["start_time"] = NOW - HOUR
    if full in TERMINAL_STATES:
        times["end_time"] = NOW - 30 * MINUTE
    base_digest = fields.pop("digest", digest(work))
    given = {
        "remote": f"batches/{name}-{number}",
        "tree": {"model": "gemini-2.5-flash", "runId": work},
        **times,
        **fields,
    }
    return RecordedAttempt(AttemptKey(name, number), account, base_digest, token(number), state=full, **given)


def unanswered(number: int = 1, *, first_look: datetime | None = None, **fields: Any) -> RecordedAttempt:
    """An attempt whose create call got no answer. The provider's clock agrees with the local one on the first look."""
    there = None if first_look is None else first_look + (NOW - LOCAL)
    intent = Intent(LOCAL - 10 * MINUTE, first_look, there)
    return attempt(number, None, remote=None, intent=intent, **fields)


def collected(number: int = 1, state: str = "SUCCEEDED", **fields: Any) -> RecordedAttempt:
    """A finished attempt whose results are kept."""
    rows = RowCounts(10, 10, 0)
    return attempt(number, state, **{"results": f"a/{number}", "rows": rows, **fields})


def kept(*attempts: RecordedAttempt, broken: Mapping[str, str] | None = None, **fields: Any) -> Inventory:
    """What lies in the results folder: the whole results of these attempts, and folders that are `broken`."""
    given = {"stack": STACK.name, "uid": STACK.uid, **fields}
    held = {
        one.results: KeptResults(replace(one, tree={}, adopted=True), one.key.job, **given)
        for one in attempts
        if one.results is not None
    }
    return Inventory(held, broken or {})


def with_rows(work: RowWork, *attempts: RecordedAttempt, name: str = "a") -> Inventory:
    """The results folder, with the rows of a job compared with its ledger."""
    return replace(kept(*attempts), rows={name: work})


def row(wanted: DesiredJob, *attempts: RecordedAttempt, **fields: Any) -> RecordedJob:
    """The record of a job whose manifest is as recorded; the last attempt counts."""
    current = attempts[-1].key.attempt if attempts else 1
    recorded = JobRow(
        wanted.name,
        wanted.kind,
        wanted.provider,
        wanted.model,
        wanted.path,
        wanted.account,
        wanted.lifecycle,
        **{
            "labels": dict(wanted.labels),
            "depends_on": wanted.depends_on,
            "priority": wanted.priority,
            "webhook": webhook_hashes(wanted.webhook),
            "current": current,
            **fields,
        },
    )
    return RecordedJob(recorded, attempts)


def with_row(record: RecordedJob, **fields: Any) -> RecordedJob:
    """The record with other values in its own row."""
    return replace(record, row=replace(record.row, **fields))


def mark(number: int = 1, *, name: str = "a", work: str = "1", token_of: int | None = None, **fields: Any) -> Mark:
    key = AttemptKey(name, number)
    made = Mark(STACK.name, STACK.uid, key, digest(work)[:15], token(token_of or number))
    return replace(made, **fields)


def seen(record: RecordedAttempt, state: str | None = None, **fields: Any) -> RemoteJob:
    """The remote job of an attempt as the API shows it: as recorded, but for the state and the fields given."""
    assert record.remote is not None
    number, name = record.key.attempt, record.key.job
    made = mark(number, name=name, work=record.digest[-1])
    full = record.state if state is None else state_name(state)
    assert full is not None
    before = RemoteJob(
        record.remote,
        record.account,
        f"Job {made}",
        made,
        full,
        create_time=record.create_time,
        start_time=record.start_time,
        end_time=record.end_time,
        rows=record.rows,
        error=record.error,
    )
    return replace(before, **fields)


def found(
    number: int = 1, state: str = "RUNNING", *, suffix: str = "", age: timedelta = 2 * HOUR, **fields: Any
) -> RemoteJob:
    """A remote job with our mark, whatever the state file knows of it."""
    name, work = fields.pop("name", "a"), fields.pop("work", "1")
    record = attempt(number, state, name=name, work=work, create_time=NOW - age)
    return seen(record, **{"name": f"batches/{name}-{number}{suffix}", **fields})


def foreign_jobs() -> Iterator[RemoteJob]:
    """What other people run in the same accounts, some of it with marks that look much like ours."""
    for name in "ab":
        marked = found(name=name)
        assert marked.mark is not None
        yield replace(marked, name=f"foreign/{name}-hand-made", mark=None)
        yield replace(marked, name=f"foreign/{name}-uid", mark=replace(marked.mark, uid="fedcba"))
        yield replace(
            marked, name=f"foreign/{name}-stack", mark=replace(marked.mark, stack="shop-2"), state="JOB_STATE_BREWING"
        )


def look(
    *jobs: RemoteJob,
    account: Account = HERE,
    complete: bool = True,
    gone: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    lists_foreign: bool = True,
    shown: Mapping[str, RemoteJob] | None = None,
) -> Observation:
    """One look at an account. `gone` and `forbidden` answer direct gets with 404 and 403, `shown` with a job."""
    checked: dict[str, Presence] = {remote: Gone() for remote in gone}
    checked.update({remote: Present(job) for remote, job in (shown or {}).items()})
    checked.update({remote: Unknown("403") for remote in forbidden})
    problem = "" if complete else "page 2 failed"
    return Observation(account, NOW, jobs, complete, problem, checked, lists_foreign)


@dataclass(frozen=True)
class Situation:
    """One row of a table: what is desired, recorded and observed of job `a`, and the plan that shall follow."""

    wanted: DesiredJob | None = None
    record: RecordedJob | None = None
    look: Observation = field(default_factory=look)
    options: Options = field(default_factory=Options)
    local: datetime = LOCAL
    suspended: bool = False
    inventory: Inventory | None = None
    confirmed: bool = True

    def decide(self) -> Plan:
        return decide(
            [self.wanted] if self.wanted else [],
            [self.record] if self.record else [],
            [self.look],
            self.options,
            local=self.local,
            suspended=self.suspended,
            inventory=self.inventory,
            confirmed=self.confirmed,
        )


def one(record: RecordedAttempt, state: str | None = None, **lifecycle: object) -> Situation:
    """A job whose one attempt the API shows, in the given state or as recorded."""
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record, state)))


def vanished(record: RecordedAttempt, **lifecycle: object) -> Situation:
    """A job whose one attempt is gone."""
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(gone=["batches/a-1"]))


def lost(number: int, **fields: object) -> RecordedAttempt:
    """An attempt that went missing before, as it was written down."""
    return attempt(number, gone_time=LOCAL - HOUR, **fields)


def again(*before: RecordedAttempt, last: int, **changes: object) -> Situation:
    """A job to be made again whenever it goes missing (`onMissing: recreate`), of which the last attempt just did."""
    record = attempt(last, **changes)
    wanted = job(on_missing=OnMissing.RECREATE)
    return Situation(wanted, row(wanted, *before, record), look(gone=[f"batches/a-{last}"]))


def ordered(situation: Situation) -> Situation:
    """The same after `batchctl cancel`."""
    assert situation.record is not None
    return replace(situation, record=with_row(situation.record, cancel_requested=LOCAL))


def several(*records: RecordedAttempt, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, *records), look(*(seen(record) for record in records)))


def decide(
    wanted: Iterable[DesiredJob] = (),
    records: Iterable[RecordedJob] = (),
    looks: Iterable[Observation] = (),
    options: Options | None = None,
    *,
    local: datetime = LOCAL,
    suspended: bool = False,
    limits: Limits | None = None,
    providers: Iterable[ProviderConfig] = (),
    quotas: Iterable[Quota] = (),
    inventory: Inventory | None = None,
    confirmed: bool = True,
) -> Plan:
    """The plan. What a look says is gone was missed by a look an hour before, unless it is not `confirmed`."""
    looks = tuple(looks)
    records = [_missed_before(record, looks) for record in records] if confirmed else records
    named = {provider.name: provider for provider in providers}
    stack = replace(STACK, suspend=suspended, limits=limits or STACK.limits, providers=named)
    return plan(
        DesiredStack(stack, tuple(wanted)),
        Recorded({record.name: record for record in records}, quotas={quota.key: quota for quota in quotas}),
        {observation.account: observation for observation in looks},
        local,
        options,
        inventory,
    )


def _missed_before(record: RecordedJob, looks: Iterable[Observation]) -> RecordedJob:
    gone = {name for one in looks for name, there in one.checked.items() if isinstance(there, Gone)}
    before = Moment(LOCAL - HOUR, NOW - HOUR)
    attempts = (replace(one, missed=before) if one.remote in gone else one for one in record.attempts)
    return replace(record, attempts=tuple(attempts))


def show(made: Plan, name: str = "a") -> str:
    """The line of one job in the plan's text, without the names of remote jobs that the builders give."""
    lines = dict(line.split(": ", 1) for line in made.lines())
    return re.sub(rf" batches/({NAMES})-(\d+)(?= |$)", _unless_usual, lines.get(name, ""))


def _unless_usual(found: re.Match[str]) -> str:
    """A remote job's name, unless the attempt before it has the same name and number."""
    usual = f" {found[1]}@{found[2]}.0"
    return "" if found.string[: found.start()].endswith(usual) else found[0]


def show_step(step: Step) -> str:
    return step.line


def touched_by(step: Step) -> str | None:
    """The remote job that a step acts on."""
    match step:
        case Cancel(_, _, remote, _) | Delete(_, _, remote):
            return remote
        case Collect(_, remote):
            return remote.name
        case RecordAttempt() | RecordJob() | Create() | Reuse() | Assemble() | Merge() | Forget():
            return None


FAILURE = Status(13, "the model is on holiday.")


def canary(settings: Canary | None = None, tokens: int | None = None, *, of: int = 1000, **verdicts: int) -> Situation:
    """A collected canary of 50 rows of 1,000, with these verdicts."""
    wanted = replace(job(), canary=settings or Canary(), source=InlineRows((RequestRow(None, {}),) * of))
    sent = RowsSent(50, of, "", is_canary=True, verdicts=verdicts, tokens=tokens)
    done = collected(sent=sent, rows=RowCounts(of, verdicts.get("OK", 0), 50 - verdicts.get("OK", 0)))
    return Situation(wanted, row(wanted, done), look(seen(done)), inventory=kept(done))


def shard(number: int, state: str | None = "RUNNING", *, of: int = 3, **fields: Any) -> RecordedAttempt:
    """One of several shards of the first attempt of job `a`, each of 10 rows; without a state it is not sent yet."""
    sent = RowsSent(10, 10 * of, "", shards=of)
    remote = {} if state else {"remote": None, "create_time": None, "start_time": None}
    made = attempt(1, state, **{"sent": sent, **remote, **fields})
    name = None if made.remote is None else f"{made.remote}-s{number}"
    return replace(made, key=AttemptKey("a", 1, number), token=f"shard{number:05}", remote=name)


def sharded(*shards: RecordedAttempt, wanted: DesiredJob | None = None, **fields: Any) -> Situation:
    """A job whose first attempt has these shards, each seen as it is recorded."""
    manifest = wanted or job()
    shown = look(*(_seen_shard(one) for one in shards if one.remote is not None))
    return Situation(manifest, row(manifest, *shards), shown, inventory=kept(*shards), **fields)


def _seen_shard(one: RecordedAttempt) -> RemoteJob:
    found = seen(one)
    assert found.mark is not None
    made = replace(found.mark, key=one.key, token=one.token)
    return replace(found, mark=made, display_name=f"Job {made}")
