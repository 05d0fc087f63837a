"""What a run comes to: the plan of the whole run, and the few errors that decide its exit code."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batchctl.engine.loop.report import _WEIGHTS, DriveReport
from batchctl.engine.loop.verdict import Measure, find_verdict
from batchctl.model.actions import Action
from batchctl.model.errors import BadRequest, BatchctlError, GuardError, NotYetError, StoppedError
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.stack import Limits
from batchctl.model.states import NO_GOOD_PHASES, Phase
from tests.support.engine import exit_codes, job, phases, results
from tests.support.job_plans import job_plan
from tests.support.values import replace

FAIL = {"fate": "fail", "pending": "1s", "running": "1s"}
REFUSED = {"method": "batches.create", "kind": "status", "status": 400, "when": "before"}
FULL = {"method": "batches.create", "kind": "status", "status": 429, "when": "before"}


def jobs(phase: Phase, *names: str, action: Action = Action.NONE) -> list[JobPlan]:
    return [job_plan(name, action, phase, Reason.ACTIVE, "") for name in names]


def report(standing: Iterable[JobPlan] = (), errors: dict[str, BatchctlError] | None = None) -> DriveReport:
    plan = Plan("shop", tuple(standing))
    outcomes = {name: Outcome(name, Result.FAILED, error=error) for name, error in (errors or {}).items()}
    return DriveReport(plan, plan, plan, outcomes, {})


def words(made: DriveReport, **measure: bool) -> list[tuple[int, str]]:
    return [(error.exit_code, error.message) for error in find_verdict(made, Measure(**{"jobs": True, **measure}))]


@pytest.mark.parametrize("phase", list(Phase))
def test_jobs_that_came_to_no_good_end_count_by_their_phase(phase: Phase) -> None:
    made = report(jobs(phase, "a"))

    expected = [(4, f"1 job did not succeed: a ({phase})")] if phase in NO_GOOD_PHASES else []
    assert words(made) == expected
    assert words(made, allow_failed=True) == words(made, jobs=False) == []


@pytest.mark.parametrize("action", [Action.CREATE, Action.RETRY, Action.REPLACE])
def test_what_is_tried_again_has_not_come_to_its_end(action: Action) -> None:
    assert words(report(jobs(Phase.FAILED, "a", action=action))) == []


def test_what_a_person_cancelled_counts_where_its_end_was_waited_for() -> None:
    made = report([job_plan("a", Action.NONE, Phase.CANCELLED, Reason.CANCEL_ORDERED, "")])

    assert words(made) == []
    assert words(made, waited=True) == [(4, "1 job did not succeed: a (Cancelled)")]


def test_many_are_counted_and_the_first_few_are_named() -> None:
    names = [f"job-{number:03}" for number in range(300)]
    refusal = {name: GuardError(f"{name} is protected", code="Protected", hint="--allow-protected") for name in names}

    made = report(jobs(Phase.FAILED, *names), dict(reversed(refusal.items())))

    some = "job-000, job-001, job-002 and 297 more"
    failed = "job-000 (Failed), job-001 (Failed), job-002 (Failed) and 297 more"
    assert words(made) == [
        (6, f"300 actions were refused, see above: {some}"),
        (4, f"300 jobs did not succeed: {failed}"),
    ]
    assert {(error.code, error.hint) for error in find_verdict(made, Measure())} == {("Protected", "--allow-protected")}
    assert all(len(error.message) < 200 for error in find_verdict(made, Measure(jobs=True)))


def test_one_reason_is_said_once() -> None:
    consent = GuardError("these changes need consent", code="ConsentNeeded", hint="--yes")
    alone = BadRequest("a: the model does not exist", http=400)

    assert words(report(errors={"a": consent, "b": consent})) == [(6, "a, b: these changes need consent")]
    assert words(report(errors={"a": alone})) == [(1, "a: the model does not exist")]


def test_errors_of_one_exit_code_and_several_kinds_have_no_code_in_common() -> None:
    made = report(errors={"a": BadRequest("no", http=400), "b": BatchctlError("full")})

    (error,) = find_verdict(made, Measure())
    assert (error.code, error.exit_code, error.message) == ("Several", 1, "2 actions failed, see above: a, b")


def test_a_refused_create_counts_by_its_phase_alone() -> None:
    made = report(jobs(Phase.REJECTED, "a"), {"a": BadRequest("no such model", http=400)})

    assert words(made) == [(4, "1 job did not succeed: a (Rejected)")]
    assert words(made, allow_failed=True) == []
    assert words(made, jobs=False) == [(1, "a: no such model")]


def test_phases_that_were_waited_for_count_in_place_of_success() -> None:
    made = replace(report(jobs(Phase.FAILED, "a", "b")), missed=("b",))

    assert words(made) == [(4, "b is not in the phase that --until names, and will not come there by waiting")]
    assert words(replace(made, missed=())) == []
    assert words(replace(made, stopped=StoppedError("interrupted"))) == [(130, "interrupted")]


def test_an_open_create_call_is_something_that_is_not_done_yet() -> None:
    made = replace(report(jobs(Phase.SETTLING, "a")), unanswered=frozenset({"a", "out-of-scope"}))

    assert words(made) == [(7, "the answer to a create call is not known yet: a")]
    assert words(made, settled=False) == []
    assert words(replace(made, stopped=StoppedError("interrupted"))) == [(130, "interrupted")]


def test_every_action_has_a_weight() -> None:
    assert sorted(_WEIGHTS) == sorted(Action)


def test_the_report_is_that_of_the_whole_run(world) -> None:
    made = world.watch(job("a"), replace(job("b"), depends_on=("a",)))

    assert phases(made) == {"a": "Succeeded", "b": "Succeeded"}
    assert [(one.job, one.action, one.reason) for one in made.plan.jobs] == [
        ("a", Action.CREATE, "new in the manifests"),
        ("b", Action.CREATE, "new in the manifests"),
    ]
    assert results(made) == {"a": "done", "b": "done"}
    assert made.plan.summary()["wait"] == 0


def test_what_a_run_removed_stays_in_its_report(world) -> None:
    world.apply(job("a"), job("b"))
    made = world.watch(job("b"))

    assert [(one.job, one.action) for one in made.plan.jobs] == [("a", Action.DELETE), ("b", Action.COLLECT)]
    assert results(made) == {"a": "done", "b": "done"}


@pytest.mark.parametrize("wait", [False, True])
def test_the_standing_decides_the_same_in_every_run(make_world, wait: bool) -> None:
    world = make_world(limits=Limits(concurrency=1))
    world.here.rules({"match": {"displayName": "*/bad@*"}, **FAIL})
    world.here.faults({**REFUSED, "count": 1})
    stack = [job("a-refused"), job("bad"), replace(job("c-blocked"), depends_on=("bad",))]
    act = world.watch if wait else world.apply

    runs = [act(*stack)]
    world.time.sleep(60)
    runs += [act(*stack), act(*stack), world.watch(*stack)]

    assert {frozenset(exit_codes(made)) for made in runs} == {frozenset({4})}
    assert {frozenset(exit_codes(made, allow_failed=True)) for made in runs} == {frozenset()}
    assert phases(runs[-1]) == {"a-refused": "Rejected", "bad": "Failed", "c-blocked": "Blocked"}


def test_a_create_that_could_not_be_sent_is_not_yet(world) -> None:
    world.here.faults(FULL)
    made = [world.apply(job("a")), world.apply(job("a"))]

    assert [exit_codes(one) for one in made] == [{7}, {7}]
    errors = [one.outcomes["a"].error for one in made]
    assert all(isinstance(error, NotYetError) and "HTTP 429" in error.message for error in errors)
    assert [line[:26] for line in world.progress.steps] == ["a: not yet: QuotaExceeded:"]
    world.here.faults()
    assert exit_codes(world.watch(job("a"))) == set()


def test_a_create_that_waits_for_its_account_to_be_read_is_not_yet(world) -> None:
    world.here.faults({"method": "batches.list", "kind": "status", "status": 403, "when": "before"})
    made = world.apply(job("a"), job("b"))

    # One cause, one error: that of the account.
    assert exit_codes(made) == {1}
    [cause] = find_verdict(made, Measure(jobs=True))
    assert cause in made.errors.values()
    error = made.outcomes["a"].error
    assert isinstance(error, NotYetError)
    assert "HTTP 403" in error.message
    (line,) = [line for line in world.progress.steps if line.startswith("a: ")]
    assert line.startswith("a: not yet: cannot tell whether it was created already: ")


def test_what_keeps_failing_is_said_once(world) -> None:
    world.here.faults({"method": "batches.create", "kind": "status", "status": 401, "when": "before"})
    world.watch(job("a"))

    assert len([line for line in world.progress.steps if line.startswith("a: failed: Unauthenticated")]) == 1
