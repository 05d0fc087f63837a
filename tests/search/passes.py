"""What a process does in one pass, and what a sleeping one does when it wakes up."""

from __future__ import annotations

from itertools import takewhile

from batchctl.model.recorded import Recorded
from batchctl.model.steps import RecordAttempt, RecordJob
from batchctl.reconcile import Options, find_moves
from tests.search.decisions import JobDecision, Planner
from tests.search.looks import look_around
from tests.search.process import Process
from tests.search.record import Journal, LockLost, jobs_of
from tests.search.state import Op, Working
from tests.support.values import replace

APPLY = Options(allow_empty=True, adopt_changed=True)
"""`apply --yes --allow-empty --adopt-changed`."""


def run_pass(
    working: Working, planner: Planner, look: str = "whole", options: Options = APPLY, *, is_ordered: bool = False
) -> tuple[JobDecision, ...]:
    """One pass: take the lock, rename, look, plan, act. Gives what was decided; nothing where it died before."""
    sleeper = working.sleeper
    epoch = 0 if sleeper is None else sleeper.epoch + 1
    working.store = working.store._replace(epoch=epoch)
    journal = Journal(working, epoch)
    if not _carry_out_moves(working, journal):
        return ()
    is_ordered = is_ordered or any(row.retry_requested is not None for row in working.store.rows)
    looks = look_around(working, look)
    decided = planner.decide(working, working.store, looks, options)
    rest = []
    for job in decided:
        head = tuple(takewhile(_is_record, job.ops))
        for op in head:
            _note(journal, op)
        if job.ops[len(head) :]:
            rest.append(job.ops[len(head) :])
    journal.commit()
    Process(working, journal, epoch=epoch, is_ordered=is_ordered).run(tuple(rest))
    return decided


def wake(working: Working) -> None:
    """The sleeping process goes on. Where another took the lock meanwhile, it finds that out, sooner or later."""
    sleeper = working.sleeper
    assert sleeper is not None
    working.sleeper = None
    journal = Journal(working, sleeper.epoch)
    later = (sleeper.later,) if sleeper.later else ()
    try:
        Process(working, journal, epoch=sleeper.epoch, slept_before=sleeper.ops[0]).run((sleeper.ops, *later))
    except LockLost:
        return


def _carry_out_moves(working: Working, journal: Journal) -> bool:
    """Give the record the names of `spec.moved`; gives whether the process lives on."""
    moves = find_moves(working.desired().stack.moved, Recorded(jobs_of(working.store)))
    for move in moves.due:
        if not move.is_new:
            continue
        for path in [path for path in working.kept if path.startswith(f"{move.before}/")]:
            one = working.kept.pop(path)
            there = f"{move.after}/{path.removeprefix(f'{move.before}/')}"
            key = replace(one.attempt.key, job=move.after)
            working.kept[there] = replace(one, attempt=replace(one.attempt, key=key, results=there))
        if working.choices.fault("after the results folder is renamed the process", "goes on", "dies") == "dies":
            return False
    if moves.due:
        journal.rename(moves.recorded.jobs)
        journal.commit()
    return True


def _is_record(op: Op) -> bool:
    return isinstance(op.step, RecordJob | RecordAttempt)


def _note(journal: Journal, op: Op) -> None:
    if isinstance(op.step, RecordJob):
        journal.note_row(op.step.job)
    elif isinstance(op.step, RecordAttempt):
        journal.note(op.step.attempt)
