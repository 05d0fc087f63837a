"""The lock: held for a pass and never while sleeping; who lost it sends nothing and writes nothing."""

from __future__ import annotations

import threading

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.passes import run_pass
from batchctl.engine.providers import Providers
from batchctl.model.errors import LockedError, StateError, StoppedError
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, Scope
from batchctl.rows.encode import RowEncoder
from batchctl.state.store import open_state
from tests.support.engine import UID, World, job, made, results
from tests.support.engine_boundaries import EngineClock, Telling
from tests.support.patience import PATIENCE
from tests.support.values import replace


def test_it_is_not_held_while_sleeping(world):
    world.here.rules({"running": "10m"})
    locked = []

    def during(number):
        with world.state().lock() as session:
            locked.append(session.load().serial)

    with world.process() as tools:
        world.clock.during = during
        drive(Around(lambda: world.desired(job("a"))), Options(), Until(ended=True), tools)
    assert len(locked) == len(world.clock.sleeps) > 5
    assert world.attempt("a").state == "JOB_STATE_SUCCEEDED"


def test_it_is_held_from_before_the_first_look_to_after_the_last_call(world):
    seen = []

    def before(what, on):
        try:
            with world.state().lock():
                seen.append(("free", what))
        except LockedError:
            seen.append(("held", what))

    world.here.wire.before = before
    world.apply(job("a"))
    assert seen == [("held", "list"), ("held", "create")]
    with world.state().lock():
        pass


@pytest.mark.parametrize("until", [Until(ended=False), Until(ended=True), Until(ended=True, forever=True)])
def test_a_stop_while_it_is_waited_for_is_a_stop(world, until):
    with world.state().lock(), world.process() as tools:
        path = world.folder / "state.db"
        waiting = open_state(path, stack="shop", uid=UID, clock=world.clock, who="second", lock_timeout=30)
        world.clock.during = lambda number: world.clock.stop()
        report = drive(Around(lambda: world.desired(job("a"))), Options(), until, replace(tools, state=waiting))
    assert isinstance(report.stopped, StoppedError)
    assert (report.outcomes, made(world.here), world.progress.warnings) == ({}, {}, [])


def test_it_is_given_back_when_a_pass_fails(world):
    def refuse(plan):
        raise StateError("no")

    with world.process() as tools, pytest.raises(StateError):
        run_pass(world.asks(job("a")), tools, refuse)
    with world.state().lock():
        pass


def take_over_at(world, moment):
    """Lets another process break the lock at the given boundary."""
    real, first, turn = world.boundaries.cross, [True], threading.Lock()

    def cross(where):
        # Nobody passes while the lock is being broken.
        with turn:
            if where.startswith(moment) and first:
                first.pop()
                world.state().break_lock()
        real(where)

    world.boundaries.cross = cross


@pytest.mark.parametrize("moment", ["before list", "after list", "before commit"])
def test_who_lost_it_before_the_first_commit_sends_nothing_and_writes_nothing(world, moment):
    world.apply(job("x"))
    serial = world.recorded().serial
    take_over_at(world, moment)
    with pytest.raises(StateError) as caught:
        world.apply(job("x"), job("a"), job("b"))
    assert caught.value.code == "LockLost"
    assert made(world.here) == {"x@1.0": 1}
    assert world.recorded().serial == serial
    assert results(world.apply(job("x"), job("a"), job("b")))["a"] == "done"


def test_who_lost_it_right_before_the_create_call_does_not_send_it(world):
    """The intent is durable, and then the process sleeps through its turn."""
    commits = []
    real = world.boundaries.cross

    def cross(where):
        if where == "after commit":
            commits.append(where)
            if len(commits) == 2:
                world.state().break_lock()
        real(where)

    world.boundaries.cross = cross
    with pytest.raises(StateError) as caught:
        world.apply(job("a"))
    assert caught.value.code == "LockLost"
    assert (made(world.here), world.here.calls("batches.create")) == ({}, 0)
    assert world.attempt("a").intent is not None
    world.boundaries.cross = real
    world.apply(job("a"))
    assert made(world.here) == {"a@1.0": 1}


def test_who_lost_it_while_a_call_was_in_flight_leaves_the_reply_to_its_successor(world):
    take_over_at(world, "before create")
    with pytest.raises(StateError):
        world.apply(job("a"))
    assert made(world.here) == {"a@1.0": 1}
    assert world.attempt("a").intent is not None
    world.apply(job("a"))
    assert (made(world.here), world.attempt("a").remote) == ({"a@1.0": 1}, world.here.jobs()[0]["name"])


def test_who_lost_it_begins_no_further_jobs(make_world):
    world = make_world(limits=Limits(concurrency=2))
    names = [f"job-{number:02}" for number in range(12)]
    take_over_at(world, "after create")
    with pytest.raises(StateError):
        world.apply(*map(job, names))
    assert sum(made(world.here).values()) <= 2
    world.apply(*map(job, names))
    assert made(world.here) == {f"{name}@1.0": 1 for name in names}


def test_who_lost_it_leaves_nothing_open_of_what_it_was_about(make_world):
    """Two uploads are in flight when the state breaks down; their temporary files are closed all the same."""
    world = make_world(limits=Limits(concurrency=2))
    opened = []

    class Encoder(RowEncoder):
        def encode_file(self, job, positions=None, files=()):
            found = super().encode_file(job, positions, files)
            opened.append(found.content)
            return found

    jobs = [job(name, world.write_rows(f"{name}.jsonl", f"k-{name}")) for name in "ab"]
    together = threading.Barrier(2)
    world.here.wire.before = lambda what, on: what == "upload" and together.wait(timeout=PATIENCE)
    commits = []
    real = world.boundaries.cross

    def cross(where):
        if where == "before commit":
            commits.append(where)
            if len(commits) == 2:
                world.state().break_lock()
        real(where)

    world.boundaries.cross = cross
    with world.process(inputs=Encoder()) as tools, pytest.raises(StateError) as caught:
        run_pass(world.asks(*jobs), tools)
    # The error is still held, and with it every frame that it went through.
    assert len(caught.traceback) > 0
    assert [file.closed for file in opened] == [True, True]
    assert made(world.here) == {}


def test_two_drives_on_one_state_lose_no_update(make_world):
    """Each is about its own jobs, as two people with `-l` would be; passes interleave as they come."""
    world = make_world(limits=Limits(concurrency=2))
    names = [f"job-{number}" for number in range(8)]
    jobs = [job(name) for name in names]
    halves = [frozenset(names[:4]), frozenset(names[4:])]
    turn = threading.Barrier(2)
    failures: list[BaseException] = []

    def go(half):
        clock = EngineClock(world.time, world.local)
        tools = world_tools(world, clock)
        options = Options(scope=Scope(names=half))
        try:
            turn.wait(timeout=PATIENCE)
            for _ in range(2000):
                try:
                    drive(Around(lambda: world.desired(*jobs)), options, Until(ended=True), tools)
                except LockedError:
                    continue
                break
        except BaseException as error:  # noqa: BLE001  shown by the test's own thread
            failures.append(error)
        finally:
            tools.providers.close()

    threads = [threading.Thread(target=go, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert made(world.here) == {f"{name}@1.0": 1 for name in names}
    assert world.recorded().jobs.keys() == set(names)
    assert all(world.attempt(name).results for name in names)
    assert all(world.result_rows(name) for name in names)


def world_tools(world: World, clock: EngineClock):
    return replace(world.tools(), clock=clock, progress=Telling(), providers=Providers(world.open))
