"""Which rows a new attempt of a job sends, and of which jobs the ledger has to be read to know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.digests import IN_FINGERPRINTS
from batchctl.model.keys import same_digest
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import JobRow, Recorded
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import RowChoice, RowsToSend, RowWork
from batchctl.model.steps import Create
from batchctl.model.work_size import can_send_rows, is_divisible
from batchctl.reconcile.decide.row_order import order_of_rows
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.phases import current_record
from batchctl.reconcile.view.subject import Subject

ROWS = "ROWS"
"""The name in `retryOn`."""


def choice_of_rows(settings: RowSettings | None, row: JobRow | None) -> RowChoice:
    """The choice by the settings of a manifest; without one, by those that the state has."""
    if settings is None:
        settings = RowSettings() if row is None else row.row_settings
    which = RowsToSend.UNANSWERED if settings.reuse else RowsToSend.ALL
    since = 1 if row is None else row.rows_since
    return RowChoice(which, settings.accept, settings.max_attempts, since, fallbacks=settings.fallbacks)


def own_choice(subject: Subject) -> RowChoice:
    """The choice by the manifest of a job that is desired, and by its record."""
    return choice_of_rows(subject.manifest.row_settings, None if subject.recorded is None else subject.recorded.row)


def rows_to_survey(
    desired: DesiredStack, recorded: Recorded, options: Options
) -> Iterator[tuple[DesiredJob, RowChoice]]:
    """The jobs whose next attempt depends on their ledger: it reads all rows, so no other job is surveyed."""
    for job in desired.jobs:
        record = recorded.jobs.get(job.name)
        row = None if record is None else record.row
        order = order_of_rows(job.name, row, options)
        if not can_send_rows(job) or not (job.row_settings.reuse or order):
            continue
        current = None if record is None else current_record(record)
        if current is None or order is not None or _may_be_followed(job, current):
            yield job, replace(choice_of_rows(job.row_settings, row), order=order)


def next_choice(plan: JobPlan, job: DesiredJob, row: JobRow | None) -> tuple[RowChoice, bool]:
    """The choice of rows for the attempt after the current one, and whether one follows without a person."""
    for step in plan.steps:
        if isinstance(step, Create):
            return step.rows, True
    choice = replace(choice_of_rows(job.row_settings, row), which=RowsToSend.RETRYABLE)
    return choice, ROWS in job.lifecycle.retry_on and plan.action is not Action.NONE


def is_sent_as_it_is(desired: DesiredJob, choice: RowChoice, attempts: Iterable[RecordedAttempt]) -> bool:
    """Whether a source at Cloud Storage is sent without a read of its rows.

    They are read only for a canary, for shards that the manifest asks for, and for good answers of earlier `attempts`.
    """
    if not is_divisible(desired) or choice.most is not None or desired.sharding.is_asked:
        return False
    return choice.which is RowsToSend.ALL or not may_have_answers(desired, choice, attempts)


def may_have_answers(desired: DesiredJob, choice: RowChoice, attempts: Iterable[RecordedAttempt]) -> bool:
    """Whether earlier attempts may have good answers to rows of the work, as far as that is known without its rows."""
    return any(_may_answer(one, desired, choice.since) for one in attempts)


def _may_answer(attempt: RecordedAttempt, desired: DesiredJob, since: int) -> bool:
    """Whether results of an attempt may have good answers to rows of the work."""
    if attempt.results is None or not attempt.rows.ok or attempt.key.attempt < since:
        return False
    parts = ((attempt.tree.get(name), desired.tree.get(name)) for name in IN_FINGERPRINTS)
    # The work of an attempt that was found by its mark is not known.
    return not attempt.tree or same_digest(attempt.digest, desired.digest) or all(one == two for one, two in parts)


def has_nothing_to_send(work: RowWork | None) -> bool:
    """Whether every row has a good answer."""
    return work is not None and work.to_send == 0


def work_words(work: RowWork, rows: int) -> str:
    """`12 of 10,000 rows to send, 9,988 reused, 2 retried (to send: new-3, new-7 and 10 more)`."""
    parts = [f"{rows:,} of {work.total:,} rows to send"]
    parts += [f"{work.answered:,} reused"] if work.answered else []
    parts += [f"{work.retried:,} retried"] if work.retried else []
    parts += [f"{work.repeated:,} repeat another row"] if work.repeated else []
    more = f" and {rows - len(work.first):,} more" if rows > len(work.first) else ""
    return f"{', '.join(parts)} (to send: {', '.join(work.first)}{more})"


def _may_be_followed(job: DesiredJob, attempt: RecordedAttempt) -> bool:
    if not same_digest(attempt.digest, job.digest) or attempt.is_unsent:
        return True
    return attempt.has_ended and (attempt.results is None or attempt.rows.bad > 0)
