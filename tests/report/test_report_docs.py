from __future__ import annotations

import re
from pathlib import Path

from report_samples import NOW, STACK, ago, job_plan, running, written

from batchctl.model.actions import Action
from batchctl.model.decision import Change, Guard
from batchctl.model.errors import LockedError
from batchctl.model.observed import Observation
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.sizes import WorkSize
from batchctl.model.states import Phase
from batchctl.reconcile import plan as make_plan
from batchctl.report.error_text import write_error
from batchctl.report.plan_text import write_plan
from batchctl.report.status_text import write_status
from batchctl.report.values import StatusReport, StatusRow

PAGE = (Path(__file__).parents[2] / "docs" / "output.md").read_text("utf-8")
TEXTS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def test_the_plan_of_the_documentation_is_what_is_written():
    guard = Guard("MaxReplace", "11 jobs would be replaced, 10 is the limit", "--max-replace 11")
    plan = Plan(
        "examples",
        (
            job_plan(
                "classify",
                Action.CREATE,
                Phase.WAITING,
                "not created yet",
                size=WorkSize("gemini-2.5-flash", "gemini", 22, 1234, 309),
                buys=True,
            ),
            job_plan("embed-docs"),
            job_plan(
                "summarize-en",
                Action.REPLACE,
                Phase.ACTIVE,
                "the work changed",
                changes=(Change("spec.model", "gemini-2.0-flash", "gemini-2.5-flash"),),
                guard=guard,
                size=WorkSize("gemini-2.5-flash", "gemini", 8, 512, 128),
                buys=True,
            ),
            job_plan("translate-fr"),
        ),
    )
    assert written(write_plan, plan) in TEXTS


def test_the_status_of_the_documentation_is_what_is_written():
    attempt = running("translate-fr", remote="batches/abc123", create_time=ago(minutes=3, seconds=10))
    plan = job_plan("translate-fr", Action.WAIT, Phase.ACTIVE, "running", attempt=attempt)
    row = StatusRow.of(plan, model="gemini-2.5-flash", provider="gemini", clocks={})
    assert written(write_status, StatusReport("examples", (row,)), NOW) in TEXTS


def test_the_error_of_the_documentation_is_what_is_written():
    error = LockedError("another process holds the state", hint="batchctl state lock show")
    assert written(write_error, error) in TEXTS


def test_the_verbose_plan_of_the_documentation_is_that_of_a_real_decision():
    account = STACK.jobs[0].account
    made = make_plan(STACK, Recorded({}), {account: Observation(account, NOW, ())}, NOW)
    assert written(write_plan, made, verbose=True) in TEXTS
