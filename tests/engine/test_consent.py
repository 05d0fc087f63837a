"""What may be done: what cannot be read, approval, guards and consent over several passes."""

from __future__ import annotations

import pytest

from batchctl.engine.loop.drive import Until
from batchctl.engine.preview import preview
from batchctl.model.errors import (
    BatchctlError,
    GuardError,
)
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, Scope
from tests.support.engine import job, live, made, phases, plan_of, results, run

STUCK = {"fate": "stuck"}
CREATE = "batches.create"
LIST = "batches.list"


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
    run(world, [job("a")], Until(ended=True), approve=asked.append)
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
    assert (str(report.plan.jobs[0].action), str(outcome.result), outcome.error.code) == (
        "adopt",
        "done",
        "AdoptedChanged",
    )
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
