"""`spec.lifecycle`: its values, and its fields, each described once.

The schemas for editors, the reader of manifests, the state and the reports use this table, so a new field is one
attribute of `Lifecycle` and one row here. A record or a manifest without a field has its default.

A field that the state has to keep needs a format number of its own (see `state.formats`). An older batchctl, which
would ignore the field and drop it from the record, then refuses the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any, TypeAlias, assert_never

from msgspec import Struct, field

from batchctl.model.json_value import Json
from batchctl.model.row_settings import MaxFailedRows


class OnChange(StrEnum):
    """The reaction if the digest of a job with an attempt changes."""

    REPLACE = "replace"
    KEEP = "keep"
    FAIL = "fail"


class OnRemove(StrEnum):
    """The reaction if a job is no longer desired."""

    DELETE = "delete"
    CANCEL = "cancel"
    KEEP = "keep"


class OnMissing(StrEnum):
    """The reaction if an unfinished attempt is confirmed gone."""

    FAIL = "fail"
    RECREATE = "recreate"


class Lifecycle(Struct, frozen=True):
    """`spec.lifecycle`, with its defaults. Not part of the digest: changing it never buys a job again."""

    backoff_limit: int = 0
    retry_on: frozenset[str] = frozenset({"FAILED", "EXPIRED"})
    """Names of terminal states without their prefix."""
    pending_deadline: timedelta | None = None
    active_deadline: timedelta | None = None
    ttl_after_finished: timedelta | None = None
    on_change: OnChange = OnChange.REPLACE
    on_remove: OnRemove = OnRemove.DELETE
    on_missing: OnMissing = OnMissing.FAIL
    suspend: bool = False
    protect: bool = False
    max_failed_rows: MaxFailedRows | None = None
    """None: the job fails only when no row is good."""


Value: TypeAlias = Any
"""A value of `Lifecycle`; the field's `ValueType` determines its type."""

_STANDARD = Lifecycle()


class ValueType(Enum):
    """The type of a field's value. Each reader and writer handles every type."""

    COUNT = "count"
    NAMES = "names"
    """A set of names, a list in text."""
    DURATION = "duration"
    """None: no limit. `12h` in manifests and reports, seconds in the state."""
    CHOICE = "choice"
    FLAG = "flag"
    ROW_LIMIT = "row limit"
    """`MaxFailedRows`; None: no limit. A count or a share such as `5%`."""


class LifecycleField(Struct, frozen=True):
    """One field of `spec.lifecycle`."""

    name: str
    """In manifests, schemas and reports."""
    attribute: str
    """Of `Lifecycle`."""
    kind: ValueType
    description: str
    """For editors."""
    short: str
    """For readers of reports."""
    stored: str = ""
    """The name in the state's records if it differs from `name`: durations include their unit."""
    choices: type[StrEnum] | None = None
    bounds: Mapping[str, Json] = field(default_factory=dict)
    """More keywords of its schema."""

    @property
    def record_name(self) -> str:
        """The member in the state's records."""
        return self.stored or self.name

    @property
    def default(self) -> Value:
        """The value if the field is not set."""
        return getattr(_STANDARD, self.attribute)

    def of(self, lifecycle: Lifecycle) -> Value:
        """The value that a lifecycle has."""
        return getattr(lifecycle, self.attribute)


_END_WORDS = (
    "An end. ROWS: rows without a good answer are sent again; for a gs:// source, through the provider's stagingBucket."
    " Not for bq:// sources, datasets and files/…."
)
_ENDS = ["FAILED", "EXPIRED", "PARTIALLY_SUCCEEDED", "CANCELLED", "ROWS"]
LIFECYCLE: tuple[LifecycleField, ...] = (
    LifecycleField(
        "backoffLimit",
        "backoff_limit",
        ValueType.COUNT,
        "How many more attempts follow a failed one.",
        "More attempts after a failed one.",
        bounds={"maximum": 100},
    ),
    LifecycleField(
        "retryOn",
        "retry_on",
        ValueType.NAMES,
        "Which ends are followed by another attempt.",
        "Ends that are retried.",
        bounds={"items": {"description": _END_WORDS, "type": "string", "enum": _ENDS}},
    ),
    LifecycleField(
        "pendingDeadline",
        "pending_deadline",
        ValueType.DURATION,
        "Cancel the job when it is still not running after this long.",
        "Cancelled when still not running after this.",
        stored="pendingDeadlineSeconds",
        bounds={"examples": ["12h"]},
    ),
    LifecycleField(
        "activeDeadline",
        "active_deadline",
        ValueType.DURATION,
        "Cancel the job when it has been running for longer than this.",
        "Cancelled when running longer.",
        stored="activeDeadlineSeconds",
        bounds={"examples": ["2h"]},
    ),
    LifecycleField(
        "ttlAfterFinished",
        "ttl_after_finished",
        ValueType.DURATION,
        "Delete the remote job this long after its end; collected results stay.",
        "The remote job is deleted this long after its end.",
        stored="ttlSecondsAfterFinished",
        bounds={"examples": ["7d"]},
    ),
    LifecycleField(
        "onChange",
        "on_change",
        ValueType.CHOICE,
        "When the work changes: replace the job, keep the old one, or fail.",
        "What follows when the work changes.",
        choices=OnChange,
    ),
    LifecycleField(
        "onRemove",
        "on_remove",
        ValueType.CHOICE,
        "When the manifest is removed: delete the remote job (cancelled first if active), only cancel it, or keep it.",
        "What follows when the manifest is removed.",
        choices=OnRemove,
    ),
    LifecycleField(
        "onMissing",
        "on_missing",
        ValueType.CHOICE,
        "When an unfinished job is confirmed gone: fail, or recreate it.",
        "What follows when an unfinished remote job is gone.",
        choices=OnMissing,
    ),
    LifecycleField(
        "suspend",
        "suspend",
        ValueType.FLAG,
        "Hold back creates and retries; what already runs goes on.",
        "Whether creates and retries are held back.",
    ),
    LifecycleField(
        "protect",
        "protect",
        ValueType.FLAG,
        "Refuse to remove or replace the job. Kept in the state: removing the manifest does not get around it.",
        "Whether the job is protected from removal.",
    ),
    LifecycleField(
        "maxFailedRows",
        "max_failed_rows",
        ValueType.ROW_LIMIT,
        "How many rows may have no good answer: a count, or a share such as 5%. With more, the job fails. Without it, "
        "the job fails when no row is good.",
        "How many rows may have no good answer.",
        bounds={"examples": ["5%", 10]},
    ),
)
"""In the order of docs and reports."""


_FORMS: Mapping[ValueType, Mapping[str, Json]] = {
    ValueType.COUNT: {"type": "integer", "minimum": 0},
    ValueType.NAMES: {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    ValueType.DURATION: {
        "type": "string",
        "pattern": "^([0-9]+(w|d|h|m|s))+$",
        "patternErrorMessage": "must be a duration such as 90s, 12h or 1d12h",
    },
    ValueType.CHOICE: {"type": "string"},
    ValueType.FLAG: {"type": "boolean"},
    ValueType.ROW_LIMIT: {
        "type": ["integer", "string"],
        "minimum": 0,
        "pattern": r"^(([0-9]{1,2}|100)(\.[0-9]{1,6})?%|[0-9]{1,12})$",
        "patternErrorMessage": "must be a count, or a share such as 5%",
    },
}


def manifest_schema(one: LifecycleField) -> dict[str, Json]:
    """The field's schema in a manifest, where null removes a default of the stack."""
    form = {"description": one.description, **_FORMS[one.kind], **one.bounds}
    form["type"] = [*_types(form), "null"]
    if one.choices is not None:
        form["enum"] = [*one.choices, None]
    # A set has no order; the default is written in the order of the enum.
    is_set = one.kind is ValueType.NAMES
    form["default"] = [name for name in _ENDS if name in one.default] if is_set else one.default
    return form


def _types(form: Mapping[str, Json]) -> list[Json]:
    return form["type"] if isinstance(form["type"], list) else [form["type"]]


def report_schema(one: LifecycleField) -> dict[str, Json]:
    """The field's schema in a report, which has all fields."""
    form: dict[str, Json] = {"description": one.short, "type": _FORMS[one.kind]["type"]}
    match one.kind:
        case ValueType.COUNT:
            form["minimum"] = 0
        case ValueType.NAMES:
            form["items"] = {"description": "A terminal state without its prefix, or ROWS.", "type": "string"}
        case ValueType.DURATION | ValueType.ROW_LIMIT:
            form["type"] = [*_types(form), "null"]
        case ValueType.CHOICE:
            form["enum"] = list(one.choices or ())
        case ValueType.FLAG:
            pass
        case _ as never:
            assert_never(never)
    return form
