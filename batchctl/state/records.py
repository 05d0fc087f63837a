"""Converts the recorded values beside the jobs to table records, and back: files, quotas, notices, history, events.

Readers raise ValueError or KeyError; `snapshot` adds table and record to the message.
"""

from __future__ import annotations

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.cost.tokens import Counted
from batchctl.model.events import Event
from batchctl.model.history import PastAttempt
from batchctl.model.notices import Notice, NoticeType
from batchctl.model.recorded import Ghost, RecordedFile
from batchctl.state.cells import (
    Record,
    Stored,
    optional_text_cell,
    read_account,
    read_number,
    read_optional_number,
    read_optional_text,
    read_optional_time,
    read_shared_text,
    read_text,
    read_time,
    read_value,
    text_cell,
    time_cell,
    value_cell,
)


def file_record(file: RecordedFile) -> Record:
    """A record of `files`."""
    return {
        "account": text_cell(str(file.account)),
        "sha256": file.sha256,
        "name": text_cell(file.name),
        "expire_time": time_cell(file.expire_time),
    }


def read_file(stored: Stored) -> RecordedFile:
    """An uploaded file from its record."""
    return RecordedFile(
        account=read_account(stored["account"]),
        sha256=read_text(stored["sha256"]),
        name=read_text(stored["name"]),
        expire_time=read_optional_time(stored["expire_time"]),
    )


def quota_record(quota: Quota) -> Record:
    """A record of `quotas`."""
    return {
        "account": text_cell(str(quota.key.account)),
        "model": text_cell(quota.key.model),
        "learned_limit": quota.limit,
        "refused_time": time_cell(quota.refused_time),
        "retry_time": time_cell(quota.retry_time),
        "refusals": quota.refusals,
    }


def read_quota(stored: Stored) -> Quota:
    """A learned quota from its record."""
    return Quota(
        key=QuotaKey(read_account(stored["account"]), read_text(stored["model"])),
        limit=read_number(stored["learned_limit"]),
        refused_time=read_time(stored["refused_time"]),
        retry_time=read_time(stored["retry_time"]),
        refusals=read_number(stored["refusals"]),
    )


def notice_record(notice: Notice) -> Record:
    """A record of `outbox`."""
    return {
        "time": time_cell(notice.time),
        "job": notice.job,
        "attempt": notice.attempt,
        "type": notice.type.value,
        "hook": notice.hook,
        "delivered_time": time_cell(notice.delivered_time),
        "given_up_time": time_cell(notice.given_up_time),
        "tries": notice.tries,
        "next_time": time_cell(notice.next_time),
        "problem": text_cell(notice.problem),
        "id": notice.id,
        "body": text_cell(notice.body),
    }


def read_notice(stored: Stored) -> Notice:
    """A notice from its record."""
    return Notice(
        id=read_text(stored["id"]),
        hook=read_text(stored["hook"]),
        job=read_text(stored["job"]),
        attempt=read_number(stored["attempt"]),
        type=NoticeType(read_text(stored["type"])),
        time=read_time(stored["time"]),
        body=read_text(stored["body"]),
        tries=read_number(stored["tries"]),
        next_time=read_optional_time(stored["next_time"]),
        delivered_time=read_optional_time(stored["delivered_time"]),
        given_up_time=read_optional_time(stored["given_up_time"]),
        problem=read_text(stored["problem"]),
    )


def ghost_record(ghost: Ghost) -> Record:
    """A record of `ghosts`."""
    return {"account": text_cell(str(ghost.account)), "remote": text_cell(ghost.remote), "time": time_cell(ghost.time)}


def read_ghost(stored: Stored) -> Ghost:
    """A ghost from its record."""
    return Ghost(read_account(stored["account"]), read_text(stored["remote"]), read_time(stored["time"]))


def past_record(past: PastAttempt) -> Record:
    """A record of `history`."""
    return {
        "account": text_cell(str(past.account)),
        "remote": text_cell(past.remote),
        "model": text_cell(past.model),
        "rows": past.rows,
        "state": text_cell(past.state),
        "create_time": time_cell(past.create_time),
        "start_time": time_cell(past.start_time),
        "end_time": time_cell(past.end_time),
        "counted": value_cell(past.counted),
    }


def read_past(stored: Stored) -> PastAttempt:
    """The times of a forgotten attempt from their record."""
    return PastAttempt(
        account=read_account(stored["account"]),
        remote=read_text(stored["remote"]),
        model=read_shared_text(stored["model"]),
        rows=read_optional_number(stored["rows"]),
        state=read_shared_text(stored["state"]),
        create_time=read_time(stored["create_time"]),
        start_time=read_optional_time(stored["start_time"]),
        end_time=read_time(stored["end_time"]),
        counted=read_value(stored["counted"], Counted),
    )


def event_record(event: Event, who: str) -> Record:
    """A record of `events`; `who` is used if the event itself names no one."""
    return {
        "time": time_cell(event.time),
        "job": event.job,
        "attempt": event.attempt,
        "who": text_cell(event.who or who),
        "what": text_cell(event.what),
        "why": text_cell(event.why),
        "code": optional_text_cell(event.code),
    }


def read_event(stored: Stored) -> Event:
    """An event from its record."""
    return Event(
        time=read_time(stored["time"]),
        job=read_text(stored["job"]),
        attempt=read_optional_number(stored["attempt"]),
        what=read_text(stored["what"]),
        why=read_text(stored["why"]),
        who=read_text(stored["who"]),
        code=read_optional_text(stored["code"]),
    )
