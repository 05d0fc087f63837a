"""The rows that an attempt sends, chosen by the ledger, and its further shards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from batchctl.engine.steps.waiting import Steps
from batchctl.engine.tools import Tools
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import BadRequest, NotFound, PermissionDenied
from batchctl.model.ports import ChosenRows
from batchctl.model.recorded import RecordedAttempt
from batchctl.model.steps import Create
from batchctl.model.work_size import can_send_rows

_REFUSALS = (BadRequest, NotFound, PermissionDenied)


def choose_rows(job: DesiredJob, step: Create, token: str, tools: Tools) -> Steps[ChosenRows | None]:
    """Choose the rows to send, on a worker; None: all, or batchctl does not have them.

    Raises ResultsError, and ApiError for rows at Cloud Storage.
    """
    if not can_send_rows(job) or tools.ledger is None:
        return None
    if step.rows.as_it_is and not (yield partial(_may_exceed, job, tools)):
        return None
    chosen: ChosenRows = yield partial(tools.ledger.choose, job, step.key, token, step.rows, tools.token)
    for damaged in chosen.damaged:
        words = f"{job.name}: answers cannot be used, and their rows are bought again: {damaged}"
        tools.warnings.warn(f"the ledger {damaged}", words)
    return chosen


def _may_exceed(job: DesiredJob, tools: Tools) -> bool:
    """Whether a source at Cloud Storage may have more than one remote job may have; on a worker."""
    try:
        return tools.inputs.may_exceed(job)
    except _REFUSALS:
        # Batchctl may not read it, or it does not exist: the API says so, where it matters.
        return False


def other_shards(attempt: RecordedAttempt, job: DesiredJob, chosen: ChosenRows | None) -> Iterator[RecordedAttempt]:
    """The records of the further shards: each is created on its own, in this pass or a later one."""
    for other in () if chosen is None else chosen.others:
        assert chosen is not None
        size = bytes_of(job, replace(chosen, sent=other.sent))
        yield replace(attempt, key=other.key, token=other.token, sent=other.sent, input_bytes=size, trouble=None)


def bytes_of(job: DesiredJob, chosen: ChosenRows | None) -> int | None:
    """The approximate bytes of the rows that are sent."""
    if job.input_bytes is None or chosen is None or not chosen.sent.total:
        return job.input_bytes
    return job.input_bytes * chosen.sent.rows // chosen.sent.total
