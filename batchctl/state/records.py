"""Converts recorded values to table records, and back.

Readers raise ValueError or KeyError; `snapshot` adds table and record to the message.

The file is long because each kind of record has its writer beside its reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.cost.tokens import Counted
from batchctl.model.desired import Json, Kind, Lifecycle
from batchctl.model.events import Event
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.notices import Notice, NoticeType
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.recorded import CancelCause, Ghost, Intent, JobRow, RecordedAttempt, RecordedFile, RecordedJob
from batchctl.model.row_settings import RowSettings
from batchctl.state.cells import (
    Cell,
    json_cell,
    optional_text_cell,
    read_flag,
    read_labels,
    read_number,
    read_object,
    read_optional_number,
    read_optional_text,
    read_optional_time,
    read_shared_object,
    read_text,
    read_texts,
    read_time,
    read_value,
    text_cell,
    time_cell,
    value_cell,
)
from batchctl.state.lifecycle_cell import lifecycle_object, read_lifecycle
from batchctl.state.row_orders import read_row_order, row_order_cell
from batchctl.state.row_verdicts import (
    flag_cell,
    merged_cell,
    read_accepted,
    read_merged,
    read_optional_flag,
    read_row_settings,
    read_sent,
    read_verdicts,
    row_settings_cell,
    sent_cell,
)
from batchctl.state.trouble_cell import read_optional_trouble, trouble_cell

Record: TypeAlias = dict[str, Cell]
"""One record of a table, by column."""

Stored: TypeAlias = Mapping[str, Json]
"""A record as it was read, not checked yet."""


_MOST_SHARED = 1024
"""Many records have the same account and settings. Such values are read once and shared, which also saves memory."""


@lru_cache(_MOST_SHARED)
def read_account(cell: Json) -> Account:
    """The account in a column."""
    return Account.parse(read_text(cell))


@lru_cache(_MOST_SHARED)
def _read_lifecycle(cell: Json) -> Lifecycle:
    return read_lifecycle(read_object(cell))


@lru_cache(_MOST_SHARED)
def _read_row_settings(cell: Json) -> RowSettings:
    return read_row_settings(cell)


@lru_cache(_MOST_SHARED)
def _read_name(cell: Json) -> str:
    return read_text(cell)


@lru_cache(_MOST_SHARED)
def _read_labels(cell: Json) -> Mapping[str, str]:
    return read_labels(cell)


_COUNTS = ("total", "ok", "failed", "verdicts", "accepted", "too_many_failed")


@lru_cache(_MOST_SHARED, typed=True)
def _read_counts(total: Json, ok: Json, failed: Json, verdicts: Json, accepted: Json, too_many: Json) -> RowCounts:
    return RowCounts(
        total=read_optional_number(total),
        ok=read_optional_number(ok),
        failed=read_optional_number(failed),
        verdicts=read_verdicts(verdicts),
        accepted=read_accepted(accepted),
        too_many_failed=read_optional_flag(too_many),
    )


def key_record(key: AttemptKey) -> Record:
    """The columns that identify an attempt."""
    return {"job": key.job, "attempt": key.attempt, "shard": key.shard}


def read_key(stored: Stored) -> AttemptKey:
    """The key of a record of `attempts` or `intents`."""
    return AttemptKey(read_text(stored["job"]), read_number(stored["attempt"]), read_number(stored["shard"]))


def job_record(job: JobRow) -> Record:
    """A record of `jobs`; attempts have their own records."""
    return {
        "name": job.name,
        "kind": job.kind.value,
        "provider": text_cell(job.provider),
        "model": text_cell(job.model),
        "path": text_cell(job.path),
        "account": text_cell(str(job.account)),
        "display_name": optional_text_cell(job.display_name),
        "current": job.current,
        "removing_time": time_cell(job.removing_time),
        "released_time": time_cell(job.released_time),
        "cancel_requested": time_cell(job.cancel_requested),
        "lifecycle": json_cell(lifecycle_object(job.lifecycle)),
        "row_settings": row_settings_cell(job.row_settings),
        "rows_since": job.rows_since,
        "canary_accepted": job.canary_accepted,
        "labels": json_cell(job.labels),
        "former_names": json_cell(list(job.former_names)),
        "depends_on": json_cell(list(job.depends_on)),
        "priority": job.priority,
        "webhook": None if job.webhook is None else json_cell(job.webhook),
        "retry_requested": time_cell(job.retry_requested),
        "retry_rows": row_order_cell(job.retry_rows),
    }


def read_job(stored: Stored, attempts: Sequence[RecordedAttempt]) -> RecordedJob:
    """A job from its record and its attempts, oldest first."""
    row = JobRow(
        name=read_text(stored["name"]),
        kind=Kind(stored["kind"]),
        provider=_read_name(stored["provider"]),
        model=_read_name(stored["model"]),
        path=read_text(stored["path"]),
        account=read_account(stored["account"]),
        lifecycle=_read_lifecycle(stored["lifecycle"]),
        row_settings=_read_row_settings(stored["row_settings"]),
        rows_since=read_optional_number(stored["rows_since"]) or 1,
        canary_accepted=read_optional_text(stored["canary_accepted"]),
        labels=_read_labels(stored["labels"]),
        display_name=read_optional_text(stored["display_name"]),
        current=read_number(stored["current"]),
        removing_time=read_optional_time(stored["removing_time"]),
        released_time=read_optional_time(stored["released_time"]),
        cancel_requested=read_optional_time(stored["cancel_requested"]),
        former_names=read_texts(stored["former_names"]),
        depends_on=read_texts(stored["depends_on"]),
        priority=read_optional_number(stored["priority"]),
        webhook=None if stored["webhook"] is None else _read_labels(stored["webhook"]),
        retry_requested=read_optional_time(stored["retry_requested"]),
        retry_rows=read_row_order(stored["retry_rows"]),
    )
    return RecordedJob(row, tuple(attempts))


def attempt_record(attempt: RecordedAttempt) -> Record:
    """A record of `attempts`; an open intent has its own record."""
    return key_record(attempt.key) | {
        "state": optional_text_cell(attempt.state),
        "remote": optional_text_cell(attempt.remote),
        "account": text_cell(str(attempt.account)),
        "digest": attempt.digest,
        "token": attempt.token,
        "create_time": time_cell(attempt.create_time),
        "start_time": time_cell(attempt.start_time),
        "end_time": time_cell(attempt.end_time),
        "rows_total": attempt.rows.total,
        "rows_ok": attempt.rows.ok,
        "rows_failed": attempt.rows.failed,
        "rows_verdicts": json_cell(attempt.rows.verdicts) if attempt.rows.verdicts else None,
        "rows_accepted": json_cell(sorted(attempt.rows.accepted)) if attempt.rows.accepted else None,
        "rows_too_many_failed": flag_cell(attempt.rows.too_many_failed),
        "error_code": attempt.error.code if attempt.error else None,
        "error_message": text_cell(attempt.error.message) if attempt.error else None,
        "rejected": int(attempt.rejected),
        "results_lost": int(attempt.results_lost),
        "adopted": int(attempt.adopted),
        "cancel_time": time_cell(attempt.cancel_time),
        "cancel_cause": attempt.cancel_cause.value if attempt.cancel_cause else None,
        "delete_time": time_cell(attempt.delete_time),
        "missed": time_cell(None if attempt.missed is None else attempt.missed.here),
        "missed_there": time_cell(None if attempt.missed is None else attempt.missed.there),
        "gone_time": time_cell(attempt.gone_time),
        "results": optional_text_cell(attempt.results),
        "tree": json_cell(attempt.tree),
        "input_bytes": attempt.input_bytes,
        "tokens": attempt.tokens,
        "row_hashes": optional_text_cell(attempt.row_hashes),
        "trouble": trouble_cell(attempt.trouble),
        "input_file": optional_text_cell(attempt.input_file),
        "sent": sent_cell(attempt.sent),
        "merged": merged_cell(attempt.merged),
        "counted": value_cell(attempt.counted),
        "expected": value_cell(attempt.expected),
    }


def read_attempt(stored: Stored, intent: Intent | None) -> RecordedAttempt:
    """An attempt from its record and its open intent."""
    cause = read_optional_text(stored["cancel_cause"])
    return RecordedAttempt(
        key=read_key(stored),
        account=read_account(stored["account"]),
        digest=read_text(stored["digest"]),
        token=read_text(stored["token"]),
        tree=read_shared_object(stored["tree"]),
        intent=intent,
        remote=read_optional_text(stored["remote"]),
        state=None if stored["state"] is None else _read_name(stored["state"]),
        create_time=read_optional_time(stored["create_time"]),
        start_time=read_optional_time(stored["start_time"]),
        end_time=read_optional_time(stored["end_time"]),
        rows=_read_counts(*(stored[f"rows_{name}"] for name in _COUNTS)),
        error=_read_error(stored),
        rejected=read_flag(stored["rejected"]),
        results_lost=read_flag(stored["results_lost"]),
        adopted=read_flag(stored["adopted"]),
        cancel_time=read_optional_time(stored["cancel_time"]),
        cancel_cause=None if cause is None else CancelCause(cause),
        delete_time=read_optional_time(stored["delete_time"]),
        missed=_read_missed(stored),
        gone_time=read_optional_time(stored["gone_time"]),
        results=read_optional_text(stored["results"]),
        input_bytes=read_optional_number(stored["input_bytes"]),
        tokens=read_optional_number(stored["tokens"]),
        row_hashes=read_optional_text(stored["row_hashes"]),
        trouble=read_optional_trouble(stored["trouble"]),
        input_file=read_optional_text(stored["input_file"]),
        sent=read_sent(stored["sent"]),
        merged=read_merged(stored["merged"]),
        counted=read_value(stored["counted"], Counted),
        expected=read_value(stored["expected"], TokenEstimate),
    )


def _read_missed(stored: Stored) -> Moment | None:
    here, there = (read_optional_time(stored[column]) for column in ("missed", "missed_there"))
    return None if here is None or there is None else Moment(here, there)


def _read_error(stored: Stored) -> Status | None:
    # No message means no error: a Status may lack its code, but never its message.
    message = read_optional_text(stored["error_message"])
    return None if message is None else Status(read_optional_number(stored["error_code"]), message)


def intent_record(key: AttemptKey, intent: Intent) -> Record:
    """A record of `intents`. The intent is open as long as the record exists."""
    return key_record(key) | {
        "time": time_cell(intent.time),
        "first_look": time_cell(intent.first_look),
        "first_look_there": time_cell(intent.first_look_there),
    }


def read_intent(stored: Stored) -> Intent:
    """The open intent of a record of `intents`."""
    return Intent(
        time=read_time(stored["time"]),
        first_look=read_optional_time(stored["first_look"]),
        first_look_there=read_optional_time(stored["first_look_there"]),
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
        model=_read_name(stored["model"]),
        rows=read_optional_number(stored["rows"]),
        state=_read_name(stored["state"]),
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
