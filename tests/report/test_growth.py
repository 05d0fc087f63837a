"""Reports and the news of a pass grow in step with the jobs that they are about."""

from __future__ import annotations

import io
import itertools

import pytest

from batchctl.model.actions import Action
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Plan
from batchctl.model.states import Phase
from batchctl.report.apply_text import write_apply
from batchctl.report.console import make_console
from batchctl.report.markdown import apply_markdown, plan_markdown
from batchctl.report.plan_document import apply_document, plan_document
from batchctl.report.plan_text import write_plan
from batchctl.report.reports import ApplyReport
from batchctl.report.screen.live import Screen
from tests.support.growth import assert_in_step, count_steps
from tests.support.report_samples import NOW, OPTIONS, Terminal, job_plan, running

ENV = {"TERM": "xterm", "COLUMNS": "100", "LINES": "12"}


class StandingClock:
    def now(self):
        return NOW


def plan_of(number):
    names = [f"j{place:05d}" for place in range(number)]
    return Plan(
        "demo", tuple(job_plan(name, Action.CREATE, Phase.ACTIVE, "new", attempt=running(name)) for name in names)
    )


def report_of(number):
    plan = plan_of(number)
    return ApplyReport(plan, {job.job: Outcome(job.job, Result.DONE, "batches/1") for job in plan.jobs})


def console():
    return make_console(io.StringIO(), "never", {})


WRITERS = {
    "plan text": lambda number: write_plan(plan_of(number), console()),
    "plan document": lambda number: plan_document(plan_of(number), OPTIONS),
    "plan markdown": lambda number: plan_markdown(plan_of(number)),
    "apply text": lambda number: write_apply(report_of(number), console()),
    "apply document": lambda number: apply_document(report_of(number)),
    "apply markdown": lambda number: apply_markdown(report_of(number)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_report_grows_in_step_with_its_jobs(write):
    assert_in_step(lambda number: count_steps(lambda: write(number), "report"), few=30)


def test_the_news_of_a_pass_grow_in_step_with_its_jobs():
    def count(number):
        plan = plan_of(number)

        def tell():
            seconds = itertools.count()
            screen = Screen(make_console(Terminal(), "never", ENV), StandingClock(), elapsed=lambda: next(seconds))
            with screen as progress:
                progress.planned(plan)
                for job in plan.jobs:
                    progress.step(job.job, "created")

        return count_steps(tell, "report")

    assert_in_step(count, few=30)


def test_a_painting_costs_what_is_on_the_screen_and_not_what_is_in_the_stack():
    def count(number):
        seconds = itertools.count()
        screen = Screen(make_console(Terminal(), "never", ENV), StandingClock(), elapsed=lambda: next(seconds))
        screen.planned(plan_of(number))
        return count_steps(lambda: screen.step("j00001", "created"), "report")

    few, many = count(300), count(3000)
    assert abs(many - few) <= 0.02 * few
