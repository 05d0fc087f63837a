"""Passes in a row: when they end, what is waited for, what is given up, and what is reported."""

from __future__ import annotations

from datetime import timedelta

import pytest
from engine_kit import HERE, THERE, UID, Telling, job, live, made, phases, plan_of, results

from batchctl.engine.drive import Patience, Until, drive
from batchctl.engine.passes import preview, run_pass
from batchctl.model.desired import Limits, OnMissing, OnRemove
from batchctl.model.errors import (
    ApiError,
    BatchctlError,
    GuardError,
    LockedError,
    PermissionDenied,
    QuotaExceeded,
    ReplyLost,
    ResultsError,
    StoppedError,
    TimeUpError,
)
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import DriftKind
from batchctl.reconcile import Options, Scope

STUCK = {"fate": "stuck"}
FAIL = {"fate": "fail"}
CREATE = "batches.create"
LIST = "batches.list"


def run(world, jobs, until, options=None, approve=None, **changes):
    """Drive with fresh tools; `changes` are the clock's hook and the stack's own."""
    during = changes.pop("during", None)
    with world.process() as tools:
        if during is not None:
            world.clock.during = during
        reload = jobs if callable(jobs) else lambda: world.desired(*jobs, **changes)
        return drive(reload, options or Options(), until, tools, approve)


# When it ends


def test_apply_ends_with_jobs_active(world):
    report = world.apply(job("a"), job("b"))
    assert (world.clock.sleeps, report.stopped, report.failed_jobs, report.errors) == ([], None, (), {})
    assert results(report) == {"a": "done", "b": "done"}
    again = world.apply(job("a"), job("b"))
    assert (world.clock.sleeps, results(again), phases(again)) == (
        [],
        {"a": "pending", "b": "pending"},
        {"a": "Active", "b": "Active"},
    )


def test_wait_goes_on_until_all_have_ended_and_are_collected(world):
    world.here.rules({"match": {"displayName": "*/b@*"}, "fate": "fail"}, {"match": {"displayName": "*/c@*"}, "running": "1h"})
    begin = world.time.now()
    report = world.watch(job("a"), job("b"), job("c"))
    assert phases(report) == {"a": "Succeeded", "b": "Failed", "c": "Succeeded"}
    assert [one.job for one in report.failed_jobs] == ["b"]
    assert results(report) == {"a": "done", "b": "done", "c": "done"}
    assert all(world.attempt(name).results is not None for name in "ac")
    assert timedelta(hours=1) < world.time.now() - begin < timedelta(hours=1, minutes=2)
    assert report.stopped is None


def test_watch_on_what_has_ended_is_one_look(world):
    world.watch(job("a"))
    before = world.here.calls(LIST)
    world.watch(job("a"))
    assert (world.clock.sleeps, world.here.calls(LIST) - before) == ([], 1)


def test_the_time_is_up(world):
    world.here.rules(STUCK)
    begin = world.time.now()
    names = [f"job-{number}" for number in range(7)]
    report = world.watch(*map(job, names), timeout=timedelta(minutes=10))
    assert isinstance(report.stopped, TimeUpError)
    assert "job-0, job-1, job-2, job-3, job-4 …" in report.stopped.message
    assert "job-5" not in report.stopped.message
    assert timedelta(minutes=10) <= world.time.now() - begin <= timedelta(minutes=10, seconds=5)
    assert set(phases(report).values()) == {"Active"}


def test_the_time_limit_says_nothing_where_all_have_ended(world):
    report = world.watch(job("a"), timeout=timedelta(minutes=10))
    assert report.stopped is None


def test_a_time_limit_of_nothing_still_makes_one_pass(world):
    report = world.watch(job("a"), timeout=timedelta(0))
    assert isinstance(report.stopped, TimeUpError)
    assert (made(world.here), world.clock.sleeps) == ({"a@1.0": 1}, [])


def test_once_is_one_pass(world):
    report = run(world, [job("a")], Until(ended=True, once=True))
    assert (world.clock.sleeps, phases(report), results(report)) == ([], {"a": "Waiting"}, {"a": "done"})
    assert len(world.progress.plans) == 1


def test_forever_goes_on_after_all_have_ended_until_it_is_stopped(world):
    def during(number):
        if number == 60:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True, forever=True), during=during)
    assert isinstance(report.stopped, StoppedError)
    assert report.stopped.exit_code == 130
    assert (len(world.clock.sleeps), phases(report)) == (60, {"a": "Succeeded"})
    assert world.clock.sleeps[-1] == 60
    assert world.progress.waits[-1] == ()


def test_forever_outlasts_a_first_pass_that_can_read_nothing(world):
    world.here.faults({"method": LIST, "kind": "status", "status": 403, "count": 1})

    def during(number):
        if number == 30:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True, forever=True), during=during)
    assert phases(report) == {"a": "Succeeded"}


def test_forever_ends_when_its_time_is_up(world):
    report = run(world, [job("a")], Until(ended=True, forever=True, timeout=timedelta(hours=1)))
    assert isinstance(report.stopped, TimeUpError)


@pytest.mark.parametrize("status", [403, 500])
def test_a_first_pass_that_can_read_nothing_ends_at_once(world, status):
    world.here.faults({"method": LIST, "kind": "status", "status": status})
    report = world.watch(job("a"))
    assert (world.clock.sleeps, phases(report), results(report)) == ([], {"a": "Unknown"}, {"a": "pending"})
    assert report.errors[HERE].http == status
    assert report.plan.problems.keys() == {HERE}
    assert made(world.here) == {}


def test_nothing_to_do_is_one_look_at_nothing(world):
    report = world.watch()
    assert (report.plan.jobs, world.clock.sleeps, world.here.control("GET", "requests")["total"]) == ((), [], 0)


# Manifests and consent


def test_manifests_are_read_anew_for_each_pass(world):
    versions = [[job("a")], [job("a"), job("b")]]

    def reload():
        return world.desired(*(versions.pop(0) if len(versions) > 1 else versions[0]))

    report = run(world, reload, Until(ended=True))
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}
    assert results(report) == {"a": "done"}


def test_what_reload_raises_surfaces(world):
    def reload():
        raise BatchctlError("broken")

    with pytest.raises(BatchctlError, match="broken"):
        run(world, reload, Until(ended=True))


def test_approval_is_asked_for_the_first_plan_before_anything_is_done(world):
    def refuse(plan):
        assert [one.job for one in plan.jobs] == ["a"]
        raise GuardError("no")

    with pytest.raises(GuardError):
        run(world, [job("a")], Until(ended=True), approve=refuse)
    assert (made(world.here), world.recorded().jobs) == ({}, {})
    asked = []
    run(world, [job("a")], Until(ended=True), approve=lambda plan: asked.append(plan))
    assert len(asked) == 1
    assert phases(world.watch(job("a"))) == {"a": "Succeeded"}


def test_a_preview_neither_locks_nor_writes(world):
    with world.process() as tools, world.state().lock():
        shown = preview(world.desired(job("a")), Options(), tools)
    assert [str(one.action) for one in shown.plan.jobs] == ["create"]
    assert (shown.recorded.jobs, shown.errors, made(world.here), world.log[2:]) == ({}, {}, {}, [])


def test_guards_leave_their_jobs_and_the_others_go_on(make_world):
    world = make_world(limits=Limits(max_delete=0))
    world.apply(job("a"), job("b"))
    report = world.watch(job("b"), job("c"))
    assert results(report) == {"a": "skipped", "b": "done", "c": "done"}
    assert isinstance(report.outcomes["a"].error, GuardError)
    assert (report.outcomes["a"].error.code, report.outcomes["a"].error.hint) == ("TooManyDeletes", "--max-delete 1")
    assert not any(one["deleted"] for one in world.here.jobs())
    # What is held back is not waited for, and what is harmless is done.
    assert plan_of(report, "a").guard.code == "TooManyDeletes"


def test_without_consent_nothing_is_bought(world):
    report = world.watch(job("a"), options=Options(consent=False))
    assert results(report) == {"a": "skipped"}
    assert report.outcomes["a"].error.code == "ConsentNeeded"
    assert (made(world.here), world.clock.sleeps) == ({}, [])


def test_an_adoption_is_done_though_what_would_follow_from_it_is_refused(world):
    world.here.rules(STUCK)
    world.apply(job("a"))
    for path in world.folder.glob("state.db*"):
        path.unlink()
    report = world.apply(job("a", run_id="2"))
    outcome = report.outcomes["a"]
    assert (str(report.plan.jobs[0].action), str(outcome.result), outcome.error.code) == ("adopt", "done", "AdoptedChanged")
    assert outcome.remote == world.attempt("a").remote


@pytest.mark.parametrize("lag", ["30s", "100s"])
def test_settling_does_not_get_around_the_guard_against_an_empty_stack(world, lag):
    world.here.rules(STUCK)
    world.here.faults(
        {"method": CREATE, "kind": "cut", "when": "after", "count": 1},
        {"method": LIST, "kind": "listLag", "delay": lag},
    )
    world.one_pass(job("a"))
    report = world.apply()
    assert report.outcomes["a"].error.code == "NothingDesired"
    assert live(world.here).keys() == {"a@1.0"}
    assert world.here.calls("batches.cancel") == 0


def test_destroy_removes_everything_within_its_scope(world):
    world.apply(job("a"), job("b"))
    report = world.watch(job("a"), job("b"), options=Options(destroy=True, scope=Scope(names=frozenset({"a"}))))
    assert results(report) == {"a": "done"}
    assert world.recorded().jobs.keys() == {"b"}
    assert live(world.here).keys() == {"b@1.0"}


# Outcomes over several passes


def test_a_removal_is_pending_while_its_cancel_runs_and_done_in_the_end(world):
    world.here.rules({"fate": "cancelSlow", "running": "5m"})
    world.apply(job("a"))
    pending = world.apply(job("b"))
    assert results(pending) == {"a": "pending", "b": "done"}
    world.here.rules()
    done = world.watch(job("b"))
    assert results(done) == {"a": "done", "b": "done"}
    assert phases(done) == {"b": "Succeeded"}


def test_a_replacement_is_pending_while_its_old_job_ends_and_done_with_the_new(world):
    world.here.rules({"fate": "cancelSlow", "running": "5m"})
    world.apply(job("a"))
    world.here.rules()
    pending = world.apply(job("a", run_id="2"))
    assert results(pending) == {"a": "pending"}
    done = world.watch(job("a", run_id="2"))
    assert (results(done), phases(done)) == ({"a": "done"}, {"a": "Succeeded"})
    assert done.outcomes["a"].remote == world.attempt("a", 2).remote
    assert [str(one.action) for one in done.plan.jobs] == ["replace"]


def test_a_job_that_failed_first_and_recovers_is_done(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    report = world.watch(job("a"), job("b"))
    assert results(report) == {"a": "done", "b": "done"}
    assert set(phases(report).values()) == {"Succeeded"}
    assert {outcome.error for outcome in report.outcomes.values()} == {None}


def test_the_outcome_follows_the_remote_job_through_retries(world):
    world.here.rules({"match": {"displayName": "*@1.0 *"}, "fate": "fail"})
    report = world.watch(job("a", backoff_limit=1))
    assert phases(report) == {"a": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    assert report.outcomes["a"] == Outcome("a", Result.DONE, world.attempt("a", 2).remote)


def test_retries_end_at_the_limit_with_back_off_between(world):
    world.here.rules(FAIL)
    begin = world.time.now()
    report = world.watch(job("a", backoff_limit=3))
    assert (phases(report), made(world.here)) == ({"a": "Failed"}, {f"a@{number}.0": 1 for number in (1, 2, 3, 4)})
    assert world.time.now() - begin > timedelta(seconds=10 * 0.8 + 20 * 0.8 + 40 * 0.8)


def test_a_deadline_cancels_and_the_job_counts_as_failed(world):
    world.here.rules({"match": {"displayName": "*/a@*"}, **STUCK}, {"match": {"displayName": "*/b@*"}, "running": "10h"})
    report = world.watch(
        job("a", pending_deadline=timedelta(minutes=5)), job("b", active_deadline=timedelta(minutes=10))
    )
    assert (phases(report), results(report)) == ({"a": "Failed", "b": "Failed"}, {"a": "done", "b": "done"})
    assert world.time.now() - world.attempt("a").create_time < timedelta(minutes=15)


def test_a_job_that_somebody_else_deleted_is_missing(world):
    world.here.rules(STUCK)
    world.apply(job("a"), job("b", on_missing=OnMissing.RECREATE))
    world.here.rules()
    for name in "ab":
        world.here.api("DELETE", world.attempt(name).remote)
    report = world.watch(job("a"), job("b", on_missing=OnMissing.RECREATE))
    assert phases(report) == {"a": "Failed", "b": "Succeeded"}
    assert [(one.job, one.kind) for one in report.plan.drift] == [("a", DriftKind.MISSING), ("b", DriftKind.MISSING)]
    assert world.attempt("a").gone_time is not None
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "b@2.0": 1}


def test_a_time_to_live_deletes_the_collected_remote_job(world):
    one = job("a", ttl_after_finished=timedelta(hours=1))
    world.watch(one)
    assert not any(remote["deleted"] for remote in world.here.jobs())
    world.time.advance(timedelta(hours=2))
    report = world.watch(one)
    assert [remote["deleted"] for remote in world.here.jobs()] == [True]
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    assert world.result_rows("a").keys() == {"k1", "k2"}
    assert made(world.here) == {"a@1.0": 1}


# What is waited for


def test_a_suspended_job_is_not_waited_for(world):
    report = world.watch(job("a", suspend=True), job("b"))
    assert phases(report) == {"a": "Waiting", "b": "Succeeded"}
    assert made(world.here) == {"b@1.0": 1}
    assert report.stopped is None


def test_a_suspended_stack_lets_what_runs_run_on(world):
    world.apply(job("a"))
    report = world.watch(job("a"), job("b"), suspend=True)
    assert phases(report) == {"a": "Succeeded", "b": "Waiting"}


def test_a_released_job_is_not_waited_for(world):
    world.here.rules(STUCK)
    world.apply(job("a", on_remove=OnRemove.KEEP))
    world.here.rules()
    report = world.watch(job("b"))
    assert phases(report) == {"b": "Succeeded"}
    assert live(world.here).keys() == {"a@1.0", "b@1.0"}
    assert (world.here.calls("batches.cancel"), world.here.calls("batches.delete")) == (0, 0)
    before = world.here.calls("batches.get")
    assert results(world.watch(job("b"))) == {"b": "done"}
    assert world.here.calls("batches.get") == before


def test_an_error_that_lasts_is_given_up_after_three_passes(world):
    world.results.mkdir()
    (world.results / "a").write_text("in the way")
    world.here.rules({"match": {"displayName": "*/b@*"}, "running": "30m"})
    report = world.watch(job("a"), job("b"))
    assert (results(report), phases(report)) == ({"a": "failed", "b": "done"}, {"a": "Succeeded", "b": "Succeeded"})
    assert report.stopped is None


def test_an_error_that_lasts_alone_ends_the_watch_soon(world):
    world.results.mkdir()
    (world.results / "a").write_text("in the way")
    report = world.watch(job("a"))
    assert isinstance(report.outcomes["a"].error, ResultsError)
    assert sum(1 for event in world.events("a") if event == "failed") == 3


def test_an_error_that_passes_is_waited_out_however_often_it_comes(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 20})
    report = world.watch(job("a"))
    assert (phases(report), made(world.here)) == ({"a": "Succeeded"}, {"a@1.0": 1})
    assert world.here.calls(CREATE) == 21


def test_a_create_that_nobody_may_make_is_given_up(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 401})
    report = world.watch(job("a"))
    assert (results(report), world.here.calls(CREATE), report.stopped) == ({"a": "failed"}, 3, None)


def lasting():
    return Outcome("a", Result.FAILED, error=ResultsError("disk full"))


def passing():
    return Outcome("a", Result.FAILED, error=ReplyLost("cut"))


def fine():
    return Outcome("a", Result.DONE)


@pytest.mark.parametrize(
    ("outcomes", "over"),
    [
        ([], False),
        ([lasting()] * 2, False),
        ([lasting()] * 3, True),
        ([lasting()] * 2 + [fine()] + [lasting()] * 2, False),
        ([passing()] * 9, False),
        ([lasting()] * 2 + [passing(), lasting()], True),
        ([QuotaExceeded, PermissionDenied], False),
    ],
)
def test_patience(outcomes, over):
    patience = Patience()
    for outcome in outcomes:
        if isinstance(outcome, type):
            outcome = Outcome("a", Result.FAILED, error=outcome("no", http=429))  # noqa: PLW2901  made here
        patience.note({"a": outcome, "other": fine()})
    assert patience.is_over("a") is over
    assert not patience.is_over("other")


def test_a_list_that_fails_for_a_while_is_waited_out(world):
    world.apply(job("a"))
    reads = []

    def during(number):
        reads.append(number)
        faults = [{"method": LIST, "kind": "status", "status": 503}] if number in range(2, 6) else []
        world.here.faults(*faults)

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert (phases(report), report.errors) == ({"a": "Succeeded"}, {})
    assert any("503" in warning for warning in world.progress.warnings)


def test_a_list_that_is_forbidden_from_now_on_ends_the_watch(world):
    world.here.rules(STUCK)

    def during(number):
        if number == 3:
            world.here.faults({"method": LIST, "kind": "status", "status": 403})

    report = run(world, [job("a")], Until(ended=True, timeout=timedelta(hours=1)), during=during)
    assert (phases(report), len(world.clock.sleeps), report.stopped) == ({"a": "Unknown"}, 3, None)
    assert isinstance(report.errors[HERE], PermissionDenied)


@pytest.mark.parametrize("ended", [False, True])
def test_a_create_that_can_never_be_settled_does_not_hold_the_command_for_ever(world, ended):
    world.here.faults({"method": CREATE, "kind": "cut", "when": "after"})

    def during(number):
        world.here.faults({"method": LIST, "kind": "status", "status": 403})

    report = run(world, [job("a")], Until(ended=ended, timeout=timedelta(hours=1)), during=during)
    assert (phases(report), report.stopped) == ({"a": "Settling"}, None)
    assert isinstance(report.errors[HERE], PermissionDenied)
    assert world.attempt("a").intent is not None


def test_an_account_that_is_closed_does_not_end_the_wait_for_another(make_world):
    world = make_world(accounts=(HERE, THERE))
    world.here.rules({"running": "10m"})
    jobs = [job("a"), job("b", account=THERE)]
    world.apply(*jobs)

    def during(number):
        world.services[THERE].faults({"method": LIST, "kind": "status", "status": 403})
        here = [{"method": LIST, "kind": "status", "status": 503}] if number == 3 else []
        world.here.faults(*here)

    report = run(world, jobs, Until(ended=True, timeout=timedelta(hours=1)), during=during)
    assert phases(report) == {"a": "Succeeded", "b": "Unknown"}
    assert report.stopped is None


# Stop and lock


def test_a_stop_during_a_sleep_ends_in_order(world):
    world.here.rules(STUCK)

    def during(number):
        if number == 4:
            world.clock.stop()

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert isinstance(report.stopped, StoppedError)
    assert (len(world.clock.sleeps), phases(report)) == (4, {"a": "Active"})


def test_a_stop_before_the_first_pass_begins_nothing(world):
    with world.process() as tools:
        world.clock.stop()
        report = drive(lambda: world.desired(job("a")), Options(), Until(ended=True), tools)
    assert (results(report), made(world.here)) == ({"a": "skipped"}, {})
    assert isinstance(report.stopped, StoppedError)


@pytest.mark.parametrize("once", [False, True])
def test_a_stop_while_calls_are_in_flight_finishes_them_and_begins_no_more(make_world, once):
    world = make_world(limits=Limits(concurrency=2))
    names = [f"job-{number}" for number in range(6)]

    def before(what, on):
        if what == "create":
            world.clock.stop()

    world.here.wire.before = before
    report = run(world, list(map(job, names)), Until(ended=True, once=once))
    done = {name for name, result in results(report).items() if result == "done"}
    assert 1 <= len(done) <= 2
    assert {result for name, result in results(report).items() if name not in done} == {"skipped"}
    assert made(world.here) == {f"{name}@1.0": 1 for name in done}
    assert {name: world.attempt(name).remote for name in done} == {
        one["mark"].key.job: one["name"] for one in world.here.jobs()
    }
    assert isinstance(report.stopped, StoppedError)
    assert world.clock.sleeps == []


def test_a_stop_in_the_middle_of_a_job_leaves_its_further_steps(world):
    world.apply(job("a"))
    world.time.sleep(10)

    def before(what, on):
        if what == "get":
            world.clock.stop()

    world.here.wire.before = before
    report = run(world, [job("b")], Until(ended=False))
    assert isinstance(report.outcomes["a"].error, StoppedError)
    assert world.attempt("a").results is not None
    assert (world.here.calls("batches.delete"), isinstance(report.stopped, StoppedError)) == (0, True)
    world.here.wire.before = lambda what, on: None
    assert results(world.apply(job("b")))["a"] == "done"
    assert world.recorded().jobs.keys() == {"b"}


def test_a_stop_during_an_upload_does_not_let_the_create_call_begin(world):
    def before(what, on):
        if what == "upload":
            world.clock.stop()

    world.here.wire.before = before
    source = world.write_rows("a.jsonl", "k1")
    report = run(world, [job("a", source)], Until(ended=True))
    assert isinstance(report.outcomes["a"].error, StoppedError)
    assert (made(world.here), len(world.recorded().files), world.recorded().jobs["a"].attempts) == ({}, 1, ())
    world.here.wire.before = lambda what, on: None
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}
    assert world.here.calls("files.create") == 1


def test_a_state_that_is_locked_at_first_is_an_error(world):
    with world.state().lock(), pytest.raises(LockedError):
        world.watch(job("a"))
    assert world.here.control("GET", "requests")["total"] == 0


def test_a_state_that_is_locked_between_passes_is_tried_again(world):
    held = []

    def during(number):
        if number == 2:
            held.append(world.state().lock())
        if number == 5:
            held.pop().__exit__(None, None, None)

    report = run(world, [job("a")], Until(ended=True), during=during)
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    assert sum("locked" in warning for warning in world.progress.warnings) == 3


def test_each_pass_is_told_with_its_plan_and_whom_it_waits_for(world):
    world.watch(job("a"), job("b", suspend=True))
    assert isinstance(world.progress, Telling)
    assert len(world.progress.plans) == len(world.clock.sleeps) + 1
    assert set(world.progress.waits) == {("a",)}


def test_a_pass_reports_what_it_looked_at(world):
    with world.process() as tools:
        done = run_pass(world.desired(job("a")), Options(), tools)
    assert (done.accounts, done.errors, done.plan.stack) == ({HERE}, {}, "shop")
    assert world.here.jobs()[0]["mark"].uid == UID
    assert isinstance(done.outcomes["a"].error, ApiError | None)
