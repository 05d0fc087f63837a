from __future__ import annotations

import io

import pytest

from batchctl.model.actions import Action
from batchctl.model.decision import Guard
from batchctl.model.errors import BatchctlError, ManifestError, NotFound, RowsError, UsageError
from batchctl.model.locations import Diagnostic, Location, RowProblem
from batchctl.model.observed import RowCounts
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Drift, DriftKind, Plan
from batchctl.model.reasons import Reason
from batchctl.model.sources import LocalFile, RemoteSource, UploadedFile
from batchctl.model.states import Phase
from batchctl.report import layout
from batchctl.report.apply_text import write_apply
from batchctl.report.console import make_console
from batchctl.report.describe_document import describe_document, source_fields
from batchctl.report.describe_text import write_description
from batchctl.report.description import JobDescription
from batchctl.report.diff import JobDiff, write_diff, write_diffs
from batchctl.report.error_text import write_error
from batchctl.report.layout import Row
from batchctl.report.markdown import apply_markdown
from batchctl.report.plan_document import apply_document, plan_document
from batchctl.report.plan_text import write_drift, write_plan
from batchctl.report.reports import ApplyReport, StatusReport, StatusRow
from batchctl.report.status_text import write_status, write_valid, write_version
from batchctl.report.text import Text
from batchctl.report.words import (
    PHASE_STYLES,
    RESULT_STYLES,
    SYMBOLS,
    apply_summary,
    plan_summary,
    reason_text,
    rows_text,
)
from tests.support.report_samples import (
    GEMINI,
    HOSTILE,
    NOW,
    OPTIONS,
    RECORDED,
    STACK,
    VERSION,
    VERTEX,
    Terminal,
    ago,
    job_plan,
    running,
    written,
)
from tests.support.sample_plan import APPLY, PLAN, QUIET_PLAN, STATUS
from tests.support.values import replace

WAIT = job_plan("w", Action.WAIT, Phase.ACTIVE, "running")
CREATE = job_plan("c", Action.CREATE, Phase.WAITING, "not created yet")
FAILED = job_plan("f", phase=Phase.FAILED)
DRIFT = (Drift("w", DriftKind.CHANGED, "x"),)


@pytest.mark.parametrize(
    ("plan", "summary"),
    [
        (QUIET_PLAN, "No changes. All jobs match their manifests."),
        (Plan("s", ()), "No changes. There are no jobs."),
        (Plan("s", (job_plan("w", phase=Phase.WAITING),)), "No changes."),
        (Plan("s", (WAIT,)), "No changes. 1 job waiting."),
        (Plan("s", (WAIT, CREATE)), "Plan: 1 to create, 1 waiting."),
        (Plan("s", (CREATE, CREATE)), "Plan: 2 to create."),
        (Plan("s", (FAILED,)), "No changes. 1 job did not succeed."),
        (Plan("s", (WAIT,), drift=DRIFT), "No changes. 1 job waiting. Drift in 1 place."),
        (replace(QUIET_PLAN, problems={VERTEX: "503"}), "No changes. 1 account could not be read in full."),
        (replace(QUIET_PLAN, results_problem="503"), "No changes. The results could not be read."),
        (
            replace(QUIET_PLAN, problems={VERTEX: "503", GEMINI: "503"}),
            "No changes. 2 accounts could not be read in full.",
        ),
    ],
)
def test_a_plan_in_one_line(plan, summary):
    assert plan_summary(plan) == summary


@pytest.mark.parametrize(
    ("jobs", "outcomes", "summary"),
    [
        (QUIET_PLAN.jobs, {}, "Nothing to do."),
        ((CREATE,), {}, "Apply: 1 skipped."),
        (
            (CREATE, WAIT),
            {"c": Outcome("c", Result.DONE), "w": Outcome("w", Result.PENDING)},
            "Apply: 1 done, 1 pending.",
        ),
        ((FAILED,), {}, "Nothing to do. 1 job did not succeed."),
    ],
)
def test_an_apply_in_one_line(jobs, outcomes, summary):
    assert apply_summary(ApplyReport(Plan("s", jobs), outcomes)) == summary


def test_the_report_begins_with_its_command():
    report = ApplyReport(Plan("s", (CREATE,)), {"c": Outcome("c", Result.DONE)}, command="retry")
    assert apply_summary(report) == "Retry: 1 done."
    assert "### batchctl retry: s\n\n**Retry: 1 done.**" in apply_markdown(report)


def test_every_word_has_its_sign_and_colour():
    assert set(SYMBOLS) == set(Action)
    assert set(PHASE_STYLES) == set(Phase)
    assert set(RESULT_STYLES) == set(Result)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (RowCounts(), "-"),
        (RowCounts(10), "?/10"),
        (RowCounts(10, 3), "3/10"),
        (RowCounts(10, 8, 2), "8/10, 2 failed"),
        (RowCounts(10, 10, 0), "10/10"),
        (RowCounts(None, 4), "4/?"),
        (RowCounts(9, 1, 1, {"OK": 1, "SAFETY": 1, "NOT_SENT": 7}), "1 ok, 1 SAFETY, 7 not sent yet"),
        (RowCounts(1009, 1, 0, {"OK": 1, "NOT_SENT": 1008}), "1/1009, 1,008 not sent yet"),
    ],
)
def test_rows(rows, text):
    assert rows_text(rows) == text


def test_jobs_of_phases_that_need_a_look_are_named_though_nothing_is_to_do():
    plan = Plan("s", (FAILED, job_plan("u", phase=Phase.UNKNOWN), job_plan("ok")))
    lines = written(write_plan, plan).splitlines()
    assert [line.split()[2] for line in lines if line.startswith("  =")] == ["f", "u"]
    assert "  1 job unchanged" in lines


def test_a_job_that_was_never_begun_is_skipped():
    document = apply_document(ApplyReport(Plan("s", (CREATE,)), {}))
    assert [document["actions"][0][key] for key in ("result", "remote", "error")] == ["skipped", None, None]


def test_a_failure_is_named_though_nothing_was_to_do():
    report = ApplyReport(
        QUIET_PLAN, {"quiet-one": Outcome("quiet-one", Result.FAILED, error=BatchctlError("disk full", code="State"))}
    )
    assert "State: disk full" in written(write_apply, report)
    assert "State: disk full" in apply_markdown(report)


def test_each_guard_is_told_once():
    guarded = [replace(job, guard=PLAN.guards[0]) for job in PLAN.jobs]
    document = plan_document(replace(PLAN, jobs=tuple(guarded)), OPTIONS)
    assert [guard["code"] for guard in document["guards"]] == ["TooManyReplaces"]
    assert {action["guard"] for action in document["actions"]} == {"TooManyReplaces"}


def test_accounts_are_told_in_a_fixed_order():
    problems = {VERTEX: "503", GEMINI: "403"}
    document = plan_document(replace(QUIET_PLAN, problems=problems), OPTIONS)
    assert [entry["message"] for entry in document["problems"]] == ["403", "503"]
    text = written(write_plan, replace(QUIET_PLAN, problems=problems))
    assert text.index("403") < text.index("503")


@pytest.mark.parametrize(
    ("plan", "last"),
    [
        (QUIET_PLAN, "No drift. 0 unmanaged remote jobs."),
        (replace(QUIET_PLAN, unmanaged=None), "No drift."),
        (replace(QUIET_PLAN, unmanaged=None, problems={VERTEX: "503"}), "No drift in what could be read."),
        (replace(QUIET_PLAN, drift=DRIFT, unmanaged=0), "Drift in 1 place. 0 unmanaged remote jobs."),
    ],
)
def test_drift_ends_with_what_it_found(plan, last):
    assert written(write_drift, plan).splitlines()[-1] == last


def test_drift_says_how_unmanaged_jobs_are_listed():
    plan = replace(QUIET_PLAN, drift=DRIFT, unmanaged=1)
    *_, number, way = written(write_drift, plan).splitlines()
    assert number == "Drift in 1 place. 1 unmanaged remote job."
    assert way == "`batchctl drift --unmanaged` lists them, and counts them as drift."
    listed = replace(plan, drift=(*DRIFT, Drift("", DriftKind.UNMANAGED, "batches/x")))
    assert written(write_drift, listed).splitlines()[-1] == "Drift in 2 places. 1 unmanaged remote job."


def test_drift_that_could_not_be_read_begins_without_an_empty_line():
    shown = written(write_drift, replace(QUIET_PLAN, unmanaged=None, problems={VERTEX: "503"}))
    assert shown.startswith("Could not be read in full; jobs there are not touched\n  vertex ")


def test_a_job_with_nothing_to_do_has_no_result():
    report = ApplyReport(Plan("s", (FAILED,)), {"f": Outcome("f", Result.DONE)})
    assert written(write_apply, report).splitlines()[2].split() == ["-", "none", "f", "nothing", "to", "do"]
    assert "| - | none | f |" in apply_markdown(report)


def test_diff_of_a_job_without_difference():
    same = JobDiff("s", WAIT, has_manifest=True, has_record=True)
    assert written(write_diff, same) == "  .  wait  w  running\nNo difference between manifest and record.\n"
    assert written(write_diffs, [same]) == "No difference between manifests and record in 1 job.\n"


@pytest.mark.parametrize(("has_manifest", "has_record"), [(True, False), (False, True)])
def test_a_job_that_is_only_in_the_manifests_or_only_in_the_record_differs(has_manifest, has_record):
    same = JobDiff("s", WAIT, has_manifest=True, has_record=True)
    other = JobDiff("s", FAILED, has_manifest=has_manifest, has_record=has_record)
    assert "No difference" not in written(write_diff, other)
    assert written(write_diffs, [same, other]).splitlines()[1:] == ["", "1 of 2 jobs differs from the record."]


def test_names_are_never_cut_off_a_terminal():
    row = StatusRow("j" * 40, Phase.ACTIVE, model="m" * 300, remote="r" * 300, reason="x" * 3000)
    text = written(write_status, StatusReport("s", (row,)), NOW, verbose=True)
    for part in ("j" * 40, "m" * 300, "r" * 300, "x" * 3000):
        assert part in text
    assert len(text.splitlines()) == 4


def test_on_a_terminal_the_last_column_wraps_under_itself_and_loses_nothing():
    env = {"TERM": "xterm", "COLUMNS": "140", "LINES": "40"}
    lines = written(write_status, STATUS, NOW, stream=Terminal(), env=env).splitlines()
    start = lines[0].index("REASON")
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= 140
    wrapped = [line[start:] for line in table if not line[:start].strip()]
    assert wrapped
    assert "\\u202egpj.exe #\\x23[group]x".replace(" ", "") in "".join(line[start:] for line in table).replace(" ", "")


def test_wide_characters_keep_columns_aligned():
    rows = (StatusRow("a", Phase.ACTIVE, model="模型"), StatusRow("b", Phase.ACTIVE, model="four"))
    first, second = written(write_status, StatusReport("s", rows), NOW).splitlines()[1:3]
    assert first.index("模型") == second.index("four")
    assert first.rindex("-") + 2 == second.rindex("-")


def test_a_status_row_is_made_from_a_plan():
    attempt = running("w", 2, remote="batches/a", start_time=ago(minutes=4), end_time=ago(minutes=1))
    clocks = {attempt.account: ago(minutes=2)}
    made = StatusRow.of(replace(WAIT, attempt=attempt), model="m", provider="p", clocks=clocks)
    assert made == StatusRow(
        "w",
        Phase.ACTIVE,
        "JOB_STATE_RUNNING",
        2,
        "batches/a",
        "m",
        "p",
        RowCounts(10, 4, 0),
        ago(minutes=5),
        ago(minutes=4),
        ago(minutes=1),
        "running",
        ago(minutes=2),
        Reason.ACTIVE,
    )
    assert StatusRow.of(CREATE, model=None, provider="p", clocks=clocks) == StatusRow(
        "c", Phase.WAITING, provider="p", reason="not created yet", code=Reason.NEW
    )


GUARD = Guard("Protected", "w is protected", "--allow-protected")


@pytest.mark.parametrize(
    ("changes", "status", "plan"),
    [
        ({}, "running", "running"),
        ({"needs_consent": True}, "running; waits for `batchctl apply`", "running"),
        (
            {"needs_consent": True, "guard": GUARD, "unfinished": True},
            "running; refused: w is protected (--allow-protected)",
            "running [refused: Protected]",
        ),
        ({"unfinished": True}, "running", "running (continues in a later pass)"),
    ],
)
def test_a_reason_says_what_no_action_beside_it_does(changes, status, plan):
    guard = {name: changes[name] for name in changes if name == "guard"}
    decision = {name: changes[name] for name in changes if name != "guard"}
    changed = replace(WAIT, decision=replace(WAIT.decision, **decision), **guard)
    assert StatusRow.of(changed, model=None, provider=None, clocks={}).reason == status
    assert reason_text(changed) == plan


def test_an_empty_status():
    assert written(write_status, StatusReport("s", ()), NOW) == "0 jobs in stack s.\n"


def test_short_forms():
    assert written(write_valid, STACK) == "ok: 1 job in stack examples\n"
    assert written(write_version, VERSION) == "batchctl 0.1.0 (python 3.11.9, linux x86_64)\n"


def test_an_error_says_the_way_out():
    error = UsageError("no such job: x", hint="see batchctl status", details={"job": "x", "near": ["y"]})
    text = "error: Usage no such job: x\n  hint: see batchctl status\n"
    assert written(write_error, error) == text
    assert written(write_error, error, verbose=True) == text + '  job: "x"\n  near: ["y"]\n'


def test_an_api_error_tells_its_status_when_asked():
    text = written(write_error, NotFound(HOSTILE, http=404, status="NOT_FOUND"), verbose=True)
    assert text.splitlines()[1:] == ["  http: 404", '  status: "NOT_FOUND"']


def test_faults_of_rows_come_one_a_line():
    error = RowsError([RowProblem(3, "not JSON\n::error::x"), RowProblem(9, "no key")])
    lines = ["line 3: not JSON\\n::error::x", "line 9: no key", "error: InvalidRows 2 errors in the rows"]
    assert written(write_error, error, verbose=True).splitlines() == lines


def test_a_file_name_cannot_become_a_command_of_a_ci_runner():
    error = ManifestError([Diagnostic(Location(" ::add-mask::x.yaml"), "Missing", "spec")])
    assert written(write_error, error, verbose=True).splitlines() == [
        "./ ::add-mask::x.yaml:1:1: Missing spec",
        "error: InvalidManifest 1 error in 1 file",
    ]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (
            LocalFile(STACK.stack.folder / "in.jsonl", "ab", 3),
            {"type": "file", "path": "specs/in.jsonl", "sha256": "ab", "rows": 3},
        ),
        (UploadedFile("files/x"), {"type": "uploaded", "name": "files/x"}),
        (RemoteSource(("gs://a", "gs://b")), {"type": "remote", "uris": ["gs://a", "gs://b"]}),
    ],
)
def test_sources_are_described_without_their_text(source, fields):
    assert source_fields(source) == fields


def test_a_job_that_was_never_applied_is_described_in_short():
    text = written(write_description, JobDescription("s", CREATE))
    assert text.splitlines() == [
        "Job:     c",
        "Stack:   s",
        "Phase:   Waiting",
        "Action:  create",
        "Reason:  not created yet",
        "Next:    the next pass creates it",
    ]


def test_tokens_are_left_out_of_descriptions():
    description = JobDescription(
        "s", replace(CREATE, decision=replace(CREATE.decision, next_time=ago(seconds=0))), recorded=RECORDED
    )
    assert "tokentoken" not in str(describe_document(description))
    assert "Next:    the next pass creates it (2026-11-22T10:31:07Z)" in written(write_description, description)


def test_colours_add_nothing_but_colours():
    plain = written(write_apply, APPLY)
    stream = Terminal()
    stream.isatty = lambda: False
    colored = written(write_apply, APPLY, stream=stream, color="always")
    assert colored != plain
    assert _without_colours(colored) == plain


def _without_colours(text):
    parts = text.split("\x1b[")
    return parts[0] + "".join(part.split("m", 1)[1] for part in parts[1:])


def test_nothing_applied():
    assert written(write_apply, ApplyReport(Plan("s", ()), {})) == "Stack s\n\nNothing to do.\n"


def test_a_table_for_a_pipe_is_the_one_that_rich_would_write() -> None:
    rows = [
        Row((Text(left), Text(middle, style="bold"), Text(right)), (Text("note"),) if left else ())
        for left in ("", "a", "表示", "a b")
        for middle in ("", "x" * 20, "e\u0301")
        for right in ("", "end", "two  words ", "z" * 300)
    ]
    written = []
    for is_plain in (True, False):
        stream = io.StringIO()
        console = make_console(stream, "auto", {})
        console.is_plain = is_plain
        layout.write_table(console, rows, header=("A", "B", "C"), indent=2)
        written.append(stream.getvalue())
    assert written[0] == written[1]


def test_rich_is_left_out_only_where_lines_have_no_styles() -> None:
    assert make_console(io.StringIO(), "auto", {}).is_plain
    assert not make_console(io.StringIO(), "always", {}).is_plain
    assert not make_console(Terminal(), "never", {}).is_plain
