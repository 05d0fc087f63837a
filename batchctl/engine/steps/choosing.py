"""The rows that an attempt sends, chosen by the ledger, and its further shards.

Owns what becomes of a shard whose list of rows was lost: the rows of the others are not known any more, so that it is
given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from batchctl.engine.journal import Journal
from batchctl.engine.steps.failures import LASTING_REFUSALS
from batchctl.engine.steps.waiting import DURABLE, Steps
from batchctl.engine.tools import Tools
from batchctl.model.attempts import RecordedAttempt, Trouble
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.desired import DesiredJob
from batchctl.model.events import EventKind
from batchctl.model.keys import AttemptKey
from batchctl.model.plan import JobPlan
from batchctl.model.ports.results import ChosenRows
from batchctl.model.row_work import RowsSent
from batchctl.model.steps import Create
from batchctl.model.work_size import can_send_rows, is_divisible


def choose_rows(
    job: DesiredJob, step: Create, token: str, before: RowsSent | None, tools: Tools, *, checks_place: bool
) -> Steps[ChosenRows | None]:
    """Choose the rows to send, on a worker unless it is quick; None: all as they are, or batchctl does not have them.

    `before`: the rows that the record has of this token. `checks_place`: see `RowLedger.choose`.

    Raises ResultsError, and ApiError for rows at Cloud Storage.
    """
    if not can_send_rows(job) or tools.ledger is None:
        return None
    if step.rows.as_it_is and not (yield partial(_may_exceed, job, tools)):
        return None
    choose = partial(
        tools.ledger.choose, job, step.key, token, step.rows, tools.token, before, checks_place=checks_place
    )
    chosen: ChosenRows = choose() if tools.ledger.is_quick(job) else (yield choose)
    for damaged in chosen.damaged:
        words = f"{job.name}: answers cannot be used, and their rows are bought again: {damaged}"
        tools.warnings.warn(f"the ledger {damaged}", words)
    is_source = is_divisible(job) and chosen.positions is None
    return None if is_source else chosen


def _may_exceed(job: DesiredJob, tools: Tools) -> bool:
    """Whether a source at Cloud Storage may have more than one remote job may have; on a worker."""
    try:
        return tools.inputs.may_exceed(job)
    except LASTING_REFUSALS:
        # batchctl may not read it, or it does not exist: the API says so, where it matters.
        return False


def is_lost_shard(key: AttemptKey, token: str, journal: Journal, tools: Tools) -> Steps[bool]:
    """Whether this is one of several shards, and the list of its rows is not there. Raises ResultsError."""
    before = journal.attempts.get(key)
    if before is None or before.token != token or before.sent is None or before.sent.shards == 1:
        return False
    assert tools.ledger is not None, "only a ledger has the rows of shards"
    has_list: bool = yield partial(tools.ledger.has_list, key, before.digest, token)
    return not has_list


def give_up_shard(key: AttemptKey, journal: Journal, tools: Tools) -> Steps[None]:
    """Record that a shard is never sent. Its rows count as not sent, and follow in another attempt."""
    why = f"the list of the rows of shard {key.shard} is lost: its rows are sent by another attempt"
    journal.note_attempt(replace(journal.attempts[key], intent=None, gone_time=tools.clock.now(), trouble=None))
    journal.note_attempt_event(key, EventKind.ABANDONED, why)
    yield DURABLE
    tools.progress.warn(f"{key.job}: {why}")


def shards_of(
    job: DesiredJob,
    key: AttemptKey,
    token: str,
    chosen: ChosenRows | None,
    trouble: Trouble | None,
    expected: TokenEstimate | None,
) -> Iterator[RecordedAttempt]:
    """The records of an attempt: one, or one for each shard; those after the first are created on their own."""
    first = RecordedAttempt(
        key,
        job.account,
        job.digest,
        token,
        tree=job.tree,
        input_bytes=_bytes_of(job, None if chosen is None else chosen.sent),
        row_hashes=job.row_hashes,
        trouble=trouble,
        sent=None if chosen is None else chosen.sent,
        expected=expected,
    )
    yield first
    for other in () if chosen is None else chosen.others:
        size = _bytes_of(job, other.sent)
        yield replace(
            first, key=other.key, token=other.token, sent=other.sent, input_bytes=size, trouble=None, expected=None
        )


def expected_tokens(key: AttemptKey, token: str, plan: JobPlan, journal: Journal) -> TokenEstimate | None:
    """The estimate of the tokens of an attempt: the one at its first create call, if there was one."""
    before = journal.attempts.get(key)
    if before is not None and before.token == token:
        return before.expected
    estimate = plan.cost.estimate
    return None if estimate is None else estimate.tokens


def _bytes_of(job: DesiredJob, sent: RowsSent | None) -> int | None:
    """The approximate bytes of the rows that are sent."""
    if job.input_bytes is None or sent is None or not sent.total:
        return job.input_bytes
    return job.input_bytes * sent.rows // sent.total
