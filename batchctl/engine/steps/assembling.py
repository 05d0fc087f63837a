"""Results of an attempt that sends no row: every row has an answer of an earlier attempt."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from batchctl.engine.journal import Journal
from batchctl.engine.steps.marks import marks_of
from batchctl.engine.steps.waiting import DURABLE, Steps
from batchctl.engine.tools import Tools
from batchctl.model.attempts import MergedResults, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.events import EventKind
from batchctl.model.plan import JobPlan
from batchctl.model.row_settings import judge_rows
from batchctl.model.row_work import RowChoice
from batchctl.model.stack import Stack
from batchctl.model.states import JobState
from batchctl.model.steps import Merge
from batchctl.report.words import collected_words


class Assembler:
    """Writes such results. Its generators are `Steps`."""

    def __init__(self, stack: Stack, journal: Journal, tools: Tools) -> None:
        self._stack = stack
        self._journal = journal
        self._tools = tools

    def assemble(self, job: DesiredJob, attempt: RecordedAttempt, choice: RowChoice, plan: JobPlan) -> Steps[None]:
        """Raises ResultsError."""
        ledger = self._tools.ledger
        assert ledger is not None, "only a ledger has earlier answers"
        marks = marks_of(self._stack, attempt.token)
        path, collected = yield partial(ledger.assemble, job, attempt.key, marks, choice)
        rows = judge_rows(collected.counts(), job.row_settings, job.lifecycle.max_failed_rows)
        done = replace(attempt, state=JobState.SUCCEEDED, results=path, rows=rows, input_bytes=None, sent=None)
        self._journal.note_attempt(done)
        words = f"all {rows.total} rows have an answer already: {plan.reason}"
        self._journal.note_event(job.name, attempt.key.attempt, EventKind.REUSED, words, plan.code)
        yield DURABLE
        self._tools.progress.step(
            job.name, f"all {rows.total} rows have an answer already; {path}", attempt.key.attempt
        )

    def merge(self, job: DesiredJob, step: Merge) -> Steps[None]:
        """Write the results of all shards of an attempt. Raises ResultsError."""
        ledger = self._tools.ledger
        assert ledger is not None, "only a ledger has the rows of shards"
        before = self._journal.attempts[step.key]
        marks = marks_of(self._stack, before.token)
        path, collected = yield partial(ledger.assemble, job, step.key, marks, step.rows, step.state)
        rows = judge_rows(collected.counts(), job.row_settings, job.lifecycle.max_failed_rows)
        self._journal.note_attempt(replace(self._journal.attempts[step.key], merged=MergedResults(path, rows)))
        words = f"results of all shards merged: {collected_words(rows)}; {path}"
        self._journal.note_event(job.name, step.key.attempt, EventKind.MERGED, words)
        yield DURABLE
        self._tools.progress.step(job.name, words, step.key.attempt)
