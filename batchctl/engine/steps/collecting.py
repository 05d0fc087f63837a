"""Collect the results of an ended attempt: read them, join them to the input, keep them durably, write it down."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from batchctl.engine.journal import Journal
from batchctl.engine.steps.admitting import NotAdmittedError
from batchctl.engine.steps.failures import failure_of
from batchctl.engine.steps.known_input import InputChanged, InputUnreadable, find_known_input
from batchctl.engine.steps.marks import marks_of
from batchctl.engine.steps.waiting import DURABLE, Steps
from batchctl.engine.tools import Tools
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ApiError, BatchctlError, ResultsError
from batchctl.model.events import EventKind
from batchctl.model.kinds import Kind
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.observing import TokenUse
from batchctl.model.pieces import closed_after
from batchctl.model.ports.inputs import KnownInput, UnorderedRows
from batchctl.model.ports.providers import Provider
from batchctl.model.ports.results import Collected, CollectOptions
from batchctl.model.row_settings import judge_rows
from batchctl.model.row_work import RowsSent
from batchctl.model.states import GOOD_STATES
from batchctl.model.steps import Collect
from batchctl.reconcile import after_failure, choice_of_rows, has_succeeded, overcome, waits_for_all
from batchctl.report.words import anonymous_words, collected_words, shard_words

_STOPPED_EARLY = frozenset({CancelCause.USER, CancelCause.REMOVE, CancelCause.REPLACE})
"""Cancels after which rows without a result do not count as tried: the API was not given the time."""


class _Fetched(Struct, frozen=True):
    """A collection, and why the rows' positions are not known where they should be."""

    collected: Collected
    problem: ApiError | None = None
    is_overwritten: bool = False
    """Whether a source at Cloud Storage may have other rows by now than those that were sent."""


class Collector:
    """Collects results. Its generators are `Steps`."""

    def __init__(self, desired: DesiredStack, journal: Journal, tools: Tools) -> None:
        self._stack = desired.stack
        self._desired = desired.by_name
        self._journal = journal
        self._tools = tools

    def collect(self, step: Collect) -> Steps[None]:
        """Raises ApiError and ResultsError; results that no longer exist are recorded as lost."""
        attempt = self._journal.attempts[step.key]
        provider = self._tools.providers.get(attempt.account)
        yield DURABLE
        try:
            fetched: _Fetched = yield partial(self._fetch_openly, provider, step, attempt)
        except (ApiError, ResultsError) as error:
            self._raise_failed(step, error, provider.now())
            return
        collected = fetched.collected
        done = self._done(step, collected)
        rows, is_whole = done.rows, self._journal.count_shards(step.key) == 1
        self._journal.note_attempt(done)
        words = collected_words(rows, collected.sent) if is_whole else shard_words(rows)
        if fetched.problem is not None and collected.ok + collected.failed:
            words += f"; positions are not known, because the input cannot be read: {fetched.problem.message}"
        if collected.unmatched:
            words += f", {collected.unmatched} that match no input row"
        if collected.anonymous:
            words += f", {collected.anonymous} that nothing distinguishes"
        if fetched.is_overwritten:
            words += "; its source was overwritten after the job was created, so its rows cannot be sent in parts"
        self._journal.note_attempt_event(step.key, EventKind.COLLECTED, f"{words}; {collected.path}")
        yield DURABLE
        if attempt.results is None:
            self._tools.activity.used(self._token_use(step, done))
        shard = "" if is_whole else f" ({self._journal.attempt_words(step.key)})"
        self._tools.progress.step(
            step.key.job, f"results collected{shard}: {words}; {collected.path}", step.key.attempt
        )
        if collected.anonymous:
            self._tools.progress.warn(f"{step.key.job}: {anonymous_words(collected.anonymous)}")

    def _done(self, step: Collect, collected: Collected) -> RecordedAttempt:
        """The attempt after its collection."""
        before = overcome(self._journal.attempts[step.key], Operation.COLLECT)
        return replace(
            before,
            results=collected.path,
            rows=self._judged(step, collected.counts(step.remote.rows)),
            tokens=collected.tokens,
            counted=collected.counted,
            results_lost=False,
            sent=_own_rows(before, collected),
        )

    def _token_use(self, step: Collect, done: RecordedAttempt) -> TokenUse:
        """The tokens of an attempt, for observers: results that are collected once more are not counted again."""
        row = self._journal.rows[step.key.job]
        model = done.tree.get("model") or row.model
        tokens = None if done.counted is None else done.counted.usage.all
        return TokenUse(done.account.api, model, row.kind is Kind.EMBEDDINGS_BATCH_JOB, tokens, done.tokens)

    def _raise_failed(self, step: Collect, error: BatchctlError, now: datetime) -> None:
        """Write down what went wrong, and raise, unless the results are given up: then the job goes on without them."""
        before = self._journal.attempts[step.key]
        after = after_failure(before, failure_of(Operation.COLLECT, error), now)
        self._journal.note_attempt(after)
        key, trouble = step.key, after.trouble
        if after.results_lost:
            if not before.results_lost:
                self._journal.note_attempt_event(key, EventKind.GIVEN_UP, error.message, error.code)
                self._tools.progress.step(key.job, f"its results are given up: {error.message}", key.attempt)
            if before.results is None:
                return
            # They were here once: nothing may follow that takes the last trace of them.
            raise error
        if trouble is not None and trouble.until is not None:
            self._journal.note_attempt_event(key, EventKind.NOT_READY, error.message, error.code)
            raise NotAdmittedError(error.message, code=error.code, hint=error.hint) from error
        raise error

    def _fetch_openly(self, provider: Provider, step: Collect, attempt: RecordedAttempt) -> _Fetched:
        with self._tools.activity.running(f"{step.key.job}: collecting results"):
            return self._fetch(provider, step, attempt)

    def _fetch(self, provider: Provider, step: Collect, attempt: RecordedAttempt) -> _Fetched:
        """Read the results and write them to the results folder; on a worker."""
        marks = marks_of(self._stack, attempt.token)

        row = self._journal.rows.get(step.key.job)
        job = self._desired.get(step.key.job)
        choice = choice_of_rows(None if job is None else job.row_settings, row)
        counts_missing = attempt.cancel_cause not in _STOPPED_EARLY
        shards = self._journal.count_shards(step.key)
        is_alone = shards == 1 and self._is_current(step)

        def is_current(collected: Collected) -> bool:
            # At once: a job that is being removed has no later pass.
            return is_alone and has_succeeded(self._done(step, collected))

        at_least = _answered(step.remote) if waits_for_all(attempt, provider.now()) else 0
        reported = step.remote.rows.total
        options = CollectOptions(choice, counts_missing, shards, attempt.sent, reported, at_least, is_current)

        def collect(known: KnownInput | None) -> Collected:
            with closed_after(provider.read_results(step.remote.name)) as items:
                return self._tools.results.collect(step.key, attempt.digest, step.remote, items, known, marks, options)

        try:
            known = find_known_input(provider, attempt, step.remote.create_time, job, self._tools.inputs)
            return _Fetched(collect(known.rows), is_overwritten=known.is_overwritten)
        except InputUnreadable as lost:
            # Paid results are kept, even where the order of their rows is lost.
            return _Fetched(collect(UnorderedRows()), lost.problem)
        except InputChanged:
            return _Fetched(collect(None))

    def _judged(self, step: Collect, rows: RowCounts) -> RowCounts:
        """The counts as the manifest judges them; without a manifest, answers alone are judged."""
        job = self._desired.get(step.key.job)
        return rows if job is None else judge_rows(rows, job.row_settings, job.lifecycle.max_failed_rows)

    def _is_current(self, step: Collect) -> bool:
        row = self._journal.rows.get(step.key.job)
        return row is not None and row.current == step.key.attempt


def _answered(remote: RemoteJob) -> int:
    """The rows that surely have a result: a job that did not succeed may have counted rows that it never wrote."""
    return remote.rows.ok or 0 if remote.state in GOOD_STATES else 0


def _own_rows(attempt: RecordedAttempt, collected: Collected) -> RowsSent | None:
    """The rows that an attempt sent, with their verdicts."""
    if collected.sent is None or attempt.sent is None:
        return collected.sent or attempt.sent
    # The record knows what was sent even if the list is lost.
    return replace(attempt.sent, verdicts=collected.sent.verdicts, tokens=collected.sent.tokens)
