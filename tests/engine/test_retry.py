"""`batchctl retry` as passes carry it out: one order, one new attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.loop.drive import Until
from batchctl.engine.loop.phases import has_come_to
from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile import Options, Scope
from tests.support.engine import HERE, exit_codes, job, made, phases, results, run
from tests.support.job_plans import job_plan

CREATE = "batches.create"
FAIL = {"fate": "fail"}


def order(*names, **options):
    return Options(Scope(names=frozenset(names)), retry=True, **options)


@pytest.fixture
def failed(world):
    world.here.rules(FAIL)
    assert phases(world.watch(job("a"), job("b"))) == {"a": "Failed", "b": "Failed"}
    world.here.rules()
    return world


def test_one_order_is_one_attempt(failed):
    report = failed.apply(job("a"), job("b"), options=order("a"))
    assert results(report) == {"a": "done"}
    assert made(failed.here) == {"a@1.0": 1, "a@2.0": 1, "b@1.0": 1}
    assert phases(failed.watch(job("a"), job("b"))) == {"a": "Succeeded", "b": "Failed"}
    assert failed.recorded().jobs["a"].row.retry_requested is None


def test_it_counts_as_an_attempt(failed):
    failed.here.rules(FAIL)
    failed.apply(job("a", backoff_limit=1), job("b"), options=order("a"))
    report = failed.watch(job("a", backoff_limit=1), job("b"))
    assert phases(report)["a"] == "Failed"
    assert made(failed.here)["a@2.0"] == 1
    assert "a@3.0" not in made(failed.here)
    assert "backoffLimit 1 is reached" in next(one.reason for one in report.last.jobs if one.job == "a")


def test_an_order_whose_create_call_gets_no_answer_is_settled_and_not_given_again(failed):
    failed.here.faults({"method": CREATE, "kind": "cut", "when": "after", "count": 1})
    report = failed.apply(job("a"), options=order("a"))
    assert results(report)["a"] in {"done", "pending"}
    assert report.outcomes["a"].error is None
    assert made(failed.here) == {"a@1.0": 1, "b@1.0": 1, "a@2.0": 1}


def test_an_order_that_a_quota_puts_off_stands(failed):
    failed.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    failed.apply(job("a"), job("b"), options=order("a"))
    assert made(failed.here) == {"a@1.0": 1, "b@1.0": 1}
    failed.time.advance(timedelta(hours=1))
    assert phases(failed.watch(job("a"), job("b"))) == {"a": "Succeeded", "b": "Failed"}


def test_an_order_on_a_suspended_job_is_followed_when_that_ends(failed):
    suspended = job("a", suspend=True)
    assert results(failed.apply(suspended, options=order("a"))) == {"a": "pending"}
    assert phases(failed.watch(suspended, job("b"))) == {"a": "Waiting", "b": "Failed"}
    assert phases(failed.watch(job("a"), job("b"))) == {"a": "Succeeded", "b": "Failed"}


def test_a_rejected_job_is_sent_again(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 400, "count": 1})
    assert phases(world.watch(job("a"))) == {"a": "Rejected"}
    assert phases(world.watch(job("a"))) == {"a": "Rejected"}
    world.apply(job("a"), options=order("a"))
    assert phases(world.watch(job("a"))) == {"a": "Succeeded"}


def test_what_works_is_refused(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    report = world.apply(job("a"), options=order("a"))
    assert (results(report), report.outcomes["a"].error.code) == ({"a": "skipped"}, "RetryRefused")
    assert made(world.here) == {"a@1.0": 1}


@pytest.mark.parametrize(
    ("wanted", "missed"),
    [
        ({"a": "Succeeded"}, ()),
        ({"b": "Failed"}, ()),
        ({"a": "Succeeded", "b": "Succeeded"}, ("b",)),
        ({"a": "Active"}, ()),
    ],
)
def test_until_phases(world, wanted, missed):

    world.here.rules({"match": {"displayName": "*/b@*"}, **FAIL})
    phases_ = {name: Phase(phase) for name, phase in wanted.items()}
    report = run(world, [job("a"), job("b")], Until(ended=True, phases=phases_))
    assert (report.missed, exit_codes(report)) == (missed, {4} if missed else set())


def test_the_success_of_all_is_waited_for_where_no_phase_is_named(world):
    world.here.rules({"match": {"displayName": "*/b@*"}, **FAIL})
    assert exit_codes(run(world, [job("a"), job("b")], Until(ended=True))) == {4}
    assert exit_codes(run(world, [job("a")], Until(ended=True), options=Options(allow_empty=True))) == set()


@pytest.mark.parametrize(
    ("remote", "phase", "wanted", "come"),
    [
        ("batches/1", Phase.SUCCEEDED, Phase.ACTIVE, True),
        (None, Phase.REJECTED, Phase.ACTIVE, False),
        ("batches/1", Phase.ACTIVE, Phase.ACTIVE, True),
        ("batches/1", Phase.ACTIVE, Phase.SUCCEEDED, False),
        (None, Phase.WAITING, Phase.WAITING, True),
    ],
)
def test_a_job_that_ended_between_two_looks_had_been_active(remote, phase, wanted, come):
    attempt = RecordedAttempt(AttemptKey("a", 1), HERE, "d1:", "token", remote=remote)
    assert has_come_to(job_plan("a", Action.NONE, phase, Reason.ACTIVE, "", attempt=attempt), wanted) is come


def test_until_a_phase_ends_while_others_work_on(world):

    world.here.rules({"match": {"displayName": "*/b@*"}, "running": "5h"})
    begin = world.time.now()
    report = run(world, [job("a"), job("b")], Until(ended=True, phases={"a": Phase.SUCCEEDED}))
    assert world.time.now() - begin < timedelta(minutes=5)
    assert phases(report) == {"a": "Succeeded", "b": "Active"}


def test_a_phase_that_is_not_reached_in_time(world):

    world.here.rules({"fate": "stuck"})
    until = Until(ended=True, timeout=timedelta(minutes=5), phases={"a": Phase.SUCCEEDED})
    report = run(world, [job("a")], until)
    assert (report.missed, exit_codes(report)) == (("a",), {7})
