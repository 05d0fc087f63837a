"""Converts recorded jobs, attempts and intents to table records, and back.

Readers raise ValueError or KeyError; `snapshot` adds table and record to the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from batchctl.model.attempts import CancelCause, Intent, RecordedAttempt
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.cost.tokens import Counted
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.recorded import JobRow
from batchctl.model.row_settings import RowSettings
from batchctl.state.cells import (
    MOST_SHARED,
    Record,
    Stored,
    json_cell,
    optional_text_cell,
    read_account,
    read_flag,
    read_labels,
    read_number,
    read_object,
    read_optional_number,
    read_optional_text,
    read_optional_time,
    read_shared_text,
    read_text,
    read_texts,
    read_time,
    read_tree,
    read_value,
    text_cell,
    time_cell,
    value_cell,
)
from batchctl.state.lifecycle_cell import lifecycle_cell, read_lifecycle
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


@lru_cache(MOST_SHARED)
def read_shared_lifecycle(cell: Json) -> Lifecycle:
    """The lifecycle in a column."""
    return read_lifecycle(read_object(cell))


@lru_cache(MOST_SHARED)
def read_shared_row_settings(cell: Json) -> RowSettings:
    """`spec.rows` in a column."""
    return read_row_settings(cell)


@lru_cache(MOST_SHARED)
def read_shared_labels(cell: Json) -> Mapping[str, str]:
    """Texts by name in a column."""
    return read_labels(cell)


@lru_cache(MOST_SHARED)
def read_shared_texts(cell: Json) -> tuple[str, ...]:
    """A list of texts in a column."""
    return read_texts(cell)


_COUNTS = ("total", "ok", "failed", "verdicts", "accepted", "too_many_failed")


@lru_cache(MOST_SHARED, typed=True)
def read_counts(total: Json, ok: Json, failed: Json, verdicts: Json, accepted: Json, too_many: Json) -> RowCounts:
    """The counts in six columns. Attempts of as many rows share one value."""
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
        "lifecycle": lifecycle_cell(job.lifecycle),
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


def read_job(stored: Stored) -> JobRow:
    """A job's row from its record."""
    return JobRow(
        name=read_text(stored["name"]),
        kind=Kind(stored["kind"]),
        provider=read_shared_text(stored["provider"]),
        model=read_shared_text(stored["model"]),
        path=read_text(stored["path"]),
        account=read_account(stored["account"]),
        lifecycle=read_shared_lifecycle(stored["lifecycle"]),
        row_settings=read_shared_row_settings(stored["row_settings"]),
        rows_since=read_optional_number(stored["rows_since"]) or 1,
        canary_accepted=read_optional_text(stored["canary_accepted"]),
        labels=read_shared_labels(stored["labels"]),
        display_name=read_optional_text(stored["display_name"]),
        current=read_number(stored["current"]),
        removing_time=read_optional_time(stored["removing_time"]),
        released_time=read_optional_time(stored["released_time"]),
        cancel_requested=read_optional_time(stored["cancel_requested"]),
        former_names=read_shared_texts(stored["former_names"]),
        depends_on=read_shared_texts(stored["depends_on"]),
        priority=read_optional_number(stored["priority"]),
        webhook=None if stored["webhook"] is None else read_shared_labels(stored["webhook"]),
        retry_requested=read_optional_time(stored["retry_requested"]),
        retry_rows=read_row_order(stored["retry_rows"]),
    )


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
        tree=read_tree(stored["tree"]),
        intent=intent,
        remote=read_optional_text(stored["remote"]),
        state=None if stored["state"] is None else read_shared_text(stored["state"]),
        create_time=read_optional_time(stored["create_time"]),
        start_time=read_optional_time(stored["start_time"]),
        end_time=read_optional_time(stored["end_time"]),
        rows=read_counts(*(stored[f"rows_{name}"] for name in _COUNTS)),
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
