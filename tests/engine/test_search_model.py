"""The model of the engine that `tests/search` searches with does what the real engine does.

The same stories are played twice: in the model, and through the real engine, state file, provider, results folder and
emulator. After each pass both have the same record, and the same jobs are at the service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from batchctl.model.recorded import JobRow, RecordedAttempt
from tests.search.decisions import Planner
from tests.search.events import let_pass
from tests.search.passes import APPLY, run_pass
from tests.search.scenes import GEMINI, STRICT, Scene
from tests.search.service import advance
from tests.search.state import State, Working
from tests.support.engine import World, job
from tests.support.engine_boundaries import Crash

SCENE = Scene("one job", (("a", GEMINI),), STRICT)
CREATE, CANCEL, DELETE = "batches.create", "batches.cancel", "batches.delete"


class Script:
    """Choices that are given beforehand: by the beginning of the question."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = dict(answers)

    def pick(self, subject: str, *options: str) -> str:
        return self.fault(subject, *options)

    def fault(self, subject: str, normal: str, *faults: str) -> str:
        found = next((self._answers.pop(start) for start in list(self._answers) if subject.startswith(start)), normal)
        assert found in (normal, *faults)
        return found


@dataclass(frozen=True)
class Pass:
    """One `apply`, and what goes wrong in it: as the model says it, and as the emulator or the kit does it."""

    words: Mapping[str, str] = field(default_factory=dict)
    fault: Mapping[str, Any] | None = None
    dies: str = ""
    """The boundary of the kit at which the process dies."""


@dataclass(frozen=True)
class Advance:
    """The remote job comes to a state: in the model at once, in the emulator by its rules, after some time."""

    state: str
    span: timedelta


@dataclass(frozen=True)
class Ask:
    """The manifests ask for this work; empty: for nothing."""

    work: str


@dataclass(frozen=True)
class Wait:
    span: timedelta


RUN = Advance("RUNNING", timedelta(seconds=2))
SUCCEED = Advance("SUCCEEDED", timedelta(minutes=11))
APPLY_ONCE, LATER = Pass(), Wait(timedelta(minutes=4))

BEFORE_CREATE = {"before the create call": "dies"}
AFTER_CREATE = {"before the answer to the create call": "dies"}
REFUSED = Pass({"the create call": "is refused for good"}, {"method": CREATE, "kind": "status", "status": 400})
FOR_NOW = Pass({"the create call": "is refused for now"}, {"method": CREATE, "kind": "status", "status": 403})
LOST_AFTER = Pass(
    {"the create call": "gets through, its reply is lost"}, {"method": CREATE, "kind": "cut", "when": "after"}
)
LOST_BEFORE = Pass({"the create call": "is lost"}, {"method": CREATE, "kind": "cut", "when": "before"})

STORIES = {
    "created and collected": [APPLY_ONCE, RUN, APPLY_ONCE, SUCCEED, APPLY_ONCE, APPLY_ONCE],
    "refused for good": [REFUSED, APPLY_ONCE],
    "refused for now": [FOR_NOW, APPLY_ONCE],
    "a reply that is lost": [LOST_AFTER, APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE],
    "a call that is lost": [LOST_BEFORE, APPLY_ONCE, LATER, APPLY_ONCE, RUN, APPLY_ONCE],
    "death before the create call": [Pass(BEFORE_CREATE, dies="before create"), APPLY_ONCE, LATER, APPLY_ONCE],
    "death after the create call": [Pass(AFTER_CREATE, dies="after create"), APPLY_ONCE],
    "removed while it runs": [APPLY_ONCE, RUN, Ask(""), APPLY_ONCE, LATER, APPLY_ONCE, APPLY_ONCE],
    "removed after its success": [APPLY_ONCE, RUN, SUCCEED, Ask(""), APPLY_ONCE, APPLY_ONCE],
    "removed and wanted again": [APPLY_ONCE, RUN, Ask(""), APPLY_ONCE, Ask("1"), APPLY_ONCE, APPLY_ONCE],
    "replaced while it runs": [APPLY_ONCE, RUN, Ask("2"), APPLY_ONCE, LATER, APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE],
    "changed back to known work": [
        *(APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE, Ask("2"), APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE),
        *(Ask("1"), APPLY_ONCE, APPLY_ONCE),
    ],
    "a cancel whose reply is lost": [
        *(APPLY_ONCE, RUN, Ask("")),
        Pass(
            {"the cancel call": "gets through, its reply is lost"},
            {"method": CANCEL, "kind": "cut", "when": "after", "count": 9},
        ),
        *(LATER, APPLY_ONCE),
    ],
    "death before the cancel call": [
        *(APPLY_ONCE, RUN, Ask(""), Pass({"before the cancel call": "dies"}, dies="before cancel")),
        *(APPLY_ONCE, LATER, APPLY_ONCE, LATER, APPLY_ONCE),
    ],
    "death before the delete call": [
        *(APPLY_ONCE, RUN, SUCCEED, Ask(""), Pass({"before the delete call": "dies"}, dies="before delete")),
        APPLY_ONCE,
    ],
    "death after the delete call": [
        *(APPLY_ONCE, RUN, SUCCEED, Ask("")),
        Pass({"before the answer to the delete call": "dies"}, dies="after delete"),
        *(APPLY_ONCE, LATER, APPLY_ONCE),
    ],
    "death between results and record": [
        *(APPLY_ONCE, RUN, SUCCEED, Pass({"before the collection is written down": "dies"}, dies="after collect")),
        APPLY_ONCE,
    ],
}


class InModel:
    """A story in the model."""

    def __init__(self) -> None:
        self._state = State((("a", "1"),))
        self._planner = Planner()

    def play(self, move: object) -> None:
        working = Working(SCENE, self._state, Script(move.words if isinstance(move, Pass) else {}))  # type: ignore[arg-type]
        match move:
            case Pass():
                run_pass(working, self._planner)
            case Ask(work):
                working.wanted = {"a": work} if work else {}
            case Wait(span):
                let_pass(working, span)
            case Advance(state, span):
                let_pass(working, span)
                (name,) = [name for name, one in working.remotes.items() if one.job.end_time is None]
                advance(working, name, f"JOB_STATE_{state}")
        self._state = working.freeze()

    def tell(self) -> tuple[object, ...]:
        store = self._state.store
        jobs = [(str(one.job.mark.key), one.job.state) for one in self._state.remotes if one.job.mark]
        return _rows(store.rows), _attempts(store.attempts), sorted(jobs), len(store.ghosts)


class InReality:
    """A story through the real engine."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs = (job("a", run_id="1"),)
        world.here.rules({"pending": "1s", "running": "10m"})

    def play(self, move: object) -> None:
        world = self._world
        match move:
            case Pass(_, fault, dies):
                world.here.faults(*([{"count": 1, **fault}] if fault else []))
                self._pass(dies)
            case Ask(work):
                self._jobs = (job("a", run_id=work),) if work else ()
            case Wait(span) | Advance(_, span):
                world.time.sleep(span.total_seconds())

    def _pass(self, dies: str) -> None:
        boundaries = self._world.boundaries
        boundaries.reset()
        cross = boundaries.cross

        def crossing(where: str) -> None:
            cross(where)
            if dies and where.startswith(dies):
                boundaries.dead = True
                raise Crash(where)

        boundaries.cross = crossing  # type: ignore[method-assign]
        try:
            self._world.one_pass(*self._jobs, options=APPLY)
            assert not dies
        except Crash:
            assert dies
        finally:
            boundaries.cross = cross  # type: ignore[method-assign]
            boundaries.reset()

    def tell(self) -> tuple[object, ...]:
        recorded = self._world.recorded()
        attempts = [attempt for one in recorded.jobs.values() for attempt in one.attempts]
        jobs = [
            (str(one["mark"].key), one["state"].replace("BATCH_", "JOB_"))
            for one in self._world.here.jobs()
            if not one["deleted"]
        ]
        return _rows(one.row for one in recorded.jobs.values()), _attempts(attempts), sorted(jobs), len(recorded.ghosts)


def _rows(rows: Any) -> list[tuple[object, ...]]:
    def shown(row: JobRow) -> tuple[object, ...]:
        flags = (row.removing_time, row.released_time, row.cancel_requested, row.retry_requested)
        return (row.name, row.current, *(time is not None for time in flags))

    return sorted(shown(row) for row in rows)


def _attempts(attempts: Any) -> list[tuple[object, ...]]:
    return [_shown(attempt) for attempt in sorted(attempts, key=lambda one: one.key)]


def _shown(attempt: RecordedAttempt) -> tuple[object, ...]:
    intent, trouble = attempt.intent, attempt.trouble
    times: tuple[Callable[[RecordedAttempt], object], ...] = (
        lambda one: one.create_time,
        lambda one: one.end_time,
        lambda one: one.cancel_time,
        lambda one: one.delete_time,
        lambda one: one.gone_time,
        lambda one: one.missed,
        lambda one: one.remote,
        lambda one: one.results,
    )
    return (
        str(attempt.key),
        attempt.state,
        None if intent is None else intent.first_look is not None,
        None if trouble is None else (trouble.operation, trouble.tries, trouble.until is not None),
        attempt.rejected,
        attempt.adopted,
        attempt.cancel_cause,
        attempt.results_lost,
        attempt.input_file,
        *(read(attempt) is not None for read in times),
    )


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_model_and_engine_write_down_the_same(world: World, story: list[object]) -> None:
    model, reality = InModel(), InReality(world)
    for number, move in enumerate(story, start=1):
        model.play(move)
        reality.play(move)
        if isinstance(move, Pass):
            assert model.tell() == reality.tell(), f"after move {number}"
