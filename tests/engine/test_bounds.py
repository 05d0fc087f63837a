"""No command that makes one pass waits without a bound: one grace in all, or `--timeout`."""

from __future__ import annotations

from datetime import timedelta

from batchctl.engine.loop.drive import Until
from batchctl.model.stack import Limits
from tests.support.engine import exit_codes, job, run

GRACE = Limits().settle_grace.total_seconds()
CREATE = "batches.create"


def test_one_pass_waits_no_longer_than_one_grace_in_all(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 503, "when": "before"})
    begin = world.time.now()

    report = world.apply(job("a"))

    took = world.time.now() - begin
    assert timedelta(seconds=GRACE) <= took < timedelta(seconds=GRACE) + timedelta(seconds=10)
    assert world.here.calls(CREATE) == 2, "once, and once more when the grace was over"
    assert exit_codes(report) == {1}
    assert "HTTP 503" in str(report.outcomes["a"].error)


def test_one_pass_ends_when_its_account_cannot_be_read_any_more(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 503, "when": "before"})
    begin = world.time.now()

    def unreadable(number):
        world.here.faults({"method": "batches.list", "kind": "status", "status": 503, "when": "before"})

    report = run(world, [job("a")], Until(ended=False), during=unreadable)

    assert world.time.now() - begin < timedelta(seconds=2 * GRACE)
    assert exit_codes(report)


def test_a_timeout_bounds_the_wait_of_one_pass(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 503, "when": "before"})
    begin = world.time.now()

    report = run(world, [job("a")], Until(ended=False, timeout=timedelta(seconds=30)))

    assert world.time.now() - begin <= timedelta(seconds=31)
    assert (report.stopped.exit_code, report.stopped.message) == (7, "time is up; not settled yet: a")
