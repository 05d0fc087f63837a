"""`dependsOn`: what waits for what, and what is blocked."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange, OnMissing
from batchctl.model.plan import JobPlan, Plan
from batchctl.reconcile import Options, Scope
from tests.support.decisions import (
    FAILURE,
    HOUR,
    LOCAL,
    NOW,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
    unanswered,
)

CREATED = "create Waiting consent | record job a@1 | create a@1.0"
WAITS = "wait Waiting consent"
BLOCKED = "wait Blocked"


def plan_with(need: DesiredJob, *attempts: RecordedAttempt, options: Options | None = None, **fields: object) -> Plan:
    """The plan of `a`, which needs a job that has these attempts, all of them as recorded but for `gone` ones."""
    records = [row(need, *attempts, **fields)] if attempts or fields else []
    shown = look(*(seen(one) for one in attempts if one.remote and not one.is_gone))
    return decide([job(needs=[need.name]), need], records, [shown], options)


def of(made: Plan, name: str = "a") -> JobPlan:
    (found_plan,) = [one for one in made.jobs if one.job == name]
    return found_plan


def done(name: str = "n", **fields: object) -> RecordedAttempt:
    return collected(name=name, **fields)


@pytest.mark.parametrize(
    ("need", "attempts", "expected", "reason"),
    [
        pytest.param(job("n"), [], WAITS, "waits for n (Waiting)", id="not created yet"),
        pytest.param(job("n"), [attempt(name="n")], WAITS, "waits for n (Active)", id="at work"),
        pytest.param(
            job("n"),
            [attempt(1, "SUCCEEDED", name="n")],
            WAITS,
            "waits for n (its results are not here yet)",
            id="succeeded, not collected",
        ),
        pytest.param(job("n"), [done()], CREATED, "new in the manifests", id="succeeded and collected"),
        pytest.param(
            job("n"), [done(gone_time=LOCAL)], CREATED, "new in the manifests", id="succeeded, collected, vanished"
        ),
        pytest.param(
            job("n", ttl_after_finished=HOUR),
            [done(end_time=NOW - 2 * HOUR)],
            CREATED,
            "new in the manifests",
            id="succeeded, about to be deleted",
        ),
        pytest.param(
            job("n"),
            [attempt(1, "FAILED", name="n", error=FAILURE, results="n/1")],
            BLOCKED,
            "blocked by n, which ended Failed (failed: the model is on holiday; backoffLimit is 0)",
            id="failed for good",
        ),
        pytest.param(
            job("n", backoff_limit=1),
            [attempt(1, "FAILED", name="n", results="n/1")],
            WAITS,
            "waits for n (Waiting)",
            id="failed, to be tried again",
        ),
        pytest.param(
            job("n", backoff_limit=1),
            [attempt(1, "FAILED", name="n", results="n/1", end_time=NOW)],
            WAITS,
            "waits for n (Waiting)",
            id="failed, in back-off",
        ),
        pytest.param(
            job("n"),
            [collected(1, "PARTIALLY_SUCCEEDED", name="n")],
            BLOCKED,
            "blocked by n, which ended PartiallySucceeded (succeeded)",
            id="partial success is none",
        ),
        pytest.param(
            job("n"),
            [attempt(1, None, name="n", remote=None, rejected=True)],
            BLOCKED,
            "blocked by n, which ended Rejected (the API refused it: no reason was given; again only after a change, or by `batchctl retry`)",
            id="rejected",
        ),
        pytest.param(
            job("n"),
            [attempt(1, "SUCCEEDED", name="n", gone_time=LOCAL)],
            BLOCKED,
            "blocked by n, which ended ResultsLost (it succeeded, and was gone before its results were collected)",
            id="results lost",
        ),
        pytest.param(
            job("n"),
            [attempt(1, name="n", gone_time=LOCAL)],
            BLOCKED,
            "blocked by n, which ended Failed (it went missing before it ended (onMissing: fail))",
            id="missing",
        ),
        pytest.param(
            job("n", on_missing=OnMissing.RECREATE),
            [attempt(1, name="n", gone_time=LOCAL)],
            WAITS,
            "waits for n (Waiting)",
            id="missing, to be made again",
        ),
        pytest.param(job("n"), [unanswered(name="n")], WAITS, "waits for n (Settling)", id="create call unanswered"),
        pytest.param(
            job("n", work="2"), [done()], WAITS, "waits for n (its results are not here yet)", id="to be replaced"
        ),
        pytest.param(
            job("n", work="2"),
            [attempt(1, "FAILED", name="n", results="n/1")],
            WAITS,
            "waits for n (Failed)",
            id="failed, but to be replaced",
        ),
        pytest.param(
            job("n", work="2", on_change=OnChange.KEEP),
            [done()],
            CREATED,
            "new in the manifests",
            id="changed, but the old success is kept",
        ),
        pytest.param(
            job("n", work="2", on_change=OnChange.FAIL),
            [done()],
            BLOCKED,
            "blocked by n, which is held back: n changed, and its onChange is fail",
            id="changed, and refused for it",
        ),
        pytest.param(
            job("n", work="2", suspend=True),
            [done()],
            WAITS,
            "waits for n (its results are not here yet)",
            id="changed and suspended",
        ),
        pytest.param(job("n", suspend=True), [], WAITS, "waits for n (Waiting)", id="suspended"),
    ],
)
def test_a_create_waits_for_success(
    need: DesiredJob, attempts: list[RecordedAttempt], expected: str, reason: str
) -> None:
    made = plan_with(need, *attempts)

    assert show(made) == expected
    held = expected != CREATED
    assert of(made).reason == (f"new in the manifests; {reason}" if held else reason)
    assert (of(made).waits_for, of(made).blocked) == (("n",) if held else (), expected == BLOCKED)


def test_a_cancel_by_the_user_blocks() -> None:
    ended = attempt(1, "CANCELLED", name="n", results="n/1", cancel_time=NOW, cancel_cause=CancelCause.USER)

    made = plan_with(job("n", backoff_limit=3), ended, cancel_requested=LOCAL)

    assert show(made) == BLOCKED
    assert "which ended Cancelled" in of(made).reason


def test_all_that_is_named_counts_and_what_is_blocked_passes_on() -> None:
    wanted = [job("a", needs=["b", "c"]), job("b", needs=["d"]), job("c"), job("d"), job("e", needs=["a"])]
    failed = attempt(1, "FAILED", name="d", results="d/1")

    made = decide(wanted, [row(job("d"), failed), row(job("c"), done("c"))], [look(seen(failed), seen(done("c")))])

    assert {one.job: (one.waits_for, one.blocked) for one in made.jobs} == {
        "a": (("b",), True),
        "b": (("d",), True),
        "c": ((), False),
        "d": ((), False),
        "e": (("a",), True),
    }
    assert of(made, "e").reason == "new in the manifests; blocked by a, which is blocked itself by b"


def test_several_that_are_waited_for_are_all_named() -> None:
    made = decide([job(needs=["c", "b"]), job("b"), job("c")], [], [look()])

    assert of(made).reason == "new in the manifests; waits for b (Waiting), c (Waiting)"


def test_what_already_runs_is_not_stopped_and_is_collected() -> None:
    failed = attempt(1, "FAILED", name="n", results="n/1")
    wanted = [job(needs=["n"]), job("n")]

    works = decide(wanted, [row(wanted[0], attempt()), row(wanted[1], failed)], [look(seen(attempt()), seen(failed))])
    ended = attempt(1, "SUCCEEDED")
    ends = decide(wanted, [row(wanted[0], ended), row(wanted[1], failed)], [look(seen(ended), seen(failed))])

    assert show(works) == "wait Active"
    assert show(ends) == "collect Succeeded | collect a@1.0"


def test_a_retry_waits_too_and_the_failure_is_collected_meanwhile() -> None:
    wanted = [job(needs=["n"], backoff_limit=1), job("n", work="2")]
    failed, old = attempt(1, "FAILED"), done(gone_time=LOCAL)

    made = decide(wanted, [row(wanted[0], failed), row(wanted[1], old)], [look(seen(failed))])

    assert show(made) == "collect Waiting | collect a@1.0"
    assert of(made).waits_for == ("n",)


def test_a_replacement_waits_and_keeps_what_it_would_replace() -> None:
    wanted = [job(needs=["n"], work="2"), job("n")]

    made = decide(wanted, [row(job(needs=["n"]), collected())], [look(seen(collected()))])

    assert show(made) == "wait Waiting consent"
    assert [change.path for change in of(made).changes] == ["spec.runId"]


def test_a_replacement_of_what_it_needs_does_not_run_it_again() -> None:
    wanted = [job(needs=["n"]), job("n", work="2")]
    records = [row(wanted[0], collected()), row(job("n"), done())]

    made = decide(wanted, records, [look(seen(collected()), seen(done()))])

    assert show(made) == "none Succeeded"
    assert show(made, "n") == "replace Succeeded consent | delete n@1.0 | record job n@2 | create n@2.0"


def test_what_is_found_by_its_mark_is_adopted_while_its_retry_waits() -> None:
    wanted = [job(needs=["n"], backoff_limit=1), job("n")]

    made = decide(wanted, [], [look(found(1, "FAILED"))])

    assert show(made) == "adopt Waiting | record job a@1 | record a@1.0 adopted | collect a@1.0"


def test_what_was_adopted_and_has_changed_is_refused_while_it_waits() -> None:
    wanted = [job(needs=["n"], work="2"), job("n")]

    made = decide(wanted, [], [look(found(1, "SUCCEEDED"))])

    assert (
        show(made) == "adopt Waiting consent | record job a@1 | record a@1.0 adopted | collect a@1.0 | ! AdoptedChanged"
    )
    assert of(made).reason.count("found by its mark") == 1


def test_nobody_has_to_agree_to_what_is_blocked_but_to_what_waits() -> None:
    without = Options(consent=False)
    failed = attempt(1, "FAILED", name="n", results="n/1")

    assert show(plan_with(job("n"), options=without)) == f"{WAITS} | ! ConsentNeeded"
    assert show(plan_with(job("n"), failed, options=without)) == BLOCKED


def test_what_waits_counts_as_a_create() -> None:
    made = plan_with(job("n"), options=Options(max_create=1))

    assert show(made) == f"{WAITS} | ! TooManyCreates"
    assert show(made, "n").endswith("! TooManyCreates")


def test_a_need_out_of_scope_counts_and_is_not_planned() -> None:
    narrow = Options(scope=Scope(names=frozenset("a")))

    waits = plan_with(job("n"), attempt(name="n"), options=narrow)
    goes = plan_with(job("n"), done(), options=narrow)
    blocked = plan_with(job("n", needs=["m"]), options=narrow)

    assert [one.job for one in waits.jobs] == ["a"]
    assert (show(waits), of(waits).reason) == (WAITS, "new in the manifests; waits for n (Active)")
    assert show(goes) == CREATED
    assert of(blocked).blocked


@pytest.mark.parametrize("options", [Options(destroy=True), Options(cancel=True)])
def test_neither_destroy_nor_cancel_asks_for_needs(options: Options) -> None:
    made = plan_with(job("n"), done(), options=options)

    assert all(not one.waits_for for one in made.jobs)


def test_a_need_that_nobody_has_blocks() -> None:
    made = decide([job(needs=["nobody"])], [], [look()])

    assert show(made) == BLOCKED
    assert of(made).reason.endswith("blocked by nobody, which is in no manifest, or depends on it in turn")


def test_a_circle_comes_to_an_end() -> None:
    made = decide([job(needs=["b"]), job("b", needs=["a"])], [], [look()])

    assert [(one.action, one.blocked) for one in made.jobs] == [("wait", True)] * 2
