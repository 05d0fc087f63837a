"""A machine without handles, threads or memory left: one message, no decision, and a later pass goes on."""

from __future__ import annotations

import errno
import threading

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.workers import Workers
from batchctl.model.errors import ConnectionFailed, ExhaustedError
from batchctl.model.exhaustion import exhausted
from batchctl.reconcile import Options
from tests.support.engine import HERE, job, made, run

FOREVER = Until(ended=True, forever=True)


def no_handles() -> ConnectionFailed:
    problem = ConnectionFailed("batches.list: no more")
    problem.__cause__ = OSError(errno.EMFILE, "Too many open files")
    return problem


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "x"), "this process has reached its limit of open files"),
        (OSError(errno.ENFILE, "x"), "this machine has reached its limit of open files"),
        (OSError(errno.ENOMEM, "x"), "no memory left"),
        (MemoryError(), "no memory left"),
        (RuntimeError("can't start new thread"), "more threads"),
        (no_handles(), "this process has reached its limit of open files"),
    ],
)
def test_what_ran_out_is_said(error, words):
    found = exhausted(error)
    assert found is not None
    assert words in found.message
    assert (found.code, found.exit_code) == ("Exhausted", 1)
    assert exhausted(found).message == found.message


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "x"), RuntimeError("x"), ValueError("x")])
def test_other_errors_are_what_they_are(error):
    assert exhausted(error) is None


@pytest.mark.parametrize("what", ["handles", "memory"])
def test_a_watcher_says_it_once_and_goes_on(world, what):
    world.here.rules({"pending": "0s", "running": "1h"})
    wanted = world.desired(*(job(f"j{number}") for number in range(5)))

    with world.process() as tools:

        def read():
            is_short = 2 <= len(world.clock.sleeps) < 5
            tools.providers.replace(world.open)
            world.unreachable = {HERE: no_handles()} if is_short and what == "handles" else {}
            if is_short and what == "memory":
                raise MemoryError
            return wanted

        world.clock.during = lambda number: world.clock.stop() if number > 12 else None
        report = drive(Around(read), Options(), FOREVER, tools)
    told = [text for text in world.progress.warnings if "limit of open files" in text or "no memory left" in text]
    assert len(told) == 1, told
    assert "trying again" in told[0]
    assert "a pass could be made again" in world.progress.warnings
    assert {one.phase.value for one in report.last.jobs} == {"Active"}
    assert set(made(world.here).values()) == {1}


def test_a_command_ends_with_the_error(world):
    world.unreachable = {HERE: no_handles()}
    with pytest.raises(ExhaustedError, match="limit of open files"):
        run(world, [job()], Until(ended=False))


def test_fewer_threads_than_asked_for_do_the_work(monkeypatch):
    start = threading.Thread.start
    started = []

    def refuse_the_third(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    meeting = threading.Barrier(2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse_the_third)
        with Workers(max_workers=4) as pool:
            assert list(pool.map(lambda number: (meeting.wait(), number)[1], range(6))) == list(range(6))


def test_no_thread_at_all_is_an_error(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with Workers(max_workers=4) as pool, pytest.raises(ExhaustedError, match="more threads"):
            pool.submit(print)


def test_other_faults_of_threads_are_not_hidden(monkeypatch):
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("threads can only be started once")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with Workers(max_workers=4) as pool, pytest.raises(RuntimeError, match="only be started once"):
            pool.submit(print)
