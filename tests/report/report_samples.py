"""Rich sample values for the tests of the report room, hostile texts among them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plan_parts import job_plan as make_job_plan

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.decision import Change, Guard, Timer
from batchctl.model.desired import (
    DesiredJob,
    DesiredStack,
    Diagnostic,
    InlineRows,
    Kind,
    Lifecycle,
    Location,
    ProviderConfig,
    RequestRow,
    Stack,
)
from batchctl.model.errors import BadRequest, GuardError, ManifestError
from batchctl.model.events import Event
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RowCounts, Status
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Drift, DriftKind, JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, Intent, JobRow, Operation, RecordedAttempt, RecordedJob, Trouble
from batchctl.model.row_hashes import RowChanges
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize
from batchctl.report.console import make_console
from batchctl.report.explain import JobCase
from batchctl.report.values import ApplyReport, JobDescription, StatusReport, StatusRow, VersionReport

NOW = datetime(2026, 11, 22, 10, 31, 7, tzinfo=UTC)
HOSTILE = "quota\x1b[2J\n::error::oops | <img src=x> [a](http://b) @team #1 \u202egpj.exe ##[group]x"
GEMINI = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
VERTEX = Account(Api.VERTEX, "https://aiplatform.googleapis.com", "demo", "europe-west4")
DIGEST = "d1:" + "0123456789abcdef" * 4
REMOTE = "batches/abc123"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def written(write, *args, stream=None, color="never", env=None, **options) -> str:
    """What a text function writes to a stream."""
    stream = io.StringIO() if stream is None else stream
    write(args[0], make_console(stream, color, env or {}), *args[1:], **options)
    return stream.getvalue()


CODES = {
    Action.CREATE: Reason.NEW,
    Action.ADOPT: Reason.ADOPTED,
    Action.REUSE: Reason.REUSED,
    Action.RETRY: Reason.ATTEMPT_FAILED,
    Action.REPLACE: Reason.WORK_CHANGED,
    Action.UPDATE: Reason.SETTINGS_CHANGED,
    Action.CANCEL: Reason.REMOVED,
    Action.DELETE: Reason.REMOVED,
    Action.FORGET: Reason.NOTHING_LEFT,
    Action.COLLECT: Reason.NOT_COLLECTED,
    Action.WAIT: Reason.ACTIVE,
    Action.NONE: Reason.SUCCEEDED,
}


def job_plan(name="quiet", action=Action.NONE, phase=Phase.SUCCEEDED, reason="nothing to do", **more) -> JobPlan:
    return make_job_plan(name, action, phase, more.pop("code", CODES[action]), reason, **more)


def running(job, number=1, **more) -> RecordedAttempt:
    """An attempt that runs since five minutes, 4 of its 10 rows done."""
    known = {"state": "JOB_STATE_RUNNING", "rows": RowCounts(10, 4, 0), "create_time": ago(minutes=5)}
    return RecordedAttempt(AttemptKey(job, number), GEMINI, DIGEST, "tokentoken", **(known | more))


MAX_REPLACE = Guard("MaxReplace", "11 jobs would be replaced, 10 is the limit", "--max-replace 11")

CHANGED_ROWS = RowChanges(23, changed=("new|3",), added=(HOSTILE,))

PLAN = Plan(
    stack="examples",
    jobs=(
        job_plan(
            "adopt-me", Action.ADOPT, Phase.ACTIVE, "our mark was found", attempt=running("adopt-me", remote=REMOTE)
        ),
        job_plan("cancel-it", Action.CANCEL, Phase.REMOVING, "its manifest was removed", unfinished=True),
        job_plan(
            "classify",
            Action.CREATE,
            Phase.WAITING,
            "not created yet",
            size=WorkSize("gemini-2.5-flash", "gemini", 22, 1234, 309),
            buys=True,
        ),
        job_plan("collect-it", Action.COLLECT, Phase.SUCCEEDED, "results are there"),
        job_plan("delete-it", Action.DELETE, Phase.REMOVING, "its manifest was removed"),
        job_plan("forget-it", Action.FORGET, Phase.REMOVING, "gone"),
        job_plan("gave-up", Action.NONE, Phase.FAILED, f"failed: {HOSTILE}", code=Reason.BACKOFF_LIMIT),
        job_plan("quiet-one"),
        job_plan("quiet-two"),
        job_plan(
            "relax-it",
            Action.UPDATE,
            Phase.ACTIVE,
            "settings changed; running",
            changes=(Change("spec.lifecycle.backoffLimit", 0, 2), Change("metadata.labels.team", "a", "b|c")),
        ),
        job_plan(
            "retry-it",
            Action.RETRY,
            Phase.FAILED,
            "attempt 1 expired",
            size=WorkSize("gemini-2.5-pro", "vertex-eu"),
            buys=True,
        ),
        job_plan(
            "summarize-en",
            Action.REPLACE,
            Phase.ACTIVE,
            "the work changed",
            changes=(
                Change("spec.model", "gemini-2.0-flash", "gemini-2.5-flash"),
                Change("spec.request.generationConfig", None, {"temperature": 0.2, "stop": ["a|b"]}),
                Change(
                    "spec.src",
                    "22 rows, sha256:5d41402abc4b",
                    "23 rows, sha256:7d793037a076",
                    CHANGED_ROWS,
                    CHANGED_ROWS.words,
                ),
            ),
            guard=MAX_REPLACE,
            size=WorkSize("gemini-2.5-flash", "gemini", 1, 1_200_000, 300_000),
            buys=True,
        ),
        job_plan(
            "translate-fr",
            Action.WAIT,
            Phase.ACTIVE,
            "running",
            attempt=running("translate-fr", remote="batches/def456"),
            size=WorkSize("gemini-2.5-flash", "gemini", 10, 512, 100, is_counted=True),
        ),
    ),
    drift=(
        Drift("gave-up", DriftKind.CANCELLED, "cancelled by somebody else"),
        Drift("translate-fr", DriftKind.CHANGED, f"display name is now {HOSTILE}"),
    ),
    unmanaged=3,
    guards=(Guard("MaxCreate", "101 jobs would be created, 100 is the limit", "--max-create 101"),),
    problems={VERTEX: "403: caller lacks permission"},
)

QUIET_PLAN = Plan("examples", (job_plan("one"), job_plan("two")))

APPLY = ApplyReport(
    PLAN,
    {
        outcome.job: outcome
        for outcome in (
            Outcome("adopt-me", Result.DONE, REMOTE),
            Outcome("cancel-it", Result.PENDING, "batches/ghi789"),
            Outcome("classify", Result.DONE, "batches/new1"),
            Outcome("collect-it", Result.DONE),
            Outcome(
                "delete-it",
                Result.FAILED,
                error=BadRequest(HOSTILE, http=400, status="INVALID_ARGUMENT", hint="read the message"),
            ),
            Outcome("forget-it", Result.DONE),
            Outcome("gave-up", Result.DONE),
            Outcome("quiet-one", Result.DONE),
            Outcome("quiet-two", Result.DONE),
            Outcome("relax-it", Result.DONE),
            Outcome("retry-it", Result.PENDING, "batches/new2"),
            Outcome(
                "summarize-en",
                Result.SKIPPED,
                error=GuardError(MAX_REPLACE.message, code=MAX_REPLACE.code, hint=MAX_REPLACE.way_out),
            ),
        )
    },
)

TROUBLE = Trouble(
    Operation.CREATE,
    "ServiceDisabled",
    HOSTILE,
    "enable the API",
    ago(hours=1),
    ago(minutes=2),
    7,
    ago(minutes=-3),
    ago(minutes=-30),
)

STATUS = StatusReport(
    "examples",
    (
        StatusRow(
            "classify",
            Phase.WAITING,
            model="gemini-2.5-flash",
            provider="gemini",
            reason="waits for extract",
            code=Reason.DEPENDENCY_PENDING,
            trouble=TROUBLE,
        ),
        StatusRow(
            "summarize-en",
            Phase.PARTIALLY_SUCCEEDED,
            "JOB_STATE_PARTIALLY_SUCCEEDED",
            2,
            REMOTE,
            "gemini-2.5-pro",
            "gemini",
            RowCounts(100, 98, 2),
            ago(days=2, hours=3),
            ago(days=2, hours=2),
            ago(days=1),
            f"2 rows failed: {HOSTILE}",
            code=Reason.ROWS_FAILED,
            collect_by=ago(days=-1),
        ),
        StatusRow(
            "translate-fr",
            Phase.ACTIVE,
            "JOB_STATE_RUNNING",
            1,
            "projects/demo/locations/europe-west4/batchPredictionJobs/42",
            "gemini-2.5-flash",
            "vertex-eu",
            RowCounts(10, None, None),
            ago(minutes=3, seconds=10),
            code=Reason.ACTIVE,
        ),
    ),
    {VERTEX: "503"},
)

DESIRED = DesiredJob(
    name="summarize-en",
    kind=Kind.BATCH_JOB,
    provider="gemini",
    account=GEMINI,
    model="gemini-2.5-flash",
    source=InlineRows((RequestRow("a", {"contents": ["a secret prompt"]}),)),
    digest=DIGEST,
    tree={},
    path="jobs/summarize.yaml",
    location=Location("specs/jobs/summarize.yaml", 3, 1),
    lifecycle=Lifecycle(backoff_limit=2, pending_deadline=timedelta(hours=36), protect=True),
    labels={"team": "search"},
    display_name=HOSTILE,
    run_id="2026-11-22",
)


def attempt(number=1, **more) -> RecordedAttempt:
    return RecordedAttempt(AttemptKey("summarize-en", number), GEMINI, DIGEST, "tokentoken", **more)


ROW = JobRow(
    name="summarize-en",
    kind=Kind.BATCH_JOB,
    provider="gemini",
    model="gemini-2.0-flash",
    path="jobs/summarize.yaml",
    account=GEMINI,
    labels={"team": "search"},
    current=3,
    removing_time=ago(minutes=1),
)
RECORDED = RecordedJob(
    ROW,
    (
        attempt(1, rejected=True, error=Status(3, HOSTILE), trouble=TROUBLE),
        attempt(
            2,
            remote=REMOTE,
            state="JOB_STATE_CANCELLED",
            create_time=ago(hours=2),
            start_time=ago(hours=1.5),
            end_time=ago(hours=1),
            adopted=True,
            cancel_time=ago(hours=1.1),
            cancel_cause=CancelCause.REPLACE,
            delete_time=ago(minutes=30),
            gone_time=ago(minutes=20),
            results="summarize-en/01234567-2",
            rows=RowCounts(10, 8, 2),
        ),
        RecordedAttempt(AttemptKey("summarize-en", 3, 1), GEMINI, DIGEST, "tokentoken", intent=Intent(ago(seconds=5))),
    ),
)

DESCRIPTION = JobDescription(
    "examples",
    next(job for job in PLAN.jobs if job.job == "summarize-en"),
    DESIRED,
    RECORDED,
    (
        Event(ago(hours=2), "summarize-en", 2, "create", "not created yet", "ada@example.org", "New"),
        Event(ago(hours=1), "summarize-en", None, "cancelled", HOSTILE),
    ),
    (Drift("summarize-en", DriftKind.CHANGED, HOSTILE),),
    "results/summarize-en/current",
)

EXPLAINED = (
    JobCase("examples", job_plan()),
    JobCase(
        "examples",
        job_plan(
            "translate-fr",
            Action.WAIT,
            Phase.WAITING,
            HOSTILE,
            queue=QueuePlace(2, 3, LimitKind.ACTIVE, 100, 100),
            next_time=ago(minutes=-5),
            timer=Timer.ADMISSION,
            waits_for=("classify",),
            guard=MAX_REPLACE,
            attempt=running("translate-fr", remote=REMOTE),
        ),
        DESIRED,
        replace(RECORDED, row=replace(ROW, retry_requested=NOW, cancel_requested=NOW)),
        is_stack_suspended=True,
        problem=BadRequest(HOSTILE, http=400, hint="look at it"),
        events=(Event(ago(hours=1), "translate-fr", 1, "failed", HOSTILE, code="Results"),),
        poll_within=timedelta(minutes=1),
    ),
    JobCase(
        "examples",
        job_plan("failed", phase=Phase.FAILED),
        events=(Event(ago(hours=1), "failed", 1, "failed", HOSTILE, code="ResultsFailed"),),
    ),
)

STACK = DesiredStack(
    Stack(
        "examples",
        "abc123",
        Path("specs"),
        Path("specs/batchctl.yaml"),
        {"gemini": ProviderConfig("gemini", Api.GEMINI)},
        Path("state.db"),
        Path("results"),
    ),
    (DESIRED,),
)

INVALID = ManifestError(
    [
        Diagnostic(Location("jobs/b.yaml", 7, 3), "UnknownKey", f"unknown key {HOSTILE}", "did you mean model?"),
        Diagnostic(Location("jobs/a.yaml", 1, 1), "MissingKey", "spec is missing"),
        Diagnostic(Location("jobs/b.yaml", 2, 3), "DuplicateName", "the name a is taken"),
    ]
)

VERSION = VersionReport("0.1.0", "3.11.9", "linux x86_64", {"httpx": "0.28.1", "rich": "15.0.0"})
