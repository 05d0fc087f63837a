"""A pass over four times as many jobs takes four times the work of the engine's own thread."""

from __future__ import annotations

from datetime import timedelta

from batchctl.engine.journal import Journal
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.recorded import JobRow, Recorded, RecordedJob
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.engine import HERE, World, job
from tests.support.growth import assert_in_step, count_steps

LIMITS = Limits(max_create=10**6, max_replace=10**6, max_delete=10**6)
ROOMS = ("engine", "reconcile", "state", "model")


def jobs(number, **changes):
    return [job(f"j{place:04d}", **changes) for place in range(number)]


def counting(make_world, *steps):
    """Counts the last of some steps, in a world of its own for each number."""

    def count(number: int) -> int:
        world: World = make_world(limits=LIMITS)
        for step in steps[:-1]:
            step(world, number)
        return count_steps(lambda: steps[-1](world, number), *ROOMS)

    return count


def create(world, number):
    report = world.one_pass(*jobs(number))
    assert len(report.outcomes) == number


def look(world, number):
    assert len(world.one_pass(*jobs(number)).plan.jobs) == number


def finish(world, number):
    world.time.advance(timedelta(minutes=1))
    look(world, number)


def remove(world, number):
    report = world.one_pass(options=Options(allow_empty=True))
    assert {str(outcome.result) for outcome in report.outcomes.values()} == {"done"}
    assert len(report.outcomes) == number


def test_a_pass_that_creates(make_world):
    assert_in_step(counting(make_world, create), few=15)


def test_a_pass_that_looks_and_does_nothing(make_world):
    assert_in_step(counting(make_world, create, look), few=15)


def test_a_pass_that_collects(make_world):
    assert_in_step(counting(make_world, create, finish), few=15)


def test_a_pass_that_removes_what_has_ended(make_world):
    assert_in_step(counting(make_world, create, finish, remove), few=15)


def test_jobs_are_forgotten_without_a_walk_through_all_others(make_world):
    world: World = make_world()

    def count(number: int) -> int:
        names = [f"j{place:04d}" for place in range(number)]
        attempts = {name: RecordedAttempt(AttemptKey(name, 1), HERE, "d1:" + "a" * 64, "token00000") for name in names}
        rows = {
            name: RecordedJob(JobRow(name, Kind.BATCH_JOB, "main", "m", "a.yaml", HERE), (attempts[name],))
            for name in names
        }

        def forget():
            with world.state().lock() as session:
                journal = Journal(world.stack(), session, Recorded(rows), world.clock)
                for name in names:
                    journal.note_forgotten(name)
                assert not journal.attempts
                assert not journal.rows

        return count_steps(forget, "engine")

    assert_in_step(count)
