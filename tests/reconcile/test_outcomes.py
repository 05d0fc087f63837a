"""The outcome of a job whose steps are done, and the error of a create call that could not be made yet."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import Operation, Trouble
from batchctl.model.decision import Guard
from batchctl.model.errors import GuardError, NotYetError
from batchctl.model.observed import Status
from batchctl.model.outcome import Result
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile import outcome_of
from tests.support.decisions import NOW, attempt
from tests.support.job_plans import job_plan

REFUSED = Guard("TooManyCreates", "too many", "--max-create 9")
UNSENT = attempt(1, None, remote=None)


def plan(action: str, code: Reason = Reason.ACTIVE, **fields: Any) -> JobPlan:
    return job_plan("a", Action(action), Phase.WAITING, code, "it waits", **fields)


@pytest.mark.parametrize(
    ("job", "result"),
    [
        (plan("create"), Result.DONE),
        (plan("none"), Result.DONE),
        (plan("wait"), Result.PENDING),
        (plan("replace", unfinished=True), Result.PENDING),
        (plan("delete", unfinished=True), Result.PENDING),
        (plan("update"), Result.DONE),
        (plan("update", unfinished=True), Result.DONE),
        (plan("update", needs_consent=True), Result.PENDING),
    ],
)
def test_done_or_pending(job: JobPlan, result: Result) -> None:
    outcome = outcome_of(job, "batches/1")
    assert (outcome.job, outcome.result, outcome.remote, outcome.error) == ("a", result, "batches/1", None)


@pytest.mark.parametrize(("action", "result"), [("replace", Result.SKIPPED), ("adopt", Result.DONE)])
def test_a_guard_refuses_all_but_an_adoption(action: str, result: Result) -> None:
    outcome = outcome_of(plan(action, guard=REFUSED), None)
    assert outcome.result is result
    assert isinstance(outcome.error, GuardError)
    assert (outcome.error.message, outcome.error.code, outcome.error.hint) == (
        "too many",
        "TooManyCreates",
        "--max-create 9",
    )


TROUBLE = Trouble(Operation.CREATE, "PermissionDenied", "no right", "give it the role", NOW, NOW)


@pytest.mark.parametrize(
    ("code", "made", "message", "hint"),
    [
        (Reason.QUOTA, None, "it waits", "`batchctl watch` creates it as soon as there is capacity"),
        (Reason.UNSEEN, None, "it waits", "`batchctl apply` creates it as soon as its account can be read"),
        (
            Reason.REFUSED_FOR_NOW,
            attempt(1, None, remote=None, error=Status(7, "no right")),
            "it waits: no right",
            "`batchctl watch` tries it again; `batchctl explain NAME` says until when",
        ),
        (
            Reason.SETTLING,
            attempt(1, None, remote=None, error=Status(7, "waits")),
            "it waits",
            "`batchctl apply` or `watch` continues to look for its remote job; nothing is bought twice",
        ),
        (Reason.REFUSED_FOR_NOW, attempt(1, None, remote=None, trouble=TROUBLE), "it waits", "give it the role"),
        (
            Reason.SETTLING,
            attempt(error=Status(7, "of the remote job"), trouble=TROUBLE),
            "it waits",
            "`batchctl apply` or `watch` continues to look for its remote job; nothing is bought twice",
        ),
    ],
)
def test_a_create_call_that_could_not_be_made_yet(code: Reason, made: Any, message: str, hint: str) -> None:
    error = outcome_of(plan("wait", code, attempt=made), None).error
    assert isinstance(error, NotYetError)
    assert (error.message, error.hint) == (message, hint)


@pytest.mark.parametrize(
    ("code", "made"), [(Reason.UNSEEN, attempt()), (Reason.SUSPENDED, None), (Reason.ACTIVE, UNSENT)]
)
def test_another_wait_has_no_error(code: Reason, made: Any) -> None:
    assert outcome_of(plan("wait", code, attempt=made), None).error is None
