"""Values that the reference leaves open or that may change, each with the emulator's default.

Tests pass their own values to the constructor; a seed file has them in `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.emulator.clock import HOUR, SECOND, WEEK, parse_duration
from batchctl.emulator.lifecycle import State

_SPELLINGS = {
    "expireAfter": "expire_after",
    "fileLifetime": "file_lifetime",
    "fileProcessing": "file_processing",
    "fileStorage": "file_storage",
    "enqueuedTokens": "enqueued_tokens",
    "requesterPays": "requester_pays",
    "resultLifetime": "result_lifetime",
    "resultFileLag": "result_file_lag",
    "cancelFinished": "cancel_finished_refused",
    "deleteActive": "delete_active_refused",
    "listFilter": "list_filter_refused",
    "pageLimit": "page_limit",
    "pagesOverLimit": "pages_over_limit",
    "anonymousReads": "open_reads",
    "anonymousWrites": "open_writes",
    "fieldsInAny": "looks_into_any",
    "queueLimit": "queue_limit",
    "runLimit": "run_limit",
    "outputFiles": "output_files",
    "rowLimit": "row_limit",
    "fileLimit": "file_limit",
    "bodyLimit": "body_limit",
    "operationDelay": "operation_delay",
}
_LARGEST_OBJECT = 1024**3
_OVERDUE = {"fail": State.FAILED, "partial": State.PARTIALLY_SUCCEEDED}


class OverLimit(StrEnum):
    """The answer to a list call that asks for more jobs than a page may have."""

    CUT = "cut"
    """As many as it may have, as Google's guidelines for APIs advise."""
    REFUSE = "refuse"
    """400."""
    EMPTY = "empty"
    """No jobs, and no token: the observed answer to a call without a page size. Source: reference 1.5."""
    END = "end"
    """As many as it may have, without a token, as if there were no more: a trap of our own."""


class Settings(Struct, frozen=True):
    """Durations are in nanoseconds. Source: reference 9 and 10, unless another one is given."""

    pending: int = SECOND
    """The time that a job waits before it runs, unless a rule changes it. The emulator's own choice."""
    running: int = 2 * SECOND
    expire_after: int = 48 * HOUR
    """An unfinished job becomes EXPIRED at this age."""
    file_lifetime: int = 48 * HOUR
    file_processing: int = 0
    """The time from PROCESSING to ACTIVE of an uploaded file. Source: reference 16 (minutes for large files)."""
    file_storage: int = 20 * 1024**3
    """The maximum total size of uploaded files. Source: reference 10, 16."""
    enqueued_tokens: int | None = None
    """The maximum number of tokens of all active jobs of a model at the Gemini Developer API; None: no limit.

    The real limit depends on tier and model.
    """
    requester_pays: tuple[str, ...] = ()
    """Cloud Storage: globs over the names of buckets whose callers pay for access. Source: reference 16."""
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The `stage`, `retirementTime` and `message` of models by name. Source: reference 16."""
    result_lifetime: int = 6 * WEEK
    """Counted from the end of the job. Result files have the same lifetime, because no other value is known."""
    result_file_lag: int = 0
    """The time from SUCCEEDED until the result file is readable. Source: reference 8.1 (observed, not promised)."""
    max_body: int = 20_971_520
    max_file: int = 2 * 1024**3
    cancel_finished_refused: bool | None = None
    """Cancelling a finished job: no effect, or 400 FAILED_PRECONDITION. None: 400 for a failed one on Vertex.

    Source: reference 16.
    """
    delete_active_refused: bool = False
    list_filter_refused: bool = False
    """`filter` on a list of the Gemini Developer API: ignored, or 400. Source: reference 1.5."""
    page_limit: int = 1000
    """The most jobs of a page of a list. Source: reference 1.5 (third parties say so; the APIs document none)."""
    pages_over_limit: OverLimit = OverLimit.CUT
    looks_into_any: bool = True
    """Whether `fields` may name members inside an `Any`, such as the metadata of an operation. Source: reference 16."""
    open_reads: bool = False
    """Cloud Storage: whether reads need no token, as for a public bucket. Source: reference 16."""
    open_writes: bool = False
    """Cloud Storage: whether all other calls need no token, as some clients assume of an emulator."""
    queue_limit: int = 72 * HOUR
    """Vertex: a job that still waits at this age becomes EXPIRED."""
    run_limit: int = 24 * HOUR
    """Vertex: a job that has run for this long ends; its processed rows are kept."""
    overdue: State = State.FAILED
    """Vertex: the state of a job that ends at this limit. Source: reference 5 (or the state for partial results)."""
    importing: int = SECOND
    """Vertex: how long a job with invalid input runs before it fails. This and the following are our own choices."""
    cancelling: int = SECOND
    """Vertex: how long a job is CANCELLING, unless a rule makes it longer."""
    operation_delay: int = 0
    """Vertex: how long after a delete its operation is done."""
    output_files: int = 1
    """Vertex: the number of output files of a job."""
    max_rows: int = 200_000
    max_embed_rows: int = 1_000_000
    row_limit: int | None = None
    """The maximum number of rows of a job; None: `max_rows` or `max_embed_rows` on Vertex, no limit elsewhere."""
    file_limit: int | None = None
    """The maximum size of an input file; None: `max_file` at the Developer API, 1 GB on Vertex."""
    body_limit: int | None = None
    """The maximum size of the body of an API call, which bounds inline rows; None: `max_body`."""

    @property
    def largest_body(self) -> int:
        """The maximum size of the body of an API call in bytes."""
        return self.max_body if self.body_limit is None else self.body_limit

    @property
    def largest_upload(self) -> int:
        """The maximum size of an uploaded file of the Gemini Developer API in bytes."""
        return self.max_file if self.file_limit is None else min(self.file_limit, self.max_file)

    @property
    def largest_object(self) -> int:
        """The maximum size of an object that a Vertex job reads, in bytes."""
        return _LARGEST_OBJECT if self.file_limit is None else self.file_limit

    def most_rows(self, kind: str) -> int:
        """The maximum number of rows of a Vertex job."""
        if self.row_limit is not None:
            return self.row_limit
        return self.max_rows if kind == "generate" else self.max_embed_rows


def settings_from(base: Settings, given: Mapping[str, Any]) -> Settings:
    """`base`, overridden by a seed's `settings`; `given` fits the seed's schema."""
    changes: dict[str, Any] = {}
    for key, value in given.items():
        name = _SPELLINGS.get(key, key)
        if name.endswith("_refused"):
            changes[name] = value == "refuse"
        elif name in {"open_reads", "open_writes", "looks_into_any"}:
            changes[name] = value == "allow"
        elif name == "models":
            changes[name] = value
        elif name == "requester_pays":
            changes[name] = tuple(value)
        elif name == "overdue":
            changes[name] = _OVERDUE[value]
        elif name == "pages_over_limit":
            changes[name] = OverLimit(value)
        else:
            changes[name] = value if isinstance(value, int) else parse_duration(value)
    return replace(base, **changes)
