"""With the faults over, a bounded number of passes ends in an empty plan, and nothing is wrong then.

The calm after a state: what is late arrives, a sleeping process wakes up, and then passes follow one another, each at
the moment for which the one before said that something is due. Remote jobs hold still until nothing is left to do;
then each takes one step towards its success, and passes follow again. Where the calm leads is known from the state
alone, so a calm that comes to a state which was seen before need not be followed further.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from batchctl.model.keys import same_digest
from batchctl.model.states import ACTIVE_STATES, ENDED_PHASES, GOOD_STATES, JobState, Phase
from tests.search.broken import BrokenPromise, require
from tests.search.choices import Choices
from tests.search.decisions import JobDecision, Planner
from tests.search.events import land, let_pass
from tests.search.passes import run_pass, wake
from tests.search.row_promises import check_rows_at_end, check_rows_at_rest
from tests.search.scenes import MINUTE, Scene
from tests.search.service import advance
from tests.search.state import State, Working
from tests.search.values import LOCAL

MOST_PASSES = 60
"""A calm of more passes never ends."""
PAUSE = 4 * MINUTE
"""Between two passes of a calm, where nothing is due later."""
SOON = 20 * MINUTE
"""Remote jobs hold still until nothing is due within this time."""
SETTLED = frozenset(map(str, ENDED_PHASES | {Phase.BLOCKED}))
"""Phases that a job may have once all is over."""


@dataclass
class Calm:
    """Follows calms to their end, and remembers how many passes each state is from it."""

    scene: Scene
    planner: Planner
    known: dict[int, int] = field(default_factory=dict)
    """How many passes each state is from the end, by its hash."""
    longest: int = 0

    def check(self, state: State) -> None:
        """Raise BrokenPromise where the calm after a state never ends, or ends with something wrong."""
        working = Working(self.scene, state, Choices())
        if working.sleeper is not None:
            wake(working)
        land(working)
        following: State | None = working.freeze()
        path: list[int] = []
        while following is not None and (place := hash(following)) not in self.known:
            require(place not in path and len(path) < MOST_PASSES, f"no rest after {len(path)} calm passes")
            path.append(place)
            following = self._next(following)
        passes = 0 if following is None else self.known[hash(following)]
        for before in reversed(path):
            passes += 1
            self.known[before] = passes
        self.longest = max(self.longest, passes)

    def follow(self, state: State, *, until_over: bool) -> State:
        """The state in which all jobs run for the first time, or all is over."""
        for _ in range(MOST_PASSES):
            following = None if not until_over and _all_run(state, self.scene) else self._next(state)
            if following is None:
                return state
            state = following
        raise BrokenPromise(f"no rest after {MOST_PASSES} calm passes")

    def _next(self, state: State) -> State | None:
        """The state after one more pass; None where all is at its end."""
        working = Working(self.scene, state, Choices())
        decided = run_pass(working, self.planner)
        after = working.freeze()
        due = min((job.next_time - LOCAL for job in decided if job.next_time is not None), default=None)
        is_stopping = [one.job.name for one in working.remotes.values() if one.job.state == JobState.CANCELLING]
        for name in is_stopping:
            advance(working, name, JobState.CANCELLED)
        is_moving = is_stopping or any(job.is_change for job in decided) or after != state
        if is_moving or (due is not None and due <= SOON):
            return _later(working, PAUSE if is_moving or due is None else due)
        check_rest(working, decided)
        moving = [one.job for one in working.remotes.values() if one.job.state in {JobState.PENDING, JobState.RUNNING}]
        for job in moving:
            advance(working, job.name, JobState.SUCCEEDED if job.state == JobState.RUNNING else JobState.RUNNING)
        if moving or due is not None:
            return _later(working, PAUSE if moving or due is None else due)
        check_end(working, decided)
        return None


def _all_run(state: State, scene: Scene) -> bool:
    running = [one for one in state.remotes if one.job.state == JobState.RUNNING]
    needed = {other for _, other in scene.needs}
    return len(running) >= len(needed or scene.names)


def _later(working: Working, span: timedelta) -> State:
    let_pass(working, max(span, PAUSE))
    return working.freeze()


def check_rest(working: Working, decided: tuple[JobDecision, ...]) -> None:
    """Nothing is left to do: no attempt and no job has two live remote jobs, and each of ours is known or shown."""
    rows = {row.name: row for row in working.store.rows}
    live = []
    for remote in working.remotes.values():
        job = remote.job
        assert job.mark is not None
        name = working.lineage(job.mark.key.job)
        is_released = name in rows and rows[name].released_time is not None and name not in working.wanted
        is_orphan = name not in rows and name not in working.wanted
        if job.state in ACTIVE_STATES and not is_released and not is_orphan:
            live.append((name, job.mark.key))
            recorded = any(one.remote == job.name and one.gone_time is None for one in working.store.attempts)
            refused = any(one.is_refused for one in decided if one.job == name)
            require(recorded or refused, f"{job.name} works, and no record has it")
    for key, count in Counter(key for _, key in live).items():
        require(count == 1, f"at rest {key} has {count} live remote jobs")
    for name, count in Counter(name for name, _ in {(name, key.attempt) for name, key in live}).items():
        require(count == 1 or name not in working.wanted, f"at rest {name} has {count} live attempts")
    if working.scene.rows is not None:
        check_rows_at_rest(working, {one.job for one in decided if not one.is_refused})


def check_end(working: Working, decided: tuple[JobDecision, ...]) -> None:
    """Everything has ended: each job is settled, and what succeeded for a manifest is in the results folder."""
    phases = {job.job: job for job in decided}
    for one in working.desired().jobs if working.scene.rows is not None else ():
        if not phases[one.name].is_refused:
            check_rows_at_end(working, one, phases[one.name].phase)
    here = {one.attempt.remote for one in working.kept.values()}
    for name, digest in ((one.name, one.digest) for one in working.desired().jobs):
        job = phases[name]
        require(job.phase in SETTLED or job.is_refused, f"at the end {name} is {job.phase}")
        for remote in working.remotes.values():
            mark = remote.job.mark
            assert mark is not None
            is_its_work = working.lineage(mark.key.job) == name and same_digest(mark.digest, digest)
            if is_its_work and remote.job.state in GOOD_STATES and not job.is_refused:
                others = [one for one in working.kept.values() if one.attempt.key.job == name]
                known = [one for one in others if same_digest(one.attempt.digest, mark.digest)]
                is_here = remote.job.name in here or known or remote.is_unreadable
                require(is_here, f"at the end {remote.job.name} is not collected")
