"""Chains: jobs whose rows are made from the answers of another job, which may be awaited."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.chain import Chain, ChainCount, LeftOut, Obstacle
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange, OnMissing
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.sources import AwaitedRows, ChainedFile
from batchctl.model.states import Phase
from batchctl.model.steps import Cancel, Delete
from batchctl.reconcile import Options, PassEnd, Scope, find_pending
from tests.support.decisions import (
    FAILURE,
    HOUR,
    LOCAL,
    NOW,
    attempt,
    collected,
    decide,
    job,
    kept,
    look,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.values import replace

CHAIN = Chain("n", "0" * 64)
COUNT = ChainCount(8, 2, 1, (LeftOut("k1", "MAX_TOKENS"),))
UNUSABLE = Obstacle("no answer of n can be used", count=ChainCount(0, 2, 0, (LeftOut("k1", "SAFETY"),)))
DAMAGED = Obstacle("the results of n are incomplete", is_lasting=False)


def awaiting(obstacle: Obstacle | None = None, **fields: Any) -> DesiredJob:
    """The chain `a` before its rows are made."""
    return replace(job(needs=["n"], work="f", **fields), source=AwaitedRows(CHAIN, obstacle))


def made(work: str = "1", **fields: Any) -> DesiredJob:
    """The chain `a` with its rows."""
    return replace(
        job(needs=["n"], work=work, **fields),
        source=ChainedFile(Path("/r"), "0" * 64, 8, chain=CHAIN, count=COUNT),
    )


def done_need() -> RecordedAttempt:
    return collected(name="n", results="n/1")


def with_need(
    chain: DesiredJob,
    *attempts: RecordedAttempt,
    need: DesiredJob | None = None,
    needed: RecordedAttempt | None = None,
    options: Options | None = None,
) -> Plan:
    """The plan of `a` with these attempts, of which the API shows those with a remote job, and of `n`."""
    need = need or job("n")
    records = [row(chain, *attempts)] if attempts else []
    records += [row(need, needed)] if needed is not None else []
    shown = [one for one in (*attempts, *([needed] if needed else [])) if one.remote and not one.is_gone]
    return decide([chain, need], records, [look(*map(seen, shown))], options)


def of(plan: Plan, name: str = "a") -> JobPlan:
    (found,) = [one for one in plan.jobs if one.job == name]
    return found


@pytest.mark.parametrize(
    ("source", "needed", "expected", "code", "words"),
    [
        pytest.param(
            awaiting(), None, "wait Waiting consent", Reason.DEPENDENCY_PENDING, "waits for n (Waiting)", id="not made"
        ),
        pytest.param(
            awaiting(),
            done_need(),
            "wait Waiting consent",
            Reason.DEPENDENCY_PENDING,
            "waits for n (its answers are not in the results folder yet)",
            id="collected after the manifests were read",
        ),
        pytest.param(
            awaiting(DAMAGED),
            done_need(),
            "wait Waiting consent",
            Reason.DEPENDENCY_PENDING,
            "waits for n (the results of n are incomplete)",
            id="damaged",
        ),
        pytest.param(
            awaiting(UNUSABLE),
            done_need(),
            "wait Blocked",
            Reason.ROWS_NOT_MADE,
            "its rows cannot be made from the answers of n: no answer of n can be used; 2 of 2 rows left out: k1 (SAFETY), 1 more",
            id="no usable answer",
        ),
        pytest.param(
            awaiting(UNUSABLE),
            attempt(name="n"),
            "wait Waiting consent",
            Reason.DEPENDENCY_PENDING,
            "waits for n (Active)",
            id="what is wrong with answers of an attempt that is made again does not count",
        ),
        pytest.param(
            awaiting(),
            attempt(1, "FAILED", name="n", error=FAILURE, results="n/1"),
            "wait Blocked",
            Reason.DEPENDENCY_FAILED,
            "blocked by n, which ended Failed (failed: the model is on holiday; backoffLimit is 0)",
            id="the other job failed",
        ),
    ],
)
def test_nothing_is_created_before_the_rows_are_there(
    source: DesiredJob, needed: RecordedAttempt | None, expected: str, code: Reason, words: str
) -> None:
    plan = with_need(source, needed=needed)

    assert show(plan) == expected
    assert (of(plan).code, of(plan).reason) == (code, f"new in the manifests; {words}")
    assert of(plan).waits_for == ("n",)
    assert of(plan).blocked is ("Blocked" in expected)
    assert of(plan).changes == ()


def test_with_its_rows_it_is_created() -> None:
    plan = with_need(made(), needed=done_need())

    assert show(plan) == "create Waiting consent | record job a@1 | create a@1.0"
    assert of(plan).size.rows == 8
    chain = of(plan).chain
    assert chain is not None
    assert (chain.job, chain.count) == ("n", COUNT)
    assert of(plan, "n").chain is None


def test_other_dependencies_are_waited_for_too() -> None:
    chain = replace(awaiting(UNUSABLE), depends_on=("m", "n"))
    plan = decide([chain, job("n"), job("m", work="3")], [row(job("n"), done_need())], [look(seen(done_need()))])

    assert of(plan).waits_for == ("n",)
    assert of(plan).code is Reason.ROWS_NOT_MADE

    plan = decide([replace(chain, source=AwaitedRows(CHAIN)), job("n"), job("m", work="3")], [row(job("n"), done_need())], [look(seen(done_need()))])  # fmt: skip

    assert of(plan).reason.endswith("waits for m (Waiting), n (its answers are not in the results folder yet)")
    assert of(plan).waits_for == ("m", "n")


RUNS_AGAIN = {"need": job("n", work="2"), "needed": done_need()}
"""The other job is to be replaced, because its work changed."""


@pytest.mark.parametrize(
    ("chain", "former", "fields", "expected", "words"),
    [
        pytest.param(
            awaiting(),
            collected(),
            RUNS_AGAIN,
            "none Succeeded",
            "succeeded; its rows are made from the answers of n (its results are not here yet)",
            id="done before",
        ),
        pytest.param(
            awaiting(),
            attempt(),
            RUNS_AGAIN,
            "wait Active",
            "running; its rows are made from the answers of n (its results are not here yet)",
            id="at work",
        ),
        pytest.param(
            awaiting(),
            attempt(1, "SUCCEEDED"),
            RUNS_AGAIN,
            "collect Succeeded | collect a@1.0",
            "succeeded; results not collected yet; its rows are made from the answers of n"
            " (its results are not here yet)",
            id="to be collected",
        ),
        pytest.param(
            made("2"),
            collected(),
            {"needed": attempt(name="n")},
            "none Succeeded",
            "succeeded; its rows are made from the answers of n (Active)",
            id="rows of a part that was collected meanwhile",
        ),
        pytest.param(
            awaiting(),
            collected(),
            {"needed": done_need()},
            "none Succeeded",
            "succeeded; its rows are made from the answers of n: its answers are not in the results folder yet",
            id="collected after the manifests were read",
        ),
        pytest.param(
            awaiting(UNUSABLE),
            collected(),
            {"needed": done_need()},
            "none Blocked",
            "succeeded; its rows are made from the answers of n: no answer of n can be used;"
            " 2 of 2 rows left out: k1 (SAFETY), 1 more",
            id="no usable answer",
        ),
        pytest.param(
            awaiting(UNUSABLE),
            attempt(),
            {"needed": done_need()},
            "wait Active",
            "running; its rows are made from the answers of n: no answer of n can be used;"
            " 2 of 2 rows left out: k1 (SAFETY), 1 more",
            id="no usable answer, and the former attempt is at work",
        ),
        pytest.param(
            awaiting(),
            collected(),
            {"needed": attempt(1, "FAILED", name="n", error=FAILURE, results="n/1")},
            "none Blocked",
            "succeeded; its rows are made from the answers of n,"
            " which ended Failed (failed: the model is on holiday; backoffLimit is 0)",
            id="the other job failed",
        ),
    ],
)
def test_the_former_attempt_is_kept_until_the_new_rows_are_known(
    chain: DesiredJob, former: RecordedAttempt, fields: dict[str, Any], expected: str, words: str
) -> None:
    plan = with_need(chain, former, **fields)

    assert show(plan) == expected
    assert (of(plan).reason, of(plan).waits_for, of(plan).changes) == (words, ("n",), ())
    assert (of(plan).code is Reason.ROWS_AWAITED) is of(plan).action.is_quiet
    assert not of(plan).needs_consent


def test_new_rows_replace_the_former_attempt_and_the_same_rows_do_not() -> None:
    changed = with_need(made("2"), collected(), needed=done_need())
    same = with_need(made("1"), collected(), needed=done_need())

    assert show(changed) == "replace Succeeded consent | delete a@1.0 | record job a@2 | create a@2.0"
    assert show(same) == "none Succeeded"


def test_what_is_done_with_the_former_attempt_needs_no_new_rows() -> None:
    """A retry would send rows, so it waits; a deadline holds."""
    failed = with_need(awaiting(backoff_limit=1), collected(1, "FAILED"), **RUNS_AGAIN)

    assert show(failed) == "wait Waiting"
    assert of(failed).code is Reason.DEPENDENCY_PENDING
    assert of(failed).reason.endswith("waits for n (its results are not here yet)")


@pytest.mark.parametrize(
    ("former", "expected"),
    [
        (attempt(1, None, remote=None), "wait Waiting"),
        (attempt(1, None, remote=None, rejected=True), "wait Waiting consent"),
        (unanswered(), "wait Settling"),
        (unanswered(first_look=LOCAL), "wait Settling"),
    ],
)
def test_an_attempt_that_was_not_sent_waits_too(former: RecordedAttempt, expected: str) -> None:
    plan = with_need(awaiting(), former, **RUNS_AGAIN)

    assert show(plan).startswith(expected)
    assert "create" not in show(plan)
    assert of(plan).changes == ()


def test_no_order_buys_rows_that_are_awaited() -> None:
    retried = with_need(awaiting(), collected(1, "FAILED"), options=Options(Scope(names=frozenset("a")), retry=True), **RUNS_AGAIN)  # fmt: skip
    rerun = with_need(awaiting(), collected(), options=Options(rerun=frozenset("a")), **RUNS_AGAIN)

    guard = of(retried).guard
    assert guard is not None
    assert guard.message == "a cannot be retried: its rows are made from the answers of n, which are not here yet"
    assert show(rerun) == "none Succeeded"


@pytest.mark.parametrize(
    ("is_gone", "expected"), [(True, "none Blocked"), (False, "none Succeeded")], ids=["gone", "there"]
)
def test_answers_that_are_lost_for_good_block(is_gone: bool, expected: str) -> None:
    need = replace(done_need(), gone_time=LOCAL if is_gone else None)
    records = [row(awaiting(), collected()), row(job("n"), need)]
    shown = [seen(collected()), *([] if is_gone else [seen(need)])]

    plan = decide([awaiting(), job("n")], records, [look(*shown)], inventory=kept(collected()))

    assert show(plan) == expected
    words = (
        "succeeded; its rows are made from the answers of n: its answers are not in the results folder any more"
        " (the folder is missing), and its remote job is gone; `batchctl apply --rerun n` buys them again"
    )
    assert (of(plan).reason == words) is is_gone


def test_what_depends_on_a_chain_waits_for_its_new_rows() -> None:
    end, need = job("b", needs=["a"], work="5"), job("n", work="2")
    records = [row(awaiting(), collected()), row(need, done_need())]
    plan = decide([awaiting(), end, need], records, [look(seen(collected()), seen(done_need()))])

    assert of(plan, "b").reason.endswith("waits for a (its results are not here yet)")
    records = [row(awaiting(UNUSABLE), collected()), row(job("n"), done_need())]
    plan = decide([awaiting(UNUSABLE), end, job("n")], records, [look(seen(collected()), seen(done_need()))])
    assert (of(plan, "b").phase, of(plan, "b").blocked) == (Phase.BLOCKED, True)


def test_a_run_goes_on_while_the_other_job_is_brought_forward() -> None:
    going = with_need(awaiting(), collected(), needed=attempt(1, "SUCCEEDED", name="n"))
    suspended = with_need(awaiting(), collected(), need=job("n", work="2", suspend=True), needed=done_need())

    assert [one.job for one in find_pending(PassEnd(going.jobs))] == ["a", "n"]
    assert find_pending(PassEnd(suspended.jobs)) == ()


FORMER = {
    "none": (),
    "at work": (attempt(),),
    "to be collected": (attempt(1, "SUCCEEDED"),),
    "collected": (collected(),),
    "failed": (collected(1, "FAILED"),),
    "expired": (attempt(1, "EXPIRED"),),
    "cancelled by a person": (attempt(1, "CANCELLED", cancel_time=NOW, cancel_cause=CancelCause.USER),),
    "cancelled for a replacement": (attempt(1, "CANCELLED", cancel_time=NOW, cancel_cause=CancelCause.REPLACE),),
    "gone": (attempt(1, gone_time=LOCAL),),
    "not sent": (attempt(1, None, remote=None),),
    "rejected": (attempt(1, None, remote=None, rejected=True),),
    "unanswered": (unanswered(),),
    "unanswered, grace over": (unanswered(first_look=LOCAL - HOUR),),
    "several": (collected(1, "FAILED"), collected(2), attempt(3)),
}
NEEDED = {
    "not created": None,
    "at work": attempt(name="n"),
    "to be collected": attempt(1, "SUCCEEDED", name="n"),
    "collected": done_need(),
    "failed": attempt(1, "FAILED", name="n", results="n/1"),
}
ORDERS = {
    "apply": Options(),
    "retry": Options(Scope(names=frozenset("a")), retry=True),
    "rerun": Options(rerun=frozenset("a")),
    "no consent": Options(consent=False),
    "cancel": Options(Scope(names=frozenset("a")), cancel=True),
}
LIFECYCLES: tuple[dict[str, Any], ...] = (
    {},
    {"backoff_limit": 3, "retry_on": frozenset({"FAILED", "CANCELLED", "EXPIRED"}), "on_missing": OnMissing.RECREATE},
    {"on_change": OnChange.KEEP},
    {"on_change": OnChange.FAIL},
    {"suspend": True},
)


@pytest.mark.no_cover
@pytest.mark.parametrize("obstacle", [None, DAMAGED, UNUSABLE])
@pytest.mark.parametrize("order", ORDERS)
def test_awaited_rows_are_never_bought_and_replace_nothing(order: str, obstacle: Obstacle | None) -> None:
    for (form, former), (state, needed), lifecycle in product(FORMER.items(), NEEDED.items(), LIFECYCLES):
        plan = with_need(awaiting(obstacle, **lifecycle), *former, needed=needed, options=ORDERS[order])

        made = of(plan)
        where = (form, state, lifecycle, made.lines())
        assert not any(step.buys for step in made.steps), where
        assert not any(isinstance(step, Delete) for step in made.steps), where
        stops = [step for step in made.steps if isinstance(step, Cancel)]
        assert not stops or order == "cancel", where
        assert made.action is not Action.REPLACE, where
