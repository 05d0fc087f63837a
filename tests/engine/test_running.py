"""Steps of several jobs in progress: those that wait for the disk share a commit, and nothing goes on before it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.engine.journal import Journal
from batchctl.engine.steps.running import Running
from batchctl.engine.steps.waiting import DURABLE
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ConnectionFailed, StateError
from batchctl.model.events import EventKind
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from tests.support.patience import PATIENCE

NAMES = tuple(f"job-{number:02}" for number in range(12))


class Session:
    """A state that keeps what is committed, and that can be full."""

    def __init__(self):
        self.commits = []
        self.is_full = False

    def commit(self, writes):
        if self.is_full:
            raise StateError("the disk is full", code=ErrorCode.STATE_FAILED)
        self.commits.append([write.event.job for write in writes])

    @property
    def durable(self):
        return {name for commit in self.commits for name in commit}


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def journal(session):
    folder = Path()
    return Journal(
        Stack("shop", "u1", folder, folder / "batchctl.yaml", {}, folder / "state.db", folder),
        session,
        Recorded(),
        SystemClock(),
    )


@pytest.fixture
def ended():
    return {}


@pytest.fixture
def running(journal, ended):
    with closing(Running(len(NAMES), journal, SystemClock(), ended.__setitem__)) as running:
        yield running


def note(journal, name):
    journal.note_event(name, 1, EventKind.CREATING, "missing")


def go_to_the_end(running):
    while running.count:
        if not running.take_answer():
            running.commit()


def test_jobs_that_wait_for_the_disk_share_a_commit(running, journal, session, ended):
    together = threading.Barrier(len(NAMES))

    def steps(name):
        note(journal, name)
        yield DURABLE
        assert name in session.durable
        yield together.wait

    for name in NAMES:
        running.start(name, steps(name))
    assert session.commits == []
    go_to_the_end(running)
    assert session.commits == [list(NAMES)]
    assert ended == dict.fromkeys(NAMES)


def test_what_is_durable_already_needs_no_commit(running, journal, session, ended):
    def steps():
        yield DURABLE
        note(journal, "a")
        yield DURABLE
        yield DURABLE

    running.start("a", steps())
    go_to_the_end(running)
    assert session.commits == [["a"]]
    assert ended == {"a": None}


def test_a_job_waits_for_its_own_writes_only(running, journal, session, ended):
    def writes():
        note(journal, "a")
        yield DURABLE

    def writes_nothing():
        yield DURABLE

    running.start("a", writes())
    running.start("b", writes_nothing())
    assert (ended, session.commits) == ({"b": None}, [])
    go_to_the_end(running)
    assert session.commits == [["a"]]


def test_nothing_noted_waits_for_the_end_of_a_long_call(running, journal, session):
    written = threading.Event()

    def long():
        yield lambda: written.wait(PATIENCE)

    def short():
        note(journal, "short")
        return
        yield

    running.start("long", long())
    running.start("short", short())
    assert not running.take_answer(), "a commit is due before the long call ends"
    running.commit()
    assert session.durable == {"short"}
    written.set()
    go_to_the_end(running)


def test_the_failure_of_one_job_ends_that_job_alone(running, journal, session, ended):
    def fails():
        raise ConnectionFailed("no route")

    def steps(name):
        try:
            yield fails if name == NAMES[0] else (lambda: None)
        finally:
            note(journal, name)

    for name in NAMES:
        running.start(name, steps(name))
    go_to_the_end(running)
    assert session.durable <= set(NAMES)
    assert isinstance(ended[NAMES[0]], ConnectionFailed)
    assert [ended[name] for name in NAMES[1:]] == [None] * (len(NAMES) - 1)


def test_without_a_state_no_call_is_made(running, journal, session, ended):
    calls, closed = [], []

    def steps(name):
        note(journal, name)
        try:
            yield DURABLE
            yield lambda: calls.append(name)
        finally:
            closed.append(name)

    session.is_full = True
    for name in NAMES:
        running.start(name, steps(name))
    with pytest.raises(StateError):
        go_to_the_end(running)
    running.close()
    assert calls == []
    assert not ended
    assert closed == list(NAMES)


def test_calls_never_wait_for_each_other_in_a_queue(running, journal, session, ended):
    """What a job checks right before its call is as young when the call is made, however many jobs are durable."""
    names = [f"job-{number:02}" for number in range(2 * len(NAMES))]
    under_way, most, checked = 0, 0, dict[str, int]()

    def call(name):
        assert checked[name] <= len(NAMES)

    def steps(name):
        nonlocal under_way, most
        note(journal, name)
        yield DURABLE
        assert name in session.durable
        under_way += 1
        most = max(most, under_way)
        checked[name] = under_way
        yield lambda: call(name)
        under_way -= 1

    for name in names:
        assert running.has_room
        running.start(name, steps(name))
    assert not running.has_room
    go_to_the_end(running)
    assert session.commits == [names]
    assert most == len(NAMES)
    assert ended == dict.fromkeys(names)


@pytest.mark.parametrize(("limit", "jobs"), [(1, 1), (7, 7), (8, 16)])
def test_with_few_calls_at_once_no_further_job_is_begun(journal, ended, limit, jobs):
    def steps(name):
        note(journal, name)
        yield DURABLE

    with closing(Running(limit, journal, SystemClock(), ended.__setitem__)) as running:
        for number in range(jobs):
            assert running.has_room
            running.start(str(number), steps(str(number)))
        assert not running.has_room
        go_to_the_end(running)
    assert len(ended) == jobs


class StillClock(SystemClock):
    """Time passes in commits alone."""

    seconds = 0.0

    def elapsed(self):
        return self.seconds


@pytest.mark.parametrize(("commit_seconds", "answers"), [(0.0, 17), (0.09, 17), (0.11, 20)])
def test_a_quick_commit_comes_before_answers_where_calls_wait_for_it(
    journal, session, ended, monkeypatch, commit_seconds, answers
):
    """Of 16 calls 15 are under way then, and no further job may begin."""
    held, clock, write = threading.Event(), StillClock(), session.commit

    def commit(writes):
        write(writes)
        clock.seconds += commit_seconds

    def steps(name):
        note(journal, name)
        yield DURABLE
        yield (lambda: None) if name < 20 else partial(held.wait, PATIENCE)
        note(journal, name)
        yield DURABLE

    monkeypatch.setattr(session, "commit", commit)
    with closing(Running(16, journal, clock, ended.__setitem__)) as running:
        for name in range(32):
            assert running.has_room
            running.start(name, steps(name))
        running.commit()
        waited_for = time.monotonic() + PATIENCE
        taken = 0
        while taken < answers and time.monotonic() < waited_for:
            taken += running.take_answer()
        assert taken == answers
        assert not running.take_answer()
        assert len(session.commits) == 1
        held.set()
        go_to_the_end(running)
    assert len(ended) == 32
