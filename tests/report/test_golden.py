from __future__ import annotations

import pytest

from batchctl.model.keys import Api
from batchctl.report.apply_text import write_apply
from batchctl.report.describe_document import describe_document
from batchctl.report.describe_text import write_description
from batchctl.report.diff import JobDiff, diff_document, write_diff
from batchctl.report.doctor import DoctorReport, Finding, Health, write_doctor
from batchctl.report.documents import to_json, to_yaml
from batchctl.report.error_document import error_document
from batchctl.report.error_text import write_error
from batchctl.report.job_document import invalid_document, status_document, valid_document, version_document
from batchctl.report.markdown import apply_markdown, drift_markdown, plan_markdown, status_markdown
from batchctl.report.plan_document import apply_document, drift_document, plan_document
from batchctl.report.plan_text import write_drift, write_plan
from batchctl.report.status_text import write_status, write_valid, write_version
from tests.support.report_samples import INVALID, NOW, OPTIONS, STACK, VERSION, Terminal, written
from tests.support.sample_plan import APPLY, DESCRIPTION, PLAN, QUIET_PLAN, STATUS

CHANGED = next(job for job in PLAN.jobs if job.job == "summarize-en")
DIFF = JobDiff("examples", CHANGED, has_manifest=True, has_record=True)

DOCTOR = DoctorReport(
    "shop",
    (
        Finding("stack", "manifests", Health.OK, "2 jobs, all valid"),
        Finding("vertex", "reachable", Health.FAILED, "NoCredentials: none were found", "log in"),
    ),
    (Api.GEMINI, Api.VERTEX),
)

TEXTS = {
    "plan.txt": lambda: written(write_plan, PLAN),
    "plan-verbose.txt": lambda: written(write_plan, PLAN, verbose=True),
    "plan-quiet.txt": lambda: written(write_plan, QUIET_PLAN),
    "apply.txt": lambda: written(write_apply, APPLY),
    "apply-verbose.txt": lambda: written(write_apply, APPLY, verbose=True),
    "drift.txt": lambda: written(write_drift, PLAN),
    "diff.txt": lambda: written(write_diff, DIFF),
    "doctor.txt": lambda: written(write_doctor, DOCTOR),
    "status.txt": lambda: written(write_status, STATUS, NOW),
    "status-verbose.txt": lambda: written(write_status, STATUS, NOW, verbose=True),
    "status-terminal.txt": lambda: written(
        write_status, STATUS, NOW, stream=Terminal(), color="always", env={"TERM": "xterm", "COLUMNS": "110"}
    ),
    "describe.txt": lambda: written(write_description, DESCRIPTION),
    "invalid.txt": lambda: written(write_error, INVALID),
    "valid.txt": lambda: written(write_valid, STACK, verbose=True),
    "version.txt": lambda: written(write_version, VERSION, verbose=True),
    "plan.md": lambda: plan_markdown(PLAN),
    "plan-quiet.md": lambda: plan_markdown(QUIET_PLAN),
    "apply.md": lambda: apply_markdown(APPLY),
    "drift.md": lambda: drift_markdown(PLAN),
    "status.md": lambda: status_markdown(STATUS),
}

DOCUMENTS = {
    "plan": plan_document(PLAN, OPTIONS),
    "apply": apply_document(APPLY),
    "drift": drift_document(PLAN),
    "diff": diff_document(DIFF),
    "status": status_document(STATUS),
    "describe": describe_document(DESCRIPTION),
    "valid": valid_document(STACK),
    "invalid": invalid_document(INVALID),
    "version": version_document(VERSION),
    "error": error_document(INVALID),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(golden, name):
    golden(name, TEXTS[name]())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json(golden, name):
    golden(f"{name}.json", to_json(DOCUMENTS[name]))


def test_yaml(golden):
    golden("plan.yaml", to_yaml(DOCUMENTS["plan"]))


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "status-terminal.txt"])
def test_no_line_is_begun_or_steered_from_outside(name):
    text = TEXTS[name]()
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in text.split("\n"))
    assert "##[" not in text
    assert "tokentoken" not in text
    assert "a secret prompt" not in text


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".txt")])
def test_lines_have_no_blanks_at_their_end(name):
    assert all(line == line.rstrip() for line in TEXTS[name]().split("\n"))
