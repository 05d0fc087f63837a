"""Explains why jobs are in their phases, and what happens next."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from batchctl.cli.common import Common
from batchctl.cli.exits import weightiest
from batchctl.cli.guard_options import guarded_options
from batchctl.cli.job_case import job_case
from batchctl.cli.job_selection import JobSelection, open_selected
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.preview import planned_jobs, preview_and_warn
from batchctl.cli.why_not_answer import answer_why_not
from batchctl.model.actions import Action
from batchctl.reconcile import Question, Scope
from batchctl.report.explain import JobCase
from batchctl.report.explain_document import explain_document
from batchctl.report.explain_text import write_explanation


def explain_jobs(common: Common, selection: JobSelection, output: str, asked: Action | None) -> int:
    """Print the explanations of the selected jobs, or why they do not have an action, and give the exit code."""
    # The plan covers the whole stack, because a job may wait for another one.
    workspace = replace(open_selected(common, selection), scope=Scope())
    questions: list[Question] = []
    seen = preview_and_warn(
        workspace, guarded_options(workspace, {}), lambda question, _plan, _warnings: questions.append(question)
    )
    jobs = planned_jobs(workspace, seen, selection)
    if asked is None:
        shown = [_explanation(job_case(workspace, seen, job), common) for job in jobs]
    else:
        shown = [answer_why_not(questions[-1], job.job, asked) for job in jobs]
    emit_each(common, output, shown, alone=selection.names_one)
    return weightiest(error.exit_code for error in seen.failures)


def _explanation(case: JobCase, common: Common) -> Shown:
    return Shown(partial(write_explanation, case, verbose=common.verbose), partial(explain_document, case))
