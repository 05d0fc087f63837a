"""The numbered changes of the tables, from an empty file to the present format.

A released change is never edited: a change of the tables is a new one at the end.

The file is long because released changes stay as they are, in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchctl.state.database import Database

Migration = Callable[[Database], None]

TABLES: Mapping[str, int] = {
    "meta": 1,
    "jobs": 1,
    "attempts": 1,
    "intents": 1,
    "files": 1,
    "events": 1,
    "accounts": 2,
    "quotas": 3,
    "outbox": 6,
    "ghosts": 13,
    "history": 21,
}
"""All tables, each with the format version that added it."""

_ATTEMPT_KEY = ("job", "attempt", "shard")


def create_tables(db: Database) -> None:
    """Version 1: the first tables. The columns that people read first come first."""
    from sqlite_utils.db import ForeignKey

    _create_jobs(db)
    _create_attempts(db)
    db.table("intents").create(
        {"job": str, "attempt": int, "shard": int, "time": str, "first_look": str},
        pk=_ATTEMPT_KEY,
        not_null={*_ATTEMPT_KEY, "time"},
        foreign_keys=[
            ForeignKey(
                table="intents",
                column=None,
                other_table="attempts",
                other_column=None,
                columns=_ATTEMPT_KEY,
                other_columns=_ATTEMPT_KEY,
                is_compound=True,
                on_delete="CASCADE",
            )
        ],
        strict=True,
    )
    db.table("files").create(
        {"account": str, "sha256": str, "name": str, "expire_time": str},
        pk=("account", "sha256"),
        not_null={"account", "sha256", "name"},
        strict=True,
    )
    # Events have no foreign key: the history of a job outlives the job.
    db.table("events").create(
        {"id": int, "time": str, "job": str, "attempt": int, "who": str, "what": str, "why": str},
        pk="id",
        not_null={"time", "job", "who", "what", "why"},
        strict=True,
    )
    meta = {"id": int, "format_version": int, "lineage": str, "serial": int, "epoch": int, "stack": str, "uid": str}
    db.table("meta").create(meta, pk="id", not_null=set(meta), strict=True)


def _create_jobs(db: Database) -> None:
    columns = {
        "name": str,
        "kind": str,
        "provider": str,
        "model": str,
        "path": str,
        "account": str,
        "display_name": str,
        "current": int,
        "removing_time": str,
        "released_time": str,
        "cancel_requested": str,
        "lifecycle": str,
        "labels": str,
    }
    nullable = {"display_name", "removing_time", "released_time", "cancel_requested"}
    db.table("jobs").create(columns, pk="name", not_null=set(columns) - nullable, strict=True)


def _create_attempts(db: Database) -> None:
    from sqlite_utils.db import ForeignKey

    columns = {
        "job": str,
        "attempt": int,
        "shard": int,
        "state": str,
        "remote": str,
        "account": str,
        "digest": str,
        "token": str,
        "create_time": str,
        "start_time": str,
        "end_time": str,
        "rows_total": int,
        "rows_ok": int,
        "rows_failed": int,
        "error_code": int,
        "error_message": str,
        "rejected": int,
        "results_lost": int,
        "adopted": int,
        "cancel_time": str,
        "cancel_cause": str,
        "delete_time": str,
        "gone_time": str,
        "results": str,
        "tree": str,
    }
    db.table("attempts").create(
        columns,
        pk=_ATTEMPT_KEY,
        not_null={*_ATTEMPT_KEY, "account", "digest", "token", "rejected", "results_lost", "adopted", "tree"},
        foreign_keys=[ForeignKey("attempts", "job", "jobs", "name", on_delete="CASCADE")],
        strict=True,
    )


def add_names_and_identities(db: Database) -> None:
    """Version 2: former names of jobs, and the credentials that showed an account's jobs."""
    db.table("jobs").add_column("former_names", str, not_null_default="[]")
    accounts = {"account": str, "identity": str}
    db.table("accounts").create(accounts, pk="account", not_null=set(accounts), strict=True)


def add_quotas_and_needs(db: Database) -> None:
    """Version 3: quotas that were learned from refusals, and the dependencies of jobs."""
    db.table("jobs").add_column("depends_on", str, not_null_default="[]")
    quotas = {"account": str, "model": str, "learned_limit": int}
    quotas |= {"refused_time": str, "retry_time": str, "refusals": int}
    db.table("quotas").create(quotas, pk=("account", "model"), not_null=set(quotas), strict=True)


def add_seal(db: Database) -> None:
    """Version 4: a checksum of all records, to detect damaged values."""
    db.table("meta").add_column("seal", str, not_null_default="0")


def add_retry_orders(db: Database) -> None:
    """Version 5: orders to retry a job."""
    db.table("jobs").add_column("retry_requested", str)


def add_outbox(db: Database) -> None:
    """Version 6: the outbox of notices for hooks. No foreign key: a notice outlives its job."""
    columns = {
        "time": str,
        "job": str,
        "attempt": int,
        "type": str,
        "hook": str,
        "delivered_time": str,
        "given_up_time": str,
        "tries": int,
        "next_time": str,
        "problem": str,
        "id": str,
        "body": str,
    }
    nullable = {"delivered_time", "given_up_time", "next_time"}
    db.table("outbox").create(columns, pk=("id", "hook"), not_null=set(columns) - nullable, strict=True)


def add_second_clock(db: Database) -> None:
    """Version 7: the start of an open intent's grace on the provider's clock, beside the local one."""
    db.table("intents").add_column("first_look_there", str)


def add_token_counts(db: Database) -> None:
    """Version 8: the size of an attempt's input, and the tokens that the API counted in it."""
    for column in ("input_bytes", "tokens"):
        db.table("attempts").add_column(column, int)


def complete_first_format(db: Database) -> None:
    """Version 9: `results_lost`, which the first files lack: format 1 got it later, under the same number."""
    columns: list[str] = [column.name for column in db.table("attempts").columns]
    if "results_lost" not in columns:
        db.table("attempts").add_column("results_lost", int, not_null_default=0)


def add_settings(db: Database) -> None:
    """Version 10: all settings that are compared with the manifest, and error codes in the history."""
    db.table("jobs").add_column("priority", int)
    db.table("jobs").add_column("webhook", str)
    db.table("events").add_column("code", str)


def add_missed(db: Database) -> None:
    """Version 11: the time of the first look that missed an attempt's remote job, on both clocks."""
    for column in ("missed", "missed_there"):
        db.table("attempts").add_column(column, str)


def add_row_hashes(db: Database) -> None:
    """Version 12: a short hash of each row of an attempt's input, to name changed rows."""
    db.table("attempts").add_column("row_hashes", str)


def add_ghosts(db: Database) -> None:
    """Version 13: deleted and forgotten remote jobs, which a stale list may still show."""
    ghosts = {"account": str, "remote": str, "time": str}
    db.table("ghosts").create(ghosts, pk=("account", "remote"), not_null=set(ghosts), strict=True)


def add_troubles(db: Database) -> None:
    """Version 14: the trouble of an attempt as one JSON object."""
    db.table("attempts").add_column("trouble", str)


def add_input_files(db: Database) -> None:
    """Version 15: the uploaded file of an attempt, so that it is deleted when no attempt needs it."""
    db.table("attempts").add_column("input_file", str)


def add_row_verdicts(db: Database) -> None:
    """Version 16: an attempt's rows by verdict, those that were accepted, and how a job's rows are judged, as JSON."""
    for column in ("rows_verdicts", "rows_accepted"):
        db.table("attempts").add_column(column, str)
    db.table("attempts").add_column("rows_too_many_failed", int)
    db.table("jobs").add_column("row_settings", str)


def add_rows_sent(db: Database) -> None:
    """Version 17: the rows that an attempt sent, as JSON, the first attempt whose answers count, an accepted canary."""
    db.table("attempts").add_column("sent", str)
    db.table("jobs").add_column("rows_since", int)
    db.table("jobs").add_column("canary_accepted", str)


def add_row_orders(db: Database) -> None:
    """Version 18: the rows that `batchctl retry --rows` ordered, as JSON."""
    db.table("jobs").add_column("retry_rows", str)


def add_merged(db: Database) -> None:
    """Version 19: the results of all shards of an attempt, as JSON."""
    db.table("attempts").add_column("merged", str)


def add_costs(db: Database) -> None:
    """Version 20: the tokens of an attempt's answers by kind, and the estimate at its create call, as JSON."""
    for column in ("counted", "expected"):
        db.table("attempts").add_column(column, str)


def add_history(db: Database) -> None:
    """Version 21: the times of forgotten attempts. No foreign key: they outlive their jobs."""
    columns = {
        "account": str,
        "remote": str,
        "model": str,
        "rows": int,
        "state": str,
        "create_time": str,
        "start_time": str,
        "end_time": str,
    }
    nullable = {"rows", "start_time"}
    db.table("history").create(columns, pk=("account", "remote"), not_null=set(columns) - nullable, strict=True)


def add_past_costs(db: Database) -> None:
    """Version 22: the tokens of the answers of forgotten attempts by kind, as JSON: budgets count them."""
    db.table("history").add_column("counted", str)


def change_seal(_db: Database) -> None:
    """Version 23: the seal hashes records in another form (`seal.SINCE`). An older batchctl would find them damaged."""


def list_rows(_db: Database) -> None:
    """Version 24: a short list of sent rows is in `attempts.sent`. An older batchctl would drop it."""


MIGRATIONS: tuple[Migration, ...] = (
    create_tables,
    add_names_and_identities,
    add_quotas_and_needs,
    add_seal,
    add_retry_orders,
    add_outbox,
    add_second_clock,
    add_token_counts,
    complete_first_format,
    add_settings,
    add_missed,
    add_row_hashes,
    add_ghosts,
    add_troubles,
    add_input_files,
    add_row_verdicts,
    add_rows_sent,
    add_row_orders,
    add_merged,
    add_costs,
    add_history,
    add_past_costs,
    change_seal,
    list_rows,
)
"""In order. The format version of a file is the number of migrations that it has had."""
