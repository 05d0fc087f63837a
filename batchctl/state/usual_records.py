"""Reads many records of jobs and attempts at once: those with the types that batchctl writes.

msgspec checks and converts a block of records in one call. Whatever is not as usual raises, and the readers of single
records (`job_records`) decide and explain. A test holds both to the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from batchctl.model.attempts import CancelCause, Intent, RecordedAttempt
from batchctl.model.cost.job_cost import TokenEstimate
from batchctl.model.cost.tokens import Counted
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.observed import Moment, Status
from batchctl.model.recorded import JobRow, known_value
from batchctl.state.cells import read_account, read_shared_text, read_tree, read_value
from batchctl.state.job_records import (
    read_counts,
    read_shared_labels,
    read_shared_lifecycle,
    read_shared_row_settings,
    read_shared_texts,
)
from batchctl.state.row_orders import read_row_order
from batchctl.state.row_verdicts import read_merged, read_sent
from batchctl.state.seal import Cells
from batchctl.state.trouble_cell import read_optional_trouble

_Time: TypeAlias = Annotated[datetime, Meta(tz=True)] | None
_Text: TypeAlias = str | None
_Number: TypeAlias = int | None
_Flag: TypeAlias = Literal[0, 1]
_NO_TREE = "{}"
_NO_ORDERS = (None,) * 4
_NOTHING_ELSE = (None, 0, 0, None, None, None, None, None, None, None, 0, None, None, None, None, None, None)


class _Job(Struct, array_like=True, gc=False):
    """The columns of `jobs`, in the order of their names."""

    account: str
    canary_accepted: _Text
    cancel_requested: _Time
    current: int
    depends_on: str
    display_name: _Text
    former_names: str
    kind: Kind
    labels: str
    lifecycle: str
    model: str
    name: str
    path: str
    priority: _Number
    provider: str
    released_time: _Time
    removing_time: _Time
    retry_requested: _Time
    retry_rows: _Text
    row_settings: _Text
    rows_since: _Number
    webhook: _Text


class _Attempt(Struct, array_like=True, gc=False):
    """The columns of `attempts`, in the order of their names."""

    account: str
    adopted: _Flag
    attempt: int
    cancel_cause: CancelCause | None
    cancel_time: _Time
    counted: _Text
    create_time: _Time
    delete_time: _Time
    digest: str
    end_time: _Time
    error_code: _Number
    error_message: _Text
    expected: _Text
    gone_time: _Time
    input_bytes: _Number
    input_file: _Text
    job: str
    merged: _Text
    missed: _Time
    missed_there: _Time
    rejected: _Flag
    remote: _Text
    results: _Text
    results_lost: _Flag
    row_hashes: _Text
    rows_accepted: _Text
    rows_failed: _Number
    rows_ok: _Number
    rows_too_many_failed: _Number
    rows_total: _Number
    rows_verdicts: _Text
    sent: _Text
    shard: int
    start_time: _Time
    state: _Text
    token: str
    tokens: _Number
    tree: str
    trouble: _Text


class UsualRecords(Struct, frozen=True):
    """Reads blocks of records."""

    like: Mapping[str, DesiredJob]
    """Jobs by name. Their texts are in memory already, and records share those that are equal."""

    def read_jobs(self, columns: Sequence[str], block: Sequence[Cells]) -> list[JobRow] | None:
        """The rows of jobs; None for a table with other columns. Raises what readers of cells raise."""
        if tuple(columns) != _Job.__struct_fields__:
            return None
        return [_job(cells, self.like.get(cells.name)) for cells in msgspec.convert(block, list[_Job])]

    def read_attempts(
        self,
        columns: Sequence[str],
        block: Sequence[Cells],
        rows: Mapping[str, JobRow],
        intents: Mapping[AttemptKey, Intent],
    ) -> list[RecordedAttempt] | None:
        """The attempts of these jobs, with their open intents; like `read_jobs`."""
        if tuple(columns) != _Attempt.__struct_fields__:
            return None
        return [
            _attempt(cells, rows.get(cells.job), intents, self.like.get(cells.job))
            for cells in msgspec.convert(block, list[_Attempt])
        ]


def _job(cells: _Job, like: DesiredJob | None) -> JobRow:
    if like is not None:
        cells.name = like.name
        cells.path = known_value(cells.path, like.path)
        cells.display_name = known_value(cells.display_name, like.display_name)
    row = JobRow(
        cells.name,
        cells.kind,
        read_shared_text(cells.provider),
        read_shared_text(cells.model),
        cells.path,
        read_account(cells.account),
        read_shared_lifecycle(cells.lifecycle),
        read_shared_labels(cells.labels),
        cells.display_name,
        cells.current,
        former_names=read_shared_texts(cells.former_names),
        depends_on=read_shared_texts(cells.depends_on),
        priority=cells.priority,
        webhook=None if cells.webhook is None else read_shared_labels(cells.webhook),
        row_settings=read_shared_row_settings(cells.row_settings),
        rows_since=cells.rows_since or 1,
    )
    orders = cells.cancel_requested, cells.retry_requested, cells.retry_rows, cells.canary_accepted
    if orders == _NO_ORDERS and cells.removing_time is None and cells.released_time is None:
        return row  # nearly all jobs: each name of a field that is given has to be found among all of them
    return replace(
        row,
        removing_time=cells.removing_time,
        released_time=cells.released_time,
        cancel_requested=cells.cancel_requested,
        retry_requested=cells.retry_requested,
        retry_rows=None if cells.retry_rows is None else read_row_order(cells.retry_rows),
        canary_accepted=cells.canary_accepted,
    )


def _attempt(
    cells: _Attempt, row: JobRow | None, intents: Mapping[AttemptKey, Intent], like: DesiredJob | None
) -> RecordedAttempt:
    tree: Mapping[str, Json] | None = None
    if like is not None:
        cells.row_hashes = known_value(cells.row_hashes, like.row_hashes)
        cells.input_bytes = known_value(cells.input_bytes, like.input_bytes)
        if cells.digest == like.digest:
            cells.digest = like.digest
            # A digest is that of the tree, which is not recorded where batchctl did not send the work.
            tree = None if cells.tree == _NO_TREE else like.tree
    key = AttemptKey(cells.job if row is None else row.name, cells.attempt, cells.shard)
    counts = (
        cells.rows_total,
        cells.rows_ok,
        cells.rows_failed,
        cells.rows_verdicts,
        cells.rows_accepted,
        cells.rows_too_many_failed,
    )
    attempt = RecordedAttempt(
        key,
        read_account(cells.account),
        cells.digest,
        cells.token,
        read_tree(cells.tree) if tree is None else tree,
        intents.get(key) if intents else None,
        cells.remote,
        None if cells.state is None else read_shared_text(cells.state),
        cells.create_time,
        cells.start_time,
        cells.end_time,
        read_counts(*counts),
        input_bytes=cells.input_bytes,
        row_hashes=cells.row_hashes,
        input_file=cells.input_file,
    )
    others = (
        *(cells.error_message, cells.rejected, cells.adopted, cells.cancel_time, cells.cancel_cause, cells.delete_time),
        *(cells.missed, cells.missed_there, cells.gone_time, cells.results, cells.results_lost, cells.tokens),
        *(cells.trouble, cells.sent, cells.merged, cells.counted, cells.expected),
    )
    return attempt if others == _NOTHING_ELSE else _with_others(attempt, cells)


def _with_others(attempt: RecordedAttempt, cells: _Attempt) -> RecordedAttempt:
    """The attempt with the columns that those at work do not have."""
    here, there = cells.missed, cells.missed_there
    return replace(
        attempt,
        error=None if cells.error_message is None else Status(cells.error_code, cells.error_message),
        rejected=bool(cells.rejected),
        adopted=bool(cells.adopted),
        cancel_time=cells.cancel_time,
        cancel_cause=cells.cancel_cause,
        delete_time=cells.delete_time,
        missed=None if here is None or there is None else Moment(here, there),
        gone_time=cells.gone_time,
        results=cells.results,
        results_lost=bool(cells.results_lost),
        tokens=cells.tokens,
        trouble=None if cells.trouble is None else read_optional_trouble(cells.trouble),
        sent=None if cells.sent is None else read_sent(cells.sent),
        merged=None if cells.merged is None else read_merged(cells.merged),
        counted=None if cells.counted is None else read_value(cells.counted, Counted),
        expected=None if cells.expected is None else read_value(cells.expected, TokenEstimate),
    )
