"""Stories that are played twice: in the model of the engine that `tests/search` searches with, and in the real engine.

After each pass, both tell what the state has, and which jobs are at the service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.recorded import JobRow
from batchctl.model.states import JobState
from batchctl.reconcile import Options
from tests.search.decisions import Planner
from tests.search.events import let_pass
from tests.search.passes import APPLY, run_pass
from tests.search.scenes import Scene
from tests.search.service import PENDING_FOR, RUNNING_FOR, advance
from tests.search.state import State, Working
from tests.search.values import NOW
from tests.support.engine import World
from tests.support.engine_boundaries import Crash
from tests.support.values import replace

CREATE, CANCEL, DELETE = "batches.create", "batches.cancel", "batches.delete"
TIMES = {"pending": "1s", "running": "10m"}


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
    options: Options = APPLY


@dataclass(frozen=True)
class Advance:
    """All remote jobs come to a state: in the model at once, in the emulator by its rules, after some time."""

    state: str
    span: timedelta
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Remote jobs that come to another state or outcome, by the key of their attempt."""


@dataclass(frozen=True)
class Ask:
    """The manifests ask for this work; empty: for nothing."""

    work: str


@dataclass(frozen=True)
class Wait:
    span: timedelta


@dataclass(frozen=True)
class Work:
    """Time passes, and all remote jobs go on as the emulator's times say."""

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


class InModel:
    """A story in the model."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._state = State((("a", "1"),))
        self._planner = Planner()

    def play(self, move: object) -> None:
        working = Working(self._scene, self._state, Script(move.words if isinstance(move, Pass) else {}))  # type: ignore[arg-type]
        match move:
            case Pass():
                run_pass(working, self._planner, options=move.options, is_ordered=move.options is not APPLY)
            case Ask(work):
                working.wanted = {"a": work} if work else {}
            case Wait(span):
                let_pass(working, span)
            case Advance(state, span, others):
                let_pass(working, span)
                for name, remote in list(working.remotes.items()):
                    if remote.job.end_time is None and remote.job.mark is not None:
                        to, outcome = others.get(str(remote.job.mark.key), (state, ""))
                        advance(working, name, f"JOB_STATE_{to}", outcome)
            case Work(span):
                let_pass(working, span)
                _go_on(working)
        self._state = working.freeze()

    def tell(self) -> tuple[object, ...]:
        store = self._state.store
        jobs = [(str(one.job.mark.key), one.job.state) for one in self._state.remotes if one.job.mark]
        has_rows = self._scene.rows is not None
        return _rows(store.rows), _attempts(store.attempts, has_rows), sorted(jobs), len(store.ghosts)


def _go_on(working: Working) -> None:
    """Let each remote job come as far as its age allows."""
    for name, remote in list(working.remotes.items()):
        job = remote.job
        if job.end_time is None and job.create_time is not None:
            age = NOW - job.create_time
            state = JobState.SUCCEEDED if age >= PENDING_FOR + RUNNING_FOR else JobState.RUNNING
            if age >= PENDING_FOR and state != job.state:
                advance(working, name, state)
                ended = working.remotes[name]
                if ended.job.end_time is not None:
                    end = job.create_time + PENDING_FOR + RUNNING_FOR
                    working.remotes[name] = ended._replace(job=replace(ended.job, end_time=end))


class InReality:
    """A story through the real engine."""

    def __init__(
        self, world: World, manifest: Callable[[str], DesiredJob], *rules: Mapping[str, Any], **stack: Any
    ) -> None:
        """`manifest`: the job that asks for a work; `rules`: of the emulator; `stack`: the stack file of a scene of rows."""
        self._world = world
        self._manifest = manifest
        self._stack = stack
        self._has_rows = bool(stack)
        self._jobs = (manifest("1"),)
        world.here.rules(*({**TIMES, **rule} for rule in (*rules, {})))

    def play(self, move: object) -> None:
        world = self._world
        match move:
            case Pass(_, fault, dies, options):
                world.here.faults(*([{"count": 1, **fault}] if fault else []))
                self._pass(dies, options)
            case Ask(work):
                self._jobs = (self._manifest(work),) if work else ()
            case Wait(span) | Work(span) | Advance(_, span):
                world.time.sleep(span.total_seconds())

    def _pass(self, dies: str, options: Options) -> None:
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
            self._world.one_pass(*self._jobs, options=options, **self._stack)
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
        rows = _rows(one.row for one in recorded.jobs.values())
        return rows, _attempts(attempts, self._has_rows), sorted(jobs), len(recorded.ghosts)


def _rows(rows: Any) -> list[tuple[object, ...]]:
    def shown(row: JobRow) -> tuple[object, ...]:
        flags = (row.removing_time, row.released_time, row.cancel_requested, row.retry_requested)
        return (row.name, row.current, *(time is not None for time in flags))

    return sorted(shown(row) for row in rows)


def _attempts(attempts: Any, has_rows: bool) -> list[tuple[object, ...]]:
    ordered = sorted(attempts, key=lambda one: one.key)
    return [(*_shown(attempt), *(_shown_rows(attempt) if has_rows else ())) for attempt in ordered]


def _shown_rows(attempt: RecordedAttempt) -> tuple[object, ...]:
    sent, merged = attempt.sent, attempt.merged
    return (
        None if sent is None else (sent.rows, sent.total, sent.is_canary, sent.shards, dict(sent.verdicts)),
        dict(attempt.rows.verdicts),
        None if merged is None else dict(merged.rows.verdicts),
    )


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


def play_twice(story: list[object], model: InModel, reality: InReality) -> None:
    """Play a story in both worlds, and compare them after each pass."""
    for number, move in enumerate(story, start=1):
        model.play(move)
        reality.play(move)
        if isinstance(move, Pass):
            told, real = model.tell(), reality.tell()
            assert told == real, f"after move {number}:\n{_difference(told, real)}"


def _difference(told: tuple[object, ...], real: tuple[object, ...]) -> str:
    """The things that only one of the two worlds tells."""
    ours, theirs = _things(told), _things(real)
    lines = [f"model: {one}" for one in ours if one not in theirs] + [
        f"real: {one}" for one in theirs if one not in ours
    ]
    return "\n".join(lines)


def _things(told: tuple[object, ...]) -> list[object]:
    return [one for part in told for one in (part if isinstance(part, list) else [part])]
