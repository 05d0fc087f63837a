"""Everything that may happen next in a small world, each with its name in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeAlias

from batchctl.model.states import ACTIVE_STATES, JobState
from batchctl.reconcile import Options, Scope
from tests.search.broken import BrokenPromise
from tests.search.choices import Choices, every_way
from tests.search.decisions import Planner
from tests.search.passes import APPLY, run_pass, wake
from tests.search.rebuilding import rebuild_state
from tests.search.scenes import LIST_LAG, Scene
from tests.search.service import add, advance, next_states, outcomes
from tests.search.state import Remote, State, Store, Working
from tests.search.values import NOW, older
from tests.support.values import replace

Change: TypeAlias = Callable[[Working], object]
Event: TypeAlias = tuple[str, Change]
Outcome: TypeAlias = State | BrokenPromise

LOOKS = {"torn": "one list breaks off", "old": "the API shows how things were", "no gets": "direct gets fail"}


def successors(scene: Scene, planner: Planner, state: State) -> Iterator[tuple[tuple[str, ...], Outcome]]:
    """All that may come next: what happened, in words, and the state after it or the promise that it broke."""
    for words, change in _events(scene, planner, state):

        def run(choices: Choices, change: Change = change) -> Outcome:
            working = Working(scene, state, choices)
            try:
                change(working)
            except BrokenPromise as broken:
                return broken
            return working.freeze()

        for chosen, outcome in every_way(run, scene.faults):
            yield (words, *chosen), outcome


def _events(scene: Scene, planner: Planner, state: State) -> Iterator[Event]:
    yield "apply runs", lambda working: run_pass(working, planner)
    for look, words in LOOKS.items():
        if scene.allows(look):
            yield f"apply runs, and {words}", lambda working, look=look: run_pass(working, planner, look)
    yield from _manifest_events(scene, state)
    yield from _remote_events(scene, state)
    for span in scene.spans:
        yield f"{round(span.total_seconds() / 60)} minutes pass", lambda working, span=span: let_pass(working, span)
    if state.landing:
        yield "the API carries out the late create call", land
    if state.sleeper is not None:
        yield "the sleeping process goes on", wake
    yield from _state_events(scene, planner, state)


def _manifest_events(scene: Scene, state: State) -> Iterator[Event]:
    wanted, moved = dict(state.wanted), dict(state.moved)
    for name in scene.names:
        today = moved.get(name, name)
        works = [work for work in scene.works_of(name) if work != wanted.get(today)]
        if today not in wanted:
            works = works[:1] if scene.allows("remove") else []
        elif not scene.allows("edit"):
            works = []
        for work in works:
            words = f"the manifest of {today} asks for work {work}"
            yield words, lambda working, today=today, work=work: working.wanted.update({today: work})
        if today in wanted and scene.allows("remove"):
            yield f"the manifest of {today} is removed", lambda working, today=today: working.wanted.pop(today)
    for before, after in scene.aliases:
        if before not in moved and before in wanted:
            yield (
                f"{before} is renamed to {after} in the manifests, by spec.moved",
                lambda working, pair=(before, after): _rename(working, *pair),
            )


def _rename(working: Working, before: str, after: str) -> None:
    working.wanted[after] = working.wanted.pop(before)
    working.moved = tuple(sorted((*working.moved, (before, after))))


def _remote_events(scene: Scene, state: State) -> Iterator[Event]:
    working = Working(scene, state, Choices())
    for remote in state.remotes:
        name = remote.job.name
        for to in next_states(working, remote.job):
            for outcome in outcomes(working, to):
                words = f"{name} is {to}, {outcome}" if outcome else f"{name} is {to}"
                yield words, lambda working, name=name, to=to, how=outcome: advance(working, name, to, how)
        if scene.allows("unreadable") and remote.rows and not any(one.is_unreadable for one in state.remotes):
            yield f"the results of {name} cannot be read any more", lambda working, name=name: _spoil(working, name)
        if scene.allows("strangers cancel") and remote.job.state in ACTIVE_STATES:
            yield (
                f"another person cancels {name}",
                lambda working, name=name: advance(working, name, JobState.CANCELLED),
            )
        if scene.allows("strangers delete"):
            yield f"another person deletes {name}", lambda working, name=name: _delete(working, name)
        if scene.allows("copy") and not any(one.is_copy for one in state.remotes):
            yield f"another person copies {name}, with its mark", lambda working, name=name: _copy(working, name)


def _delete(working: Working, name: str) -> None:
    working.deleted[name] = working.remotes.pop(name).job


def _spoil(working: Working, name: str) -> None:
    working.remotes[name] = working.remotes[name]._replace(is_unreadable=True)


def _copy(working: Working, name: str) -> None:
    remote = working.remotes[name]
    job = remote.job
    copied = replace(
        job,
        name=working.remote_name(job.account),
        state=JobState.PENDING,
        create_time=NOW,
        start_time=None,
        end_time=None,
    )
    add(working, Remote(copied, is_copy=True, rows=remote.rows))


def let_pass(working: Working, span: timedelta) -> None:
    """Time passes, for everything that is remembered; what was deleted is shown by no reading of an hour later."""
    state = older(working.freeze(), span)
    Working.__init__(working, working.scene, state, working.choices)
    if span > LIST_LAG * 10:
        working.deleted = {}


def land(working: Working) -> None:
    """Jobs whose create call was taken a while ago begin now."""
    for remote in working.landing:
        add(working, remote._replace(job=replace(remote.job, create_time=NOW)))
    working.landing = ()


def _state_events(scene: Scene, planner: Planner, state: State) -> Iterator[Event]:
    if scene.allows("lose") and not state.store.is_new:
        yield "the state file is lost", _lose
    if scene.allows("rebuild") and not state.store.is_new:
        yield "state rebuild runs", rebuild_state
    if scene.allows("orders"):
        yield (
            "cancel --all runs",
            lambda working: run_pass(working, planner, options=Options(cancel=True, allow_empty=True), is_ordered=True),
        )
        for name, _ in state.wanted:
            scope = Scope(names=frozenset({name}))
            order = Options(retry=True, scope=scope, allow_empty=True, adopt_changed=True)
            yield (
                f"retry {name} runs",
                lambda working, order=order: run_pass(working, planner, options=order, is_ordered=True),
            )
    for words, order in () if scene.rows is None else scene.rows.orders:
        yield words, lambda working, order=order: run_pass(working, planner, options=order, is_ordered=True)


def _lose(working: Working) -> None:
    # A process that sleeps over a lost file can write nothing any more.
    working.store = Store(epoch=1 if working.sleeper is not None else 0)
    young = (one.job.create_time for one in working.remotes.values())
    working.is_blind = any(time is not None and NOW - time < LIST_LAG for time in young) or bool(working.landing)


__all__ = ["APPLY", "land", "let_pass", "successors"]
