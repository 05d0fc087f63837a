"""A tiny world to let plans act in: manifests, a state, remote jobs, an engine that can be cut off, and strangers.

Steps do here what their docstrings say, and nothing else. Every plan that is made passes the safety rules of the
design before it is carried out; a broken rule is an AssertionError with the plan in it.

The file is long because all steps act on one world, whose safety rules are in the same class.
"""

from __future__ import annotations

import random
from collections import Counter
from copy import deepcopy
from datetime import timedelta

from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import CancelCause, Intent, RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Account, AttemptKey, Mark, same_digest
from batchctl.model.observed import Gone, Observation, Presence, Present, RemoteJob, RowCounts, Unknown
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Limits
from batchctl.model.states import ACTIVE_STATES, TERMINAL_STATES, JobState
from batchctl.model.steps import Cancel, Collect, Create, Delete, Forget, RecordAttempt, RecordJob, Step
from batchctl.reconcile import Options, plan
from tests.support.decisions import HERE, HOUR, MINUTE, NOW, STACK, THERE, foreign_jobs, job, show_step, touched_by
from tests.support.values import replace

MOST_ACTIVE = 2
OFFSET = timedelta(minutes=5)
"""How much the provider's clock is ahead of the local one."""

STRANGE = ("JOB_STATE_BREWING", JobState.PAUSED, JobState.UPDATING)
NEXT_STATES: dict[str, tuple[str, ...]] = {
    JobState.QUEUED: (JobState.PENDING, JobState.RUNNING, JobState.EXPIRED, *STRANGE),
    JobState.PENDING: (JobState.RUNNING, JobState.FAILED, JobState.EXPIRED, *STRANGE),
    JobState.RUNNING: (JobState.SUCCEEDED, JobState.FAILED, JobState.PARTIALLY_SUCCEEDED, JobState.EXPIRED, *STRANGE),
    JobState.CANCELLING: (JobState.CANCELLED, JobState.FAILED, JobState.SUCCEEDED),
    **dict.fromkeys(STRANGE, (JobState.RUNNING, JobState.FAILED)),
}

QUIET = Options(allow_empty=True, adopt_changed=True, prune_orphans=True, max_create=99, max_replace=99, max_delete=99)
ANSWERS = ("made", "made", "made", "lost before", "lost after", "late", "refused", "not sent")


class World:
    """All three views, and the truth behind the third."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = NOW
        self.desired: dict[str, DesiredJob] = {}
        self.recorded: dict[str, RecordedJob] = {}
        self.remote: dict[str, RemoteJob] = {remote.name: remote for remote in foreign_jobs()}
        self.landing: list[RemoteJob] = []
        """Jobs whose create call the API has taken in, but not carried out yet."""
        self.ever_late = False
        self._number = 0

    # --- what people do

    def want(self, name: str, work: str, account: Account, needs: str = "", **lifecycle: object) -> None:
        self.desired[name] = job(name, work=work, account=account, needs=needs, **lifecycle)

    def ours(self) -> list[RemoteJob]:
        return [remote for name, remote in sorted(self.remote.items()) if not name.startswith("foreign/")]

    def advance_job(self, remote: RemoteJob, state: str) -> None:
        assert state in NEXT_STATES[remote.state]
        started = remote.start_time or (self.now if state == JobState.RUNNING and remote.account == THERE else None)
        ended = self.now if state in TERMINAL_STATES and self.chance.random() < 0.8 else None
        rows = RowCounts(4, 4, 0) if state in TERMINAL_STATES else remote.rows
        self.remote[remote.name] = replace(remote, state=state, start_time=started, end_time=ended, rows=rows)

    def stop_job(self, remote: RemoteJob) -> None:
        """A cancel as an API takes it: best effort, at once or slowly."""
        if remote.state in ACTIVE_STATES:
            ways = (JobState.CANCELLED, JobState.FAILED, JobState.CANCELLING, remote.state)
            state = self.chance.choice(ways)
            ended = self.now if state in TERMINAL_STATES else None
            self.remote[remote.name] = replace(remote, state=state, end_time=ended)

    # --- what batchctl sees and plans

    def look(self, *, complete: bool = True) -> dict[Account, Observation]:
        observed = {}
        for account in (HERE, THERE):
            jobs = [remote for remote in self.remote.values() if remote.account == account]
            if not complete:
                jobs = [remote for remote in jobs if self.chance.random() < 0.5]
            checked: dict[str, Presence] = {}
            for name in sorted(self._expected(account) - {remote.name for remote in jobs}):
                answer = self.remote.get(name)
                checked[name] = Present(answer) if answer else Gone()
                if self.chance.random() < 0.1:
                    checked[name] = Unknown("403")
            problem = "" if complete else "page 2 failed"
            observed[account] = Observation(account, self.now, tuple(jobs), complete, problem, checked)
        return observed

    def _expected(self, account: Account) -> set[str]:
        attempts = (attempt for record in self.recorded.values() for attempt in record.attempts)
        return {attempt.remote for attempt in attempts if attempt.remote and attempt.account == account}

    def plan(self, options: Options, *, complete: bool = True) -> Plan:
        observed = self.look(complete=complete)
        limits = Limits(admission=AdmissionLimits(active=MOST_ACTIVE))
        desired = DesiredStack(
            replace(STACK, limits=limits), tuple(self.desired[name] for name in sorted(self.desired))
        )
        recorded = Recorded(dict(self.recorded))
        before = deepcopy((desired, recorded, observed))
        made = plan(desired, recorded, observed, self.now - OFFSET, options)
        assert (desired, recorded, observed) == before, "planning has changed its inputs"
        assert plan(*self._shuffled(desired, recorded, observed), self.now - OFFSET, options) == made
        self._check_safety(made, observed, options)
        return made

    def _shuffled(
        self, desired: DesiredStack, recorded: Recorded, observed: dict[Account, Observation]
    ) -> tuple[DesiredStack, Recorded, dict[Account, Observation]]:
        def shuffle(items):
            mixed = list(items)
            self.chance.shuffle(mixed)
            return mixed

        jobs = {
            name: replace(record, attempts=tuple(shuffle(record.attempts)))
            for name, record in shuffle(recorded.jobs.items())
        }
        looks = {
            account: replace(look, jobs=tuple(shuffle(look.jobs)), checked=dict(shuffle(look.checked.items())))
            for account, look in shuffle(observed.items())
        }
        return replace(desired, jobs=tuple(shuffle(desired.jobs))), replace(recorded, jobs=jobs), looks

    def _check_safety(self, made: Plan, observed: dict[Account, Observation], options: Options) -> None:
        seen = {remote.name: remote for look in observed.values() for remote in look.jobs}
        for look in observed.values():
            seen.update({name: there.job for name, there in look.checked.items() if isinstance(there, Present)})
        partial = {account for account, look in observed.items() if not look.complete}
        assert [decided.job for decided in made.jobs] == sorted({decided.job for decided in made.jobs})
        self._check_room(made, observed)
        for decided in made.jobs:
            words = f"{decided.action} {decided.reason}: {[show_step(step) for step in decided.steps]}"
            _check_identity(decided.attempt, seen, words)
            collected = set()
            for step in decided.steps:
                touched = touched_by(step)
                if touched is not None:
                    assert not touched.startswith("foreign/"), words
                    assert seen[touched].state in ACTIVE_STATES | TERMINAL_STATES, words
                if isinstance(step, Cancel):
                    assert seen[step.remote].state in ACTIVE_STATES, words
                    # A person's order is carried out on the job that is seen, whatever else is not.
                    assert options.cancel or step.account not in partial, words
                if isinstance(step, Collect):
                    assert step.remote.state in TERMINAL_STATES, words
                    collected.add(step.key)
                if isinstance(step, Delete):
                    assert seen[step.remote].state in TERMINAL_STATES, words
                    assert step.account not in partial, words
                    kept = self._attempt(step.key)
                    assert step.key in collected or options.discard_results or (kept and kept.results), words
                if isinstance(step, Forget) and step.job in self.recorded:
                    assert not {self.recorded[step.job].row.account} & partial, words
                if isinstance(step, Create):
                    self._check_create(step, decided.attempt, seen, partial, words)

    def _check_room(self, made: Plan, observed: dict[Account, Observation]) -> None:
        """No account gets more than it may have, and nothing is created before what it needs has succeeded."""
        for account, look in observed.items():
            at_work = [one for one in look.jobs if one in self.ours() and one.state not in TERMINAL_STATES]
            new = [step for step in creates(made) if self.desired[step.key.job].account == account]
            assert not new or len(at_work) + len(new) <= MOST_ACTIVE
        for step in creates(made):
            for need in self.desired[step.key.job].depends_on:
                results = [one.results for one in self.recorded[need].attempts if one.state == JobState.SUCCEEDED]
                assert any(results), f"{step.key} before {need}"

    def _check_create(
        self,
        step: Create,
        current: RecordedAttempt | None,
        seen: dict[str, RemoteJob],
        partial: set[Account],
        words: str,
    ) -> None:
        job = self.recorded.get(step.key.job)
        if job is not None and job.row.cancel_requested is not None and current is not None:
            assert not same_digest(current.digest, self.desired[job.name].digest), f"{words}; it was cancelled"
        record = self._attempt(step.key)
        unsent = record is not None and record.remote is None and record.intent is None and not record.rejected
        assert unsent or self.desired[step.key.job].account not in partial, words
        if current is not None and current.remote in seen:
            assert seen[current.remote].state in TERMINAL_STATES, words
        if not self.ever_late:
            twins = [remote for remote in self.ours() if remote.mark and remote.mark.key == step.key]
            assert not twins, f"{words}; there is {twins}"
            wanted = self.desired[step.key.job].digest
            living = [
                remote
                for remote in self.ours()
                if remote.mark
                and remote.mark.key.job == step.key.job
                and remote.mark.digest == wanted[:15]
                and remote.state in ACTIVE_STATES
            ]
            assert not living, f"{words}; {living} does it already"

    def _attempt(self, key: AttemptKey) -> RecordedAttempt | None:
        record = self.recorded.get(key.job)
        return next((attempt for attempt in record.attempts if attempt.key == key), None) if record else None

    # --- what the engine does

    def run(self, options: Options, *, complete: bool = True, cut_after: int = 999, reliable: bool = False) -> Plan:
        """One pass; the process is killed after so many steps."""
        made = self.plan(options, complete=complete)
        left = cut_after
        for decided in made.jobs:
            for step in decided.steps:
                if left == 0:
                    return made
                left -= 1
                if not self._do(step, reliable=reliable):
                    break
        return made

    def _do(self, step: Step, *, reliable: bool) -> bool:
        """Carry one step out; gives whether the job's next step may follow."""
        match step:
            case RecordAttempt(attempt):
                self._save(attempt)
            case RecordJob(record):
                kept = self.recorded[record.name].attempts if record.name in self.recorded else ()
                self.recorded[record.name] = RecordedJob(record, kept)
            case Create():
                return self._create(step, "made" if reliable else self.chance.choice(ANSWERS))
            case Cancel():
                self._cancel(step, gets_through=reliable or self.chance.random() < 0.8)
            case Collect():
                return self._collect(step, gets_through=reliable or self.chance.random() < 0.8)
            case Delete():
                return self._delete(step, "made" if reliable else self.chance.choice(ANSWERS))
            case Forget(name):
                del self.recorded[name]
        return True

    def _cancel(self, step: Cancel, *, gets_through: bool) -> None:
        before = self._attempt(step.key)
        assert before is not None
        if step.cause is not CancelCause.DUPLICATE:
            self._save(replace(before, cancel_time=self.now, cancel_cause=step.cause))
        if step.remote in self.remote and gets_through:
            self.stop_job(self.remote[step.remote])

    def _collect(self, step: Collect, *, gets_through: bool) -> bool:
        before = self._attempt(step.key)
        assert before is not None
        if step.remote.name not in self.remote or not gets_through:
            return False
        rows = RowCounts(4, *self.chance.choice(((4, 0), (3, 1), (0, 4))))
        self._save(replace(before, results=f"{step.key}", rows=rows))
        return True

    def _delete(self, step: Delete, answer: str) -> bool:
        before = self._attempt(step.key)
        assert before is not None
        if answer in {"made", "lost after"}:
            self.remote.pop(step.remote, None)
        if answer != "made":
            return False
        self._save(replace(before, delete_time=self.now))
        return True

    def _create(self, step: Create, answer: str) -> bool:
        wanted = self.desired[step.key.job]
        self._number += 1
        given = step.token or f"t{self._number:09d}"
        attempt = RecordedAttempt(
            step.key, wanted.account, wanted.digest, given, tree=wanted.tree, intent=Intent(self.now - OFFSET)
        )
        self._save(attempt)
        made = Mark(STACK.name, STACK.uid, step.key, wanted.digest[:15], given)
        name = f"batches/{step.key.job}-{self._number}"
        remote = RemoteJob(name, wanted.account, f"{made}", made, JobState.PENDING, create_time=self.now)
        if answer in {"made", "lost after"}:
            self.remote[name] = remote
        if answer == "made":
            self._save(
                replace(attempt, intent=None, remote=name, state=JobState.PENDING, create_time=remote.create_time)
            )
        elif answer == "late":
            self.landing.append(remote)
            self.ever_late = True
        elif answer == "refused":
            self._save(replace(attempt, intent=None, rejected=True))
        elif answer == "not sent":
            self._save(replace(attempt, intent=None))
        return answer == "made"

    def _save(self, attempt: RecordedAttempt) -> None:
        record = self.recorded[attempt.key.job]
        others = tuple(other for other in record.attempts if other.key != attempt.key)
        self.recorded[record.name] = replace(record, attempts=(*others, attempt))

    # --- rest

    def land(self) -> None:
        self.remote.update({remote.name: remote for remote in self.landing})
        self.landing = []

    def settle_down(self, passes: int = 12) -> None:
        """Passes with nobody disturbing, while no job comes to an end but those that are being cancelled."""
        self.land()
        for _ in range(passes):
            self.run(QUIET, reliable=True)
            self.now += 4 * MINUTE
            for remote in self.ours():
                if remote.state == JobState.CANCELLING:
                    self.advance_job(remote, JobState.CANCELLED)

    def calm_down(self, passes: int = 60) -> Plan:
        """Passes with nobody disturbing, until nothing is left to wait for; gives the last plan."""
        for _ in range(passes):
            made = self.run(QUIET, reliable=True)
            moving = any(remote.state in NEXT_STATES for remote in self._managed())
            due = any(decided.next_time is not None for decided in made.jobs)
            if not (moving or due or _changes(made)):
                return made
            self.now += HOUR
            for remote in self.ours():
                if remote.state in NEXT_STATES:
                    self.advance_job(remote, self._onwards(remote))
        raise AssertionError(f"no rest: {[(d.job, d.action, d.reason) for d in _changes(made)]}")

    def _onwards(self, remote: RemoteJob) -> str:
        if remote.state in {JobState.QUEUED, JobState.PENDING, *STRANGE}:
            return JobState.RUNNING
        return JobState.CANCELLED if remote.state == JobState.CANCELLING else JobState.SUCCEEDED

    def _managed(self) -> list[RemoteJob]:
        """Our remote jobs, but for those that were let go of."""
        released = {
            name for name, record in self.recorded.items() if record.row.released_time and name not in self.desired
        }
        return [remote for remote in self.ours() if remote.mark and remote.mark.key.job not in released]

    def living(self) -> Counter[AttemptKey]:
        """How many remote jobs work for each attempt, as far as their states are known."""
        return Counter(remote.mark.key for remote in self._managed() if remote.mark and remote.state in ACTIVE_STATES)


def _check_identity(current: RecordedAttempt | None, seen: dict[str, RemoteJob], words: str) -> None:
    """No record claims that a remote job does other work than its mark says."""
    if current is not None and current.remote in seen:
        mark = seen[current.remote].mark
        assert mark is not None, words
        assert (mark.key, mark.token) == (current.key, current.token), words
        assert same_digest(mark.digest, current.digest), words


def _changes(made: Plan) -> list:
    return [decided for decided in made.jobs if not decided.action.is_quiet and decided.guard is None]


def creates(made: Plan) -> list[Create]:
    return [step for decided in made.jobs for step in decided.steps if isinstance(step, Create)]
