"""The record of an attempt after the API showed its remote job."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from batchctl.model.attempts import Operation, RecordedAttempt, Trouble
from batchctl.model.keys import same_digest
from batchctl.model.observed import RemoteJob
from batchctl.model.states import JobState, is_terminal


def refresh(record: RecordedAttempt, job: RemoteJob, seen: datetime) -> RecordedAttempt:
    """The record as the API's view of its remote job makes it. `seen` is the provider's time of the look.

    Nothing leaves a terminal state (reference chapter 5), and the counts of collected results are better than the
    API's, which may be stale (reference 1.5).
    """
    if not is_same_remote(record, job):
        record = _follow(record, job)
    elif _shows_nothing_new(record, job):
        return record
    elif record.state is not None and is_terminal(record.state):
        if record.gone_time is None:
            return record if record.missed is None else replace(record, missed=None)
        # The job was gone from the recorded address, and is seen at another one: it has moved there.
        return replace(record, account=job.account, gone_time=None, missed=None)
    started = job.start_time or record.start_time
    if started is None and job.state == JobState.RUNNING:
        # The Gemini API has no start time; the first look that shows the job running is never too early.
        started = seen
    return replace(
        record,
        account=job.account,
        intent=None,
        remote=job.name,
        state=job.state,
        create_time=job.create_time or record.create_time,
        start_time=started,
        end_time=job.end_time or (record.end_time or seen if is_terminal(job.state) else None),
        rows=record.rows if record.results else job.rows,
        error=job.error,
        rejected=False,
        missed=None,
        gone_time=None,
        trouble=_left(record, job),
    )


def _shows_nothing_new(record: RecordedAttempt, job: RemoteJob) -> bool:
    """Whether a job is shown as it is recorded, as most are: then the record that follows would be an equal one."""
    started = job.start_time or record.start_time  # the Gemini API has no start time
    return (
        job.state == record.state
        and started == record.start_time
        and (started is not None or job.state != JobState.RUNNING)
        and job.create_time == record.create_time
        and job.end_time == record.end_time
        and job.rows == record.rows
        and job.error == record.error
        and job.account == record.account
        and record.missed is None
        and record.gone_time is None
        and record.trouble is None
        and record.intent is None
        and not record.rejected
    )


def _left(record: RecordedAttempt, job: RemoteJob) -> Trouble | None:
    """The trouble that remains once the remote job was seen: not of its creation, nor of a cancel after its end."""
    from batchctl.reconcile.calls.troubles import overcome

    if is_terminal(job.state):
        record = overcome(record, Operation.CANCEL)
    return overcome(record, Operation.UPLOAD, Operation.CREATE).trouble


def is_same_remote(record: RecordedAttempt, job: RemoteJob) -> bool:
    """Whether a remote job is the recorded one. A name belongs to one account; at another address the token decides."""
    if job.name != record.remote:
        return False
    return job.account == record.account or (job.mark is not None and job.mark.token == record.token)


def _follow(record: RecordedAttempt, job: RemoteJob) -> RecordedAttempt:
    """The record of an attempt that another remote job carries out from now on.

    The end of the former job says nothing about this one, and the two may do different work: after a lost state, or a
    create call that took effect late, two tokens share one number.
    """
    mark = job.mark
    assert mark is not None
    if not same_digest(mark.digest, record.digest):
        record = replace(record, digest=mark.digest, tree={}, adopted=True, input_bytes=None)
    return replace(
        record,
        token=mark.token,
        create_time=None,
        start_time=None,
        end_time=None,
        cancel_time=None,
        cancel_cause=None,
        delete_time=None,
        results=None,
        tokens=None,
        counted=None,
        expected=None,
    )
