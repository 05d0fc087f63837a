"""Known work is not bought again: whole results of the same digest are used in place of a create call.

To buy it again is `spec.runId`, `batchctl retry` after a failure, or `--rerun NAME`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.states import JobState
from batchctl.model.steps import Create, Note, Reuse, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.retry_policy import failure_name
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.found_results import is_usable
from batchctl.reconcile.view.judged_rows import judge_attempt
from batchctl.reconcile.view.marks import NO_TOKEN
from batchctl.reconcile.view.subject import Subject


def reuse_known_work(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision with results that are here in place of a create call, unless a person ordered to buy them again."""
    recorded = subject.recorded
    is_ordered = recorded is not None and recorded.row.retry_requested is not None
    # Rows that have no good answer yet are not in any results of the same work.
    is_for_rows = decision.code in {Reason.ROWS_RETRIED, Reason.SHARDS_LEFT, Reason.ROWS_NOT_SENT}
    if is_ordered or subject.name in context.options.rerun or is_for_rows:
        return decision
    # A call that may have got through is settled by itself; one that surely made nothing is a purchase like any.
    unanswered = {view.key for view in subject.views if view.attempt.intent is not None or _is_put_off(subject, view)}
    creates = [step for step in decision.steps if isinstance(step, Create) and step.key not in unanswered]
    # A replacement that first cancels the old job says already that a create call will follow.
    is_coming = decision.action is Action.REPLACE and decision.unfinished and decision.code is Reason.WORK_CHANGED
    source = find_source(subject, context) if creates or is_coming else None
    if source is None:
        return decision
    steps: tuple[Step, ...] = tuple(
        _reuse(step, subject.manifest, source) if step in creates else step for step in decision.steps
    )
    news = f"the results of {_name(source)} are of the same work: they are used again, and nothing is bought"
    words = f"{decision.reason}; {news}"
    used = replace(decision, steps=steps, code=Reason.REUSED, reason=words)
    if not decision.action.buys or decision.action.stops:
        return used
    return replace(used, action=Action.REUSE, counted=None, needs_consent=False)


def _is_put_off(subject: Subject, view: AttemptView) -> bool:
    """Whether a quota, say, put off work that is to be done again although results of it are here."""
    attempt, recorded = view.attempt, subject.recorded
    is_rerun = attempt.key.attempt > 1 and recorded is not None and recorded.row.rows_since == attempt.key.attempt
    is_again = is_rerun or (attempt.sent is not None and attempt.sent.again)
    return is_again and attempt.is_unsent and same_digest(attempt.digest, subject.manifest.digest)


def restore_copy(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision, with the incomplete results of a reused attempt copied again from complete ones."""
    view = subject.current
    if view is None or view.missing is None or not view.attempt.is_reused or not decision.action.is_harmless:
        return decision
    source = find_source(subject, context)
    if source is None:
        return decision
    words = f"its results are incomplete in the results folder ({view.missing}); those of {_name(source)} are used"
    step = _reuse(Create(view.key), subject.manifest, source)
    return replace(decision, action=Action.REUSE, code=Reason.REUSED, reason=words, steps=(*decision.steps, step))


def find_source(subject: Subject, context: Context) -> KeptResults | None:
    """The best results of the desired work that are here: complete before partial, the newest first, then by path."""
    manifest, retry_on = subject.manifest, subject.lifecycle.retry_on
    judged = ((one, judge_attempt(one.attempt, manifest)) for one in context.collected.of_work(subject.manifest.digest))
    found = [one for one, attempt in judged if is_usable(attempt) and failure_name(attempt) not in retry_on]

    def rank(one: KeptResults) -> tuple[bool, bool, float]:
        attempt = one.attempt
        ended = attempt.end_time or datetime.min.replace(tzinfo=UTC)
        partial = attempt.state != JobState.SUCCEEDED
        return partial, attempt.key.job != subject.name, -ended.timestamp()

    # Of equals `min` takes the first, and `of_work` gives them by path.
    return min(found, key=rank, default=None)


def label_reuse(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """The decision as a reuse, where results that the record did not know are the news in it."""
    plain = decision.action.is_harmless
    for note, code, words in (
        (Note.REUSED, Reason.REUSED, "results of the same work are here: nothing is bought"),
        (Note.FOUND, Reason.RESULTS_FOUND, "its results are here, and the state did not know of them"),
    ):
        views = [view for view in subject.views if view.note is note]
        if views and plain:
            reason = f"{words} ({', '.join(view.attempt.results or '' for view in views)})"
            if not all(view.is_unseen for view in views):
                # Of a remote job that is not seen there is nothing to say: its results are here.
                reason += f"; {decision.reason}"
            return replace(decision, action=Action.REUSE, code=code, reason=reason)
    return decision


def _reuse(step: Create, desired: DesiredJob, source: KeptResults) -> Reuse:
    done = source.attempt
    attempt = RecordedAttempt(
        step.key,
        desired.account,
        desired.digest,
        NO_TOKEN,
        tree=dict(desired.tree),
        state=done.state,
        create_time=done.create_time,
        start_time=done.start_time,
        end_time=done.end_time,
        rows=done.rows,
    )
    assert done.results is not None
    return Reuse(attempt, done.results)


def _name(source: KeptResults) -> str:
    attempt = source.attempt
    return f"{attempt.key.job}, attempt {attempt.key.attempt} ({attempt.results})"
