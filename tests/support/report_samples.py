"""Rich sample values for the tests of the report room, hostile texts among them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from batchctl.cli.plan_options import PlanOptions
from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.attempts import CancelCause, Intent, Operation, RecordedAttempt, Trouble
from batchctl.model.decision import Guard, Timer
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import BadRequest, ManifestError
from batchctl.model.events import Event
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.observed import RowCounts, Status
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow, RecordedJob
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.stack import ProviderConfig, Stack
from batchctl.model.states import Phase
from batchctl.report.console import make_console
from batchctl.report.explain import JobCase
from batchctl.report.reports import VersionReport
from tests.support.job_plans import job_plan as make_job_plan
from tests.support.values import replace

NOW = datetime(2026, 11, 22, 10, 31, 7, tzinfo=UTC)
HOSTILE = "quota\x1b[2J\n::error::oops | <img src=x> [a](http://b) @team #1 \u202egpj.exe ##[group]x"
GEMINI = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
VERTEX = Account(Api.VERTEX, "https://aiplatform.googleapis.com", "demo", "europe-west4")
DIGEST = "d1:" + "0123456789abcdef" * 4
REMOTE = "batches/abc123"


OPTIONS = PlanOptions(".", ("jobs",), "team=search", (), {"max_create": 5}, ("night",)).fields()
"""The options of a plan, as its document has them."""


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


MAX_REPLACE = Guard("TooManyReplaces", "11 jobs to replace, and the limit is 10", "--max-replace 11")

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
    annotations={"example.com/owner": HOSTILE},
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
