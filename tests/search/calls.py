"""What each call of a process does in a small world, how it may go, and what the process writes down of it."""

from __future__ import annotations

from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import Effect
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import shown_digest
from batchctl.model.states import ACTIVE_STATES
from batchctl.model.steps import Cancel, Collect, Delete, Reuse
from batchctl.reconcile import Failure, after_failure, overcome, refresh
from tests.search.record import Journal
from tests.search.row_calls import RowCalls
from tests.search.scenes import STACK
from tests.search.service import add, rows_of, take_cancel, take_create, take_delete
from tests.search.state import Op, Working
from tests.search.values import NOW, frozen_attempt
from tests.support.values import replace

REFUSED = Failure(Operation.CREATE, "InvalidArgument", "refused", effect=Effect.REFUSED, http=400)
FOR_NOW = Failure(Operation.CREATE, ErrorCode.PERMISSION_DENIED, "not yet", effect=Effect.REFUSED, http=403)
UNSENT = Failure(Operation.CREATE, "ConnectionFailed", "nothing was sent", effect=Effect.NONE)
REPLY_LOST = Failure(Operation.CREATE, "ReplyLost", "the reply was lost")


class StepsEnd(Exception):
    """A step failed: the job's further steps are not begun."""


class Calls:
    """The calls of one process."""

    def __init__(self, working: Working, journal: Journal) -> None:
        self._working = working
        self._choices = working.choices
        self._journal = journal
        self.rows = RowCalls(working, journal)

    def create(self, op: Op) -> tuple[Op, ...]:
        working = self._working
        assert op.attempt is not None
        ways = [
            "is refused for good",
            "is refused for now",
            "is not sent",
            "is lost",
            "gets through, its reply is lost",
        ]
        if not working.landing and working.scene.allows("late"):
            ways.append("is carried out later, its reply is lost")
        answer = self._choices.fault(f"the create call for {op.attempt.key.job}", "gets through", *ways)
        made = None
        if answer.startswith("gets through"):
            remote = take_create(working, op.attempt)
            add(working, remote)
            made = remote.job
        elif answer.startswith("is carried out later"):
            working.landing = (take_create(working, op.attempt),)
        return (Op("created", op.step, op.attempt, answer=answer, made=made),)

    def note_answer(self, op: Op) -> tuple[Op, ...]:
        """Write down how a create call went; anything but an answer ends the job's steps."""
        attempt, journal = op.attempt, self._journal
        assert attempt is not None
        if op.answer == "gets through":
            assert op.made is not None
            journal.note(refresh(replace(attempt, remote=op.made.name, trouble=None), op.made, NOW))
            journal.commit()
            return ()
        failure = {"is refused for good": REFUSED, "is refused for now": FOR_NOW, "is not sent": UNSENT}
        journal.note(after_failure(attempt, failure.get(op.answer, REPLY_LOST), NOW))
        raise StepsEnd

    def cancel(self, op: Op) -> tuple[Op, ...]:
        working, journal, step = self._working, self._journal, op.step
        assert isinstance(step, Cancel)
        assert op.attempt is not None
        assert op.before is not None
        there = working.remotes.get(step.remote)
        if there is None or there.job.state not in ACTIVE_STATES:
            # Gone, or ended meanwhile; the next look shows it.
            return ()
        ways = ("has no effect", "is not sent", "gets through, its reply is lost")
        answer = self._choices.fault(f"the cancel call for {step.key.job}", "gets through", *ways)
        if answer.startswith("gets through"):
            take_cancel(working, step.remote)
        is_recorded = step.cause is not CancelCause.DUPLICATE
        if answer in {"gets through", "has no effect"}:
            if is_recorded:
                journal.note(overcome(op.attempt, Operation.CANCEL))
            journal.commit()
            return ()
        if is_recorded:
            kept = op.before if answer == "is not sent" else op.attempt
            failure = UNSENT if answer == "is not sent" else REPLY_LOST
            journal.note(after_failure(kept, replace(failure, operation=Operation.CANCEL), NOW))
        raise StepsEnd

    def delete(self, op: Op) -> tuple[Op, ...]:
        working, step = self._working, op.step
        assert isinstance(step, Delete)
        assert op.before is not None
        answer = "gets through"
        if step.remote in working.remotes:
            ways = ("is not sent", "gets through, its reply is lost")
            answer = self._choices.fault(f"the delete call for {step.key.job}", answer, *ways)
        if answer != "is not sent":
            take_delete(working, step.remote)
        if answer == "gets through":
            return (op._replace(what="deleted"),)
        failure = replace(UNSENT if answer == "is not sent" else REPLY_LOST, operation=Operation.DELETE)
        self._journal.note(after_failure(op.before, failure, NOW))
        raise StepsEnd

    def collect(self, op: Op) -> tuple[Op, ...]:
        working, step, attempt = self._working, op.step, op.attempt
        assert isinstance(step, Collect)
        assert attempt is not None
        failure, there = None, working.remotes.get(step.remote.name)
        if there is not None and there.is_unreadable:
            failure = Failure(Operation.COLLECT, ErrorCode.PERMISSION_DENIED, "no", effect=Effect.REFUSED, http=403)
        elif there is None:
            failure = Failure(Operation.COLLECT, ErrorCode.NOT_FOUND, "no such job", effect=Effect.REFUSED, http=404)
        elif self._choices.fault(f"reading the results of {step.key.job}", "goes well", "fails") == "fails":
            failure = Failure(Operation.COLLECT, "ReplyLost", "cut off")
        if failure is not None:
            before = attempt
            after = self._journal.note(after_failure(attempt, failure, NOW))
            if after.results_lost and before.results is None:
                return ()
            raise StepsEnd
        if working.scene.rows is not None:
            done = self.rows.collect(step, overcome(attempt, Operation.COLLECT))
            return (Op("collected", step, frozen_attempt(done)),)
        path = f"{step.key.job}/{shown_digest(attempt.digest)}-{step.key.attempt}"
        rows = rows_of(step.remote.state)
        self._keep(attempt, path, step, rows_state=step.remote.state)
        done = overcome(attempt, Operation.COLLECT)
        return (Op("collected", step, frozen_attempt(replace(done, results=path, rows=rows, results_lost=False))),)

    def _keep(self, attempt: RecordedAttempt, path: str, step: Collect, *, rows_state: str) -> None:
        """Results in their folder, with the manifest that tells what they are of."""
        job = step.remote
        kept = RecordedAttempt(
            step.key,
            attempt.account,
            attempt.digest,
            attempt.token,
            tree=frozen_attempt(replace(attempt, tree={})).tree,
            remote=job.name,
            state=job.state,
            create_time=job.create_time,
            start_time=job.start_time,
            end_time=job.end_time,
            rows=rows_of(rows_state),
            results=path,
            adopted=True,
        )
        self._working.kept[path] = KeptResults(kept, step.key.job, STACK.name, STACK.uid)

    def reuse(self, step: Reuse) -> None:
        """A copy of results of the same work, under the job's own name."""
        working, attempt = self._working, step.attempt
        path = f"{step.key.job}/{shown_digest(attempt.digest)}-{step.key.attempt}"
        source = working.kept[step.source]
        copied = replace(source.attempt, key=step.key, token=attempt.token, remote=None, results=path)
        working.kept[path] = replace(source, attempt=copied, written_for=step.key.job)
        self._journal.note(replace(attempt, results=path))
        self._journal.commit()
