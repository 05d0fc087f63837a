"""A model of the engine: a pass as small steps, between any two of which the process may die or fall asleep.

It executes what the real `plan` decides, with the record's values made by the real `refresh`, `after_failure`,
`overcome`, `find_moves` and `ghosts_of`. What it models by itself is the order of writes and calls of
`batchctl.engine` (`steps/`, `loop/passes.py`), and no more:

- renames first, the results folder before the record; then the looks, then the plan;
- the records at the head of all jobs' steps go into one commit; a further record becomes durable with the next commit;
- a create: the intent is durable, the lock is checked, the call is made once, its answer is durable;
- a cancel is on record before it is sent (but for a duplicate's), a delete after it was answered;
- a collection is whole in the results folder before it is on record;
- the first failure of a job ends its own steps; each commit holds only while no other process took the lock.

`tests/engine/test_search_model.py` plays the same stories through the real engine, state file, providers and
emulator, and compares the records.
"""

from __future__ import annotations

from batchctl.model.attempts import CancelCause, Intent, Operation, RecordedAttempt
from batchctl.model.steps import (
    Assemble,
    Cancel,
    Collect,
    Create,
    Delete,
    Forget,
    Merge,
    RecordAttempt,
    RecordJob,
    Reuse,
    Step,
)
from batchctl.reconcile import overcome
from tests.search.calls import Calls, StepsEnd
from tests.search.promises import check_call
from tests.search.record import Journal, LockLost
from tests.search.state import Op, Sleeper, Working
from tests.search.values import LOCAL, NOW, token_text
from tests.support.values import replace


class Stopped(Exception):
    """The process died, or sleeps."""


_SPOKEN = {
    "create": "the create call",
    "created": "the answer to the create call is written down",
    "cancel": "the cancel call",
    "delete": "the delete call",
    "deleted": "the answer to the delete call is written down",
    "collect": "the results are read",
    "collected": "the collection is written down",
    "merged": "the merged results are written down",
    "check": "the lock is checked",
}
_MAY_DIE = frozenset(_SPOKEN) - {"check"}
_MAY_SLEEP = frozenset({"check", "create", "created", "cancel", "delete", "collect"})


class Process:
    """One process that carries steps out."""

    def __init__(
        self,
        working: Working,
        journal: Journal,
        *,
        epoch: int,
        is_ordered: bool = False,
        slept_before: Op | None = None,
    ) -> None:
        self._working = working
        self._choices = working.choices
        self._journal = journal
        self._calls = Calls(working, journal)
        self._epoch = epoch
        self._is_ordered = is_ordered
        self._known = frozenset(working.kept)
        """The results that were here when the pass was planned."""
        self._slept_before = slept_before
        """The step before which it slept, if it did."""

    def run(self, jobs: tuple[tuple[Op, ...], ...]) -> None:
        """Carry out each job's steps. When it dies in the middle of one, another may be in flight as well."""
        is_dying = False
        for place, ops in enumerate(jobs):
            if is_dying and self._choices.pick("the other job", "not begun", "in flight as well") == "not begun":
                continue
            try:
                self._run_job(ops, later=sum(jobs[place + 1 :], ()), may_sleep=not is_dying)
            except LockLost:
                return
            except Stopped:
                if self._working.sleeper is not None:
                    return
                is_dying = True

    def _run_job(self, ops: tuple[Op, ...], later: tuple[Op, ...], *, may_sleep: bool) -> None:
        try:
            while ops:
                self._may_stop(ops, later, may_sleep=may_sleep)
                ops = (*self._perform(ops[0]), *ops[1:])
            self._journal.commit()
        except StepsEnd:
            self._journal.commit()

    def _may_stop(self, ops: tuple[Op, ...], later: tuple[Op, ...], *, may_sleep: bool) -> None:
        """Die or fall asleep here, where that makes a difference."""
        op = ops[0]
        ways = ["dies"] if op.what in _MAY_DIE else []
        sleeps = may_sleep and self._working.sleeper is None and self._working.scene.allows("sleep")
        if sleeps and op.what in _MAY_SLEEP:
            ways.append("falls asleep")
        if not ways:
            return
        subject = f"before {_SPOKEN[op.what]} for {_job_of(op)} the process"
        chosen = self._choices.fault(subject, "goes on", *ways)
        if chosen == "falls asleep":
            self._working.sleeper = Sleeper(self._epoch, ops, later)
        if chosen != "goes on":
            raise Stopped

    def _perform(self, op: Op) -> tuple[Op, ...]:
        """One small step; gives the steps that it leads to, before the others."""
        if op.what in {"create", "cancel", "delete", "collect"}:
            check_call(self._working, op, self._known, is_late=self._is_late(op), is_ordered=self._is_ordered)
        following = {
            "step": self._begin,
            "check": self._check,
            "create": self._calls.create,
            "created": self._calls.note_answer,
            "cancel": self._calls.cancel,
            "delete": self._calls.delete,
            "deleted": self._note_attempt,
            "collect": self._calls.collect,
            "collected": self._note_attempt,
            "merged": self._note_attempt,
        }
        return following[op.what](op)

    def _is_late(self, op: Op) -> bool:
        """Whether a call rests on an old look, as it may: no other process had the lock, or it slept at this very call."""
        return self._slept_before is not None and (op == self._slept_before or not self._journal.is_stale)

    def _begin(self, op: Op) -> tuple[Op, ...]:
        """What a step of the plan comes to: writes at once, and calls."""
        step, journal = op.step, self._journal
        if isinstance(step, Cancel | Delete | Collect) and step.key not in journal.attempts:
            # Only another process can have forgotten it since it was planned.
            journal.check()
        match step:
            case Create():
                assert op.attempt is not None
                return self._intend(step, op.attempt)
            case Cancel():
                before = journal.attempts[step.key]
                attempt = before
                if step.cause is not CancelCause.DUPLICATE:
                    attempt = journal.note(replace(before, cancel_time=NOW, cancel_cause=step.cause))
                journal.commit()
                return (Op("check", step), Op("cancel", step, attempt, before))
            case Delete():
                journal.commit()
                deleted = replace(overcome(journal.attempts[step.key], Operation.DELETE), delete_time=NOW)
                return (Op("check", step), Op("delete", step, deleted, journal.attempts[step.key]))
            case Collect():
                journal.commit()
                return (Op("collect", step, journal.attempts[step.key]),)
            case Merge():
                return (Op("merged", step, self._calls.rows.merge(step)),)
            case Assemble(attempt, rows):
                return (Op("merged", step, self._calls.rows.assemble(attempt, rows)),)
            case _:
                self._write(step)
                return ()

    def _write(self, step: Step) -> None:
        """The steps without a call. What they write is durable with the next commit."""
        match step:
            case RecordJob(row):
                self._journal.note_row(row)
            case RecordAttempt(attempt, _):
                self._journal.note(attempt)
            case Forget(name):
                self._journal.forget(name)
            case Reuse():
                self._calls.reuse(step)

    def _check(self, op: Op) -> tuple[Op, ...]:
        self._journal.check()
        return ()

    def _note_attempt(self, op: Op) -> tuple[Op, ...]:
        """The call got through, and the record says so."""
        assert op.attempt is not None
        self._journal.note(op.attempt)
        self._journal.commit()
        return ()

    def _intend(self, step: Create, new: RecordedAttempt) -> tuple[Op, ...]:
        journal = self._journal
        token = new.token or token_text(self._working.next_number())
        before = journal.attempts.get(step.key)
        trouble = before.trouble if before is not None and before.token == token else None
        attempt = replace(new, token=token, trouble=trouble)
        if self._working.scene.rows is not None:
            shards = self._calls.rows.choose(step, attempt)
            if not shards:
                return (Op("merged", step, self._calls.rows.assemble(attempt, step.rows)),)
            attempt = shards[0]
            for other in shards[1:]:
                journal.note(replace(other, trouble=None, input_file=None))
        attempt = journal.note(replace(attempt, intent=Intent(LOCAL)))
        journal.commit()
        return (Op("check", step), Op("create", step, attempt, before))


def _job_of(op: Op) -> str:
    step = op.step
    match step:
        case RecordJob(row):
            return row.name
        case Forget(name):
            return name
        case RecordAttempt(attempt, _):
            return attempt.key.job
        case _:
            return step.key.job
