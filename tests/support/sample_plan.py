"""A plan with every action, as `reconcile.plan` makes it of manifests, a state and what two accounts show.

The texts from outside are hostile: an error's message, a display name, a row's key.
"""

from __future__ import annotations

from pathlib import Path

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import BadRequest, GuardError
from batchctl.model.events import Event
from batchctl.model.keys import AttemptKey, BrokenMark, Mark
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnRemove
from batchctl.model.locations import Location
from batchctl.model.observed import Gone, Moment, Observation, RemoteJob, RowCounts, Status
from batchctl.model.outcome import Outcome, Result
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow, Recorded, RecordedJob
from batchctl.model.row_hashes import hash_rows
from batchctl.model.sources import InlineRows, RemoteSource, RequestRow
from batchctl.model.stack import Limits, Stack
from batchctl.reconcile import plan
from batchctl.report.description import JobDescription
from batchctl.report.reports import ApplyReport, StatusReport, StatusRow
from tests.support.report_samples import GEMINI, HOSTILE, NOW, TROUBLE, VERTEX, ago
from tests.support.values import replace

VERTEX_US = replace(VERTEX, location="us-central1")
STACK = Stack(
    "shop",
    "abc123",
    Path("shop"),
    Path("shop/batchctl.yaml"),
    {},
    Path("state.db"),
    Path("results"),
    limits=Limits(max_replace=0),
)
TREE = {"model": "gemini-2.5-flash", "source": {"rows": 2, "sha256": "5d41402abc4b" * 5}}
BEFORE = (RequestRow("row|1", {"contents": ["one"]}), RequestRow("row|2", {"contents": ["two"]}))
AFTER = (BEFORE[0], RequestRow("row|2", {"contents": ["a secret prompt"]}), RequestRow(HOSTILE, {"contents": ["3"]}))


def digest(name: str) -> str:
    """Each job does work of its own."""
    return f"d1:{name.encode().hex():0<64}"[:67]


def wanted(name: str, **fields: object) -> DesiredJob:
    """The manifest of a job with two rows."""
    known = {
        "kind": Kind.BATCH_JOB,
        "provider": "gemini",
        "account": GEMINI,
        "model": "gemini-2.5-flash",
        "source": InlineRows(BEFORE),
        "digest": digest(name),
        "tree": TREE,
        "path": f"jobs/{name}.yaml",
        "location": Location(f"jobs/{name}.yaml", 3, 1),
        "input_bytes": 1_234,
        "row_hashes": hash_rows(BEFORE),
    }
    return DesiredJob(name, **(known | fields))


def attempt(name: str, short: str, number: int = 1, **fields: object) -> RecordedAttempt:
    """An attempt that was created two hours ago, ran after an hour, and has ended if its state says so."""
    full = f"JOB_STATE_{short}"
    ended = short not in {"PENDING", "RUNNING"}
    known = {
        "account": GEMINI,
        "tree": TREE,
        "remote": f"batches/{name}" if number == 1 else f"batches/{name}-{number}",
        "state": full,
        "create_time": ago(hours=2),
        "start_time": ago(hours=1),
        "end_time": ago(minutes=30) if ended else None,
        "rows": RowCounts(2, 2, 0) if short == "SUCCEEDED" else RowCounts(2, None, None),
        "input_bytes": 1_234,
        "row_hashes": hash_rows(BEFORE),
    }
    token = f"token{number}{name}"[:10]
    return RecordedAttempt(AttemptKey(name, number), digest=digest(name), token=token, **(known | fields))


def record(name: str, *attempts: RecordedAttempt, lifecycle: Lifecycle | None = None, **fields: object) -> RecordedJob:
    known = {"provider": "gemini", "labels": {}, "priority": 0, "webhook": {}, "current": 1}
    row = JobRow(
        name,
        Kind.BATCH_JOB,
        model="gemini-2.5-flash",
        path=f"jobs/{name}.yaml",
        account=attempts[0].account,
        lifecycle=lifecycle or Lifecycle(),
        **(known | fields),
    )
    return RecordedJob(row, attempts)


def shown(one: RecordedAttempt, state: str | None = None, **fields: object) -> RemoteJob:
    """The remote job of an attempt as the API shows it."""
    mark = Mark(STACK.name, STACK.uid, one.key, one.digest[:15], one.token)
    remote = RemoteJob(
        one.remote,
        one.account,
        str(mark),
        mark,
        one.state if state is None else f"JOB_STATE_{state}",
        create_time=one.create_time,
        start_time=one.start_time,
        end_time=one.end_time,
        rows=one.rows,
        error=one.error,
    )
    return replace(remote, **fields)


KEPT = {"results": "kept/01234567-1"}
ADOPTED = attempt("adopt-me", "RUNNING")
CANCELLED = attempt("stopped", "RUNNING")
CHANGED = attempt("summarize-en", "RUNNING", number=3)
CHANGED_BEFORE = (
    attempt(
        "summarize-en",
        "",
        number=1,
        remote=None,
        state=None,
        rejected=True,
        error=Status(3, HOSTILE),
        trouble=TROUBLE,
        create_time=None,
        start_time=None,
        end_time=None,
        rows=RowCounts(),
    ),
    attempt(
        "summarize-en",
        "CANCELLED",
        number=2,
        adopted=True,
        cancel_time=ago(minutes=40),
        cancel_cause=CancelCause.REPLACE,
        delete_time=ago(minutes=20),
        gone_time=ago(minutes=10),
        results="summarize-en/01234567-2",
        rows=RowCounts(10, 8, 2),
        tokens=4_321,
    ),
)
COLLECT = attempt("collect-it", "SUCCEEDED")
DELETE = attempt("delete-it", "SUCCEEDED", **KEPT)
EXPIRED = attempt("retry-it", "EXPIRED", tree={"model": "gemini-2.5-pro"}, input_bytes=None, row_hashes=None, **KEPT)
FAILED = attempt("gave-up", "FAILED", error=Status(13, HOSTILE), rows=RowCounts(2, 0, 2), **KEPT)
GONE = attempt("forget-it", "SUCCEEDED", missed=Moment(ago(hours=1), ago(hours=1)), **KEPT)
QUIET = [attempt(name, "SUCCEEDED", **KEPT) for name in ("quiet-one", "quiet-two")]
REMOVED = attempt("cancel-it", "RUNNING")
RELAXED = attempt("relax-it", "RUNNING")
RENAMED = attempt("translate-fr", "RUNNING", account=VERTEX_US, rows=RowCounts(10, 4, 0), tokens=100)
UNSEEN = attempt("unseen", "RUNNING", account=VERTEX, remote="projects/demo/locations/l/batchPredictionJobs/42")

DESIRED = DesiredStack(
    STACK,
    (
        wanted("adopt-me"),
        wanted("classify", source=InlineRows(BEFORE * 11)),
        wanted("collect-it"),
        wanted("gave-up"),
        *(wanted(one.key.job) for one in QUIET),
        wanted("relax-it", lifecycle=Lifecycle(backoff_limit=2), labels={"team": "b|c"}),
        wanted(
            "retry-it",
            model="gemini-2.5-pro",
            source=RemoteSource(("files/abc",)),
            lifecycle=Lifecycle(backoff_limit=1),
            input_bytes=None,
        ),
        wanted("stopped"),
        wanted(
            "summarize-en",
            model="gemini-2.5-pro",
            source=InlineRows(AFTER),
            digest=digest("changed"),
            tree={
                "model": "gemini-2.5-pro",
                "request": {"generationConfig": {"temperature": 0.2, "stopSequences": ["a|b"]}},
                "source": {"rows": 3, "sha256": "7d793037a076" * 5},
            },
            display_name=HOSTILE,
            run_id="2026-11-22",
            input_bytes=1_200_000,
            row_hashes=hash_rows(AFTER),
        ),
        wanted("translate-fr", provider="vertex-us", account=VERTEX_US),
        wanted("unseen", provider="vertex-eu", account=VERTEX),
    ),
)
RECORDED = {
    one.name: one
    for one in (
        record("cancel-it", REMOVED, lifecycle=Lifecycle(on_remove=OnRemove.CANCEL)),
        record("collect-it", COLLECT),
        record("delete-it", DELETE),
        record("forget-it", GONE),
        record("gave-up", FAILED),
        *(record(one.key.job, one) for one in QUIET),
        record("relax-it", RELAXED, labels={"team": "a"}),
        record("retry-it", EXPIRED, lifecycle=Lifecycle(backoff_limit=1)),
        record("stopped", CANCELLED),
        record("summarize-en", *CHANGED_BEFORE, CHANGED, current=3),
        record("translate-fr", RENAMED, provider="vertex-us"),
        record("unseen", UNSEEN, provider="vertex-eu"),
    )
}
SEEN = (REMOVED, COLLECT, DELETE, FAILED, *QUIET, RELAXED, EXPIRED, CHANGED)
JOBS = (
    *(shown(one) for one in SEEN),
    shown(ADOPTED),
    shown(CANCELLED, "CANCELLED", end_time=ago(minutes=5)),
    RemoteJob("batches/foreign", GEMINI, "created manually", None, "JOB_STATE_RUNNING"),
)
DAMAGED = shown(RENAMED, display_name=HOSTILE, mark=None, broken=BrokenMark(HOSTILE, STACK.name, "translate-fr"))
LOOKS = {
    GEMINI: Observation(GEMINI, NOW, JOBS, checked={"batches/forget-it": Gone()}),
    VERTEX_US: Observation(VERTEX_US, NOW, (DAMAGED,)),
    VERTEX: Observation(VERTEX, NOW, (), complete=False, problem="403: caller lacks permission"),
}

PLAN = plan(DESIRED, Recorded(RECORDED, serial=1), LOOKS, NOW)
QUIET_PLAN = plan(
    replace(DESIRED, jobs=tuple(job for job in DESIRED.jobs if job.name.startswith("quiet"))),
    Recorded({one.key.job: RECORDED[one.key.job] for one in QUIET}, serial=1),
    {GEMINI: Observation(GEMINI, NOW, tuple(shown(one) for one in QUIET))},
    NOW,
)
REPLACED = next(job for job in PLAN.jobs if job.job == "summarize-en")
assert REPLACED.guard is not None

REFUSED = BadRequest(HOSTILE, http=400, status="INVALID_ARGUMENT", hint="read the message")
GUARDED = GuardError(REPLACED.guard.message, code=REPLACED.guard.code, hint=REPLACED.guard.way_out)
APPLY = ApplyReport(
    PLAN,
    {
        outcome.job: outcome
        for outcome in (
            Outcome("adopt-me", Result.DONE, ADOPTED.remote),
            Outcome("cancel-it", Result.PENDING, REMOVED.remote),
            Outcome("classify", Result.DONE, "batches/new1"),
            Outcome("collect-it", Result.DONE),
            Outcome("delete-it", Result.FAILED, error=REFUSED),
            Outcome("forget-it", Result.DONE),
            Outcome("gave-up", Result.DONE),
            Outcome("quiet-one", Result.DONE),
            Outcome("quiet-two", Result.DONE),
            Outcome("relax-it", Result.DONE),
            Outcome("retry-it", Result.PENDING),
            Outcome("stopped", Result.DONE),
            Outcome("summarize-en", Result.SKIPPED, error=GUARDED),
            Outcome("translate-fr", Result.PENDING),
        )
    },
)
PROVIDERS = {job.name: job.provider for job in DESIRED.jobs}
MODELS = {job.name: job.model for job in DESIRED.jobs}
STATUS = StatusReport(
    PLAN.stack,
    tuple(
        StatusRow.of(
            job,
            model=MODELS.get(job.job, "gemini-2.5-flash"),
            provider=PROVIDERS.get(job.job, "gemini"),
            clocks=PLAN.clocks,
        )
        for job in PLAN.jobs
    ),
    PLAN.unread,
)
DESCRIPTION = JobDescription(
    PLAN.stack,
    REPLACED,
    next(job for job in DESIRED.jobs if job.name == REPLACED.job),
    RECORDED[REPLACED.job],
    (
        Event(ago(hours=2), REPLACED.job, 2, "create", "new in the manifests", "ada@laptop", Reason.NEW),
        Event(ago(hours=1), REPLACED.job, 1, "refused", HOSTILE, "ada@laptop", "BadRequest"),
    ),
    tuple(one for one in PLAN.drift if one.job == REPLACED.job),
    "results/summarize-en/01234567-2",
)
