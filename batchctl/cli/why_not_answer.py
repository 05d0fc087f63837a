"""The answer to `--why-not ACTION`, of `explain` and `replay`."""

from __future__ import annotations

from functools import partial

from batchctl.cli.output import Shown
from batchctl.model.actions import Action
from batchctl.reconcile import Question, explain_why_not
from batchctl.report.why_not import why_not_document, write_why_not


def answer_why_not(question: Question, job: str, asked: Action) -> Shown:
    """Why a job of the plan does not have an action."""
    answer = explain_why_not(question, job, asked)
    return Shown(partial(write_why_not, answer), partial(why_not_document, answer))
