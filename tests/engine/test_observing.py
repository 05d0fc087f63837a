"""Observers see each pass, action and API call, and what belongs to what, also where a worker thread does it."""

from __future__ import annotations

import threading
from collections import Counter
from contextvars import ContextVar, Token
from typing import NamedTuple

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.model.observing import ActionWork, CallWork, Ending, PassKind, PassWork, TokenUse, Work
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from batchctl.report.activity import Board
from tests.support.engine import LONG, MODEL, inline, job


class Seen(NamedTuple):
    """Some work, what it belongs to, and how it ended."""

    work: Work
    inside: Work | None
    code: str
    thread: int


class Tree:
    """An observer that knows by the context what belongs to what."""

    def __init__(self) -> None:
        self.around: ContextVar[Work | None] = ContextVar("around", default=None)
        self.seen: list[Seen] = []
        self.tokens: list[TokenUse] = []
        self.open = 0

    def begin(self, work: Work):
        inside, thread = self.around.get(), threading.get_ident()
        token: Token[Work | None] = self.around.set(work)
        self.open += 1

        def end(ending: Ending) -> None:
            # Raises where the end is in another context than the beginning.
            self.around.reset(token)
            self.open -= 1
            self.seen.append(Seen(work, inside, ending.code, thread))

        return end

    def used(self, tokens: TokenUse) -> None:
        self.tokens.append(tokens)

    def calls(self, method: str) -> list[Seen]:
        return [one for one in self.seen if isinstance(one.work, CallWork) and one.work.method == method]

    def actions(self) -> list[Seen]:
        return [one for one in self.seen if isinstance(one.work, ActionWork)]


@pytest.fixture
def watched(world):
    world.board = Board()
    world.activity = world.board
    world.tree = Tree()
    world.board.observe_by(world.tree)
    return world


def test_each_create_call_belongs_to_the_action_of_its_job_and_that_to_the_pass(watched):
    names = [f"job-{number}" for number in range(12)]
    watched.apply(*map(job, names))
    tree = watched.tree
    assert tree.open == 0
    owners = [one.inside for one in tree.calls("batches.create")]
    assert sorted(owner.job for owner in owners) == sorted(names)
    assert {(owner.action, owner.reason, owner.model, owner.api) for owner in owners} == {
        ("create", "New", MODEL, "gemini")
    }
    assert {type(one.inside) for one in tree.actions()} == {PassWork}
    assert {one.inside for one in tree.calls("batches.list")} == {PassWork()}
    assert {one.code for one in tree.seen} == {"200", "OK"}
    assert {one.thread for one in tree.calls("batches.create")} != {threading.get_ident()}
    assert {(one.work.verb, one.work.host, one.work.port) for one in tree.calls("batches.create")} == {
        ("POST", "here.invalid", None)
    }


def test_the_code_of_a_call_is_its_status_or_its_error(watched):
    watched.here.faults(
        {"method": "batches.create", "kind": "status", "status": 400, "count": 1},
        {"method": "batches.list", "kind": "status", "status": 503, "count": 1},
    )
    watched.apply(job("a"))
    watched.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    watched.apply(job("b"))
    tree = watched.tree
    assert Counter(one.code for one in tree.calls("batches.create")) == {"400": 1, "ReplyLost": 1}
    assert tree.calls("batches.list")[0].code == "503"
    assert sorted(one.code for one in tree.actions() if one.work.action == "create") == ["BadRequest", "ReplyLost"]


def test_a_quick_check_is_no_pass(watched):
    watched.here.rules({"pending": "30m", "running": "1s"})
    watched.watch(job("a"))
    kinds = Counter(one.work.kind for one in watched.tree.seen if isinstance(one.work, PassWork))
    assert kinds[PassKind.QUICK_CHECK] > 5
    assert {one.inside for one in watched.tree.calls("batches.list")} == {
        PassWork(PassKind.FULL),
        PassWork(PassKind.QUICK_CHECK),
    }


def test_tokens_are_counted_once_when_results_are_collected(watched):
    watched.watch(job("a", inline("k1", "k2", "k3")), job("b", inline("x")))
    assert sorted((use.model, use.api.value, use.is_embedding, use.input) for use in watched.tree.tokens) == [
        (MODEL, "gemini", False, watched.attempt("b").tokens),
        (MODEL, "gemini", False, watched.attempt("a").tokens),
    ]
    watched.block_results("a")
    watched.unblock_results("a")
    watched.watch(job("a", inline("k1", "k2", "k3")), job("b", inline("x")))
    assert len(watched.tree.tokens) == 2


def test_what_stops_a_pass_ends_its_actions(watched, monkeypatch):
    """A bug in the middle of one job's steps ends the work of all others, each in its own context."""

    class BugError(Exception):
        pass

    with watched.process() as tools:
        provider = tools.providers.get(watched.accounts[0])

        def broken(request):
            raise BugError

        monkeypatch.setattr(provider, "create_job", broken)
        desired = watched.desired(job("a"), job("b"), job("c"))
        with pytest.raises(BugError):
            drive(Around(lambda: desired), Options(), Until(ended=True, timeout=LONG), tools)
    assert watched.tree.open == 0
    assert {one.code for one in watched.tree.actions()} == {"Stopped"}


def test_one_worker_keeps_jobs_apart(make_world):
    """Several jobs' steps take turns on one thread: what one sets in its context, the next does not see."""
    world = make_world(limits=Limits(concurrency=1))
    world.activity = board = Board()
    tree = Tree()
    board.observe_by(tree)
    world.apply(job("a"), job("b"), job("c"))
    assert sorted(one.inside.job for one in tree.calls("batches.create")) == ["a", "b", "c"]
