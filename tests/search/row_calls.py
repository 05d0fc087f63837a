"""What a process writes of rows in a small world: lists before create calls, ledgers, merged results."""

from __future__ import annotations

from batchctl.model.attempts import CancelCause, MergedResults, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import AttemptKey, same_digest, shown_digest
from batchctl.model.observed import RowCounts
from batchctl.model.row_settings import judge_rows
from batchctl.model.row_work import RowChoice, RowsSent
from batchctl.model.states import JobState
from batchctl.model.steps import Collect, Create, Merge
from batchctl.reconcile import choice_of_rows
from tests.search.ledger import (
    NOTHING,
    Answer,
    Histories,
    Segment,
    SentList,
    choose,
    counts_of,
    find_list,
    with_list,
)
from tests.search.record import Journal
from tests.search.scenes import STACK, RowRules, input_of
from tests.search.state import Working
from tests.search.values import frozen_attempt, token_text
from tests.support.values import replace

_STOPPED_EARLY = frozenset({CancelCause.USER, CancelCause.REMOVE, CancelCause.REPLACE})
"""Cancels after which rows without a result do not count as tried."""


class RowCalls:
    """The part of one process that deals with rows."""

    def __init__(self, working: Working, journal: Journal) -> None:
        self._working = working
        self._journal = journal

    @property
    def _rules(self) -> RowRules:
        rules = self._working.scene.rows
        assert rules is not None
        return rules

    def known(self, job: str, choice: RowChoice) -> Histories:
        """The results of a job's rows so far."""
        return Histories(self._working.ledger.values(), job, choice.accept, choice.since)

    def choose(self, step: Create, attempt: RecordedAttempt) -> tuple[RecordedAttempt, ...]:
        """The attempt with the rows that it sends, and the other shards; nothing if it has no row to send."""
        working = self._working
        listed = find_list(working.lists, attempt.key, attempt.digest, attempt.token)
        if listed is not None:
            return (replace(attempt, sent=listed.facts),)
        wanted = working.wanted_job(attempt.key.job)
        assert wanted is not None
        rows, known = input_of(working.scene, wanted), self.known(wanted.name, step.rows)
        shards, facts = choose(rows, known, step.rows, self._rules.per_shard)
        made = []
        for number, sent in enumerate(shards):
            token = token_text(working.next_number()) if number else attempt.token
            key, own = replace(attempt.key, shard=number), replace(facts, rows=len(sent))
            new = SentList(key, attempt.digest, token, sent, own, renews=step.rows.order is not None)
            working.lists = with_list(working.lists, new)
            made.append(replace(attempt, key=key, token=token, sent=own))
        return tuple(made)

    def collect(self, step: Collect, attempt: RecordedAttempt) -> RecordedAttempt:
        """Write the results of a remote job, with their ledger; gives the attempt as it is recorded then."""
        working, remote = self._working, self._working.remotes[step.remote.name]
        wanted, shards = working.wanted_job(step.key.job), self._count_shards(step.key)
        is_same = wanted is not None and same_digest(wanted.digest, attempt.digest)
        whole = None if wanted is None or not is_same else input_of(working.scene, wanted)
        listed = find_list(working.lists, step.key, attempt.digest, attempt.token)
        # Without its list, an attempt may have sent any row of the input.
        rows = (whole or remote.rows) if listed is None else listed.rows
        facts = RowsSent(len(rows), len(rows), "") if listed is None else listed.facts
        facts = replace(facts, verdicts=dict(counts_of(_codes(rows, remote.answers)).verdicts))
        path = self._free_path(self._path(step.key, attempt, shards), remote.job.name)
        working.ledger[path] = Segment(
            path,
            step.key,
            remote.job.name,
            tuple(zip(rows, _codes(rows, remote.answers), strict=True)),
            facts.sent_with,
            renews=listed is not None and listed.renews,
            is_missing_tried=attempt.cancel_cause not in _STOPPED_EARLY and listed is not None and bool(remote.answers),
        )
        counts = counts_of(_codes(rows, remote.answers))
        if whole is not None and shards == 1:
            row = self._journal.rows.get(step.key.job)
            choice = choice_of_rows(None if wanted is None else wanted.row_settings, row)
            counts = self.known(step.key.job, choice).counts(whole)
        self.keep(replace(attempt, sent=facts), path, counts, remote.job.name, remote.job.state)
        return replace(attempt, results=path, rows=_judged(counts, wanted), sent=facts, results_lost=False)

    def merge(self, step: Merge) -> RecordedAttempt:
        """Write the results of all shards; gives the first one as it is recorded then."""
        before = self._journal.attempts[step.key]
        path, rows = self._write_merged(before, step.rows, step.state)
        return replace(before, merged=MergedResults(path, rows))

    def assemble(self, attempt: RecordedAttempt, choice: RowChoice) -> RecordedAttempt:
        """Write results of earlier answers; gives the attempt as it is recorded then."""
        path, rows = self._write_merged(attempt, choice)
        done = replace(
            attempt,
            state=JobState.SUCCEEDED,
            results=path,
            rows=rows,
            sent=None,
            intent=None,
            trouble=None,
            input_file=None,
        )
        return frozen_attempt(done)

    def _write_merged(
        self, attempt: RecordedAttempt, choice: RowChoice, state: str | None = None
    ) -> tuple[str, RowCounts]:
        wanted = self._working.wanted_job(attempt.key.job)
        assert wanted is not None
        counts = self.known(wanted.name, choice).counts(input_of(self._working.scene, wanted))
        path = self._free_path(self._path(attempt.key, attempt, 1), None)
        # An attempt that sends nothing has no end of its own.
        state = state or (JobState.SUCCEEDED if counts.bad == 0 else JobState.PARTIALLY_SUCCEEDED)
        self.keep(replace(attempt, sent=None), path, counts, None, state)
        return path, _judged(counts, wanted)

    def keep(self, attempt: RecordedAttempt, path: str, rows: RowCounts, remote: str | None, state: str) -> None:
        """Put a folder of results in its place."""
        job = self._working.remotes[remote].job if remote is not None else None
        sent = None if attempt.sent is None else replace(attempt.sent, total=rows.total or 0, again=False)
        kept = RecordedAttempt(
            attempt.key,
            attempt.account,
            attempt.digest,
            attempt.token,
            tree=frozen_attempt(replace(attempt, tree={})).tree,
            remote=remote,
            state=state,
            create_time=None if job is None else job.create_time,
            start_time=None if job is None else job.start_time,
            end_time=None if job is None else job.end_time,
            rows=rows,
            results=path,
            adopted=True,
            sent=sent,
        )
        self._working.kept[path] = KeptResults(kept, attempt.key.job, STACK.name, STACK.uid)

    def _count_shards(self, key: AttemptKey) -> int:
        """The shards of an attempt: those that are recorded, and those that their lists name."""
        own = [
            one for one in self._journal.attempts.values() if (one.key.job, one.key.attempt) == (key.job, key.attempt)
        ]
        return max(len(own), *(one.sent.shards for one in own if one.sent is not None), 1)

    @staticmethod
    def _path(key: AttemptKey, attempt: RecordedAttempt, shards: int) -> str:
        shard = f".{key.shard}" if key.shard or shards > 1 else ""
        return f"{key.job}/{shown_digest(attempt.digest)}-{key.attempt}{shard}"

    def _free_path(self, base: str, owner: str | None) -> str:
        """The first folder of this name that does not exist, or is of the same remote job."""
        kept, path, number = self._working.kept, base, 1
        while path in kept and kept[path].attempt.remote != owner:
            number += 1
            path = f"{base}-{number}"
        return path


def _judged(counts: RowCounts, wanted: DesiredJob | None) -> RowCounts:
    """The counts as the manifest judges them."""
    if wanted is None:
        return counts
    return judge_rows(counts, wanted.row_settings, wanted.lifecycle.max_failed_rows)


def _codes(rows: tuple[int, ...], came: tuple[Answer, ...]) -> list[str]:
    return [dict(came).get(row, NOTHING) for row in rows]
