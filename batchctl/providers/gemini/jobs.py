"""From the Operation that the API shows to a RemoteJob.

Lenient where a wrong value says nothing about the job's existence and owner, strict about its names.
Source: reference 1.2, 1.4, chapter 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchctl.model.desired import Json
from batchctl.model.errors import BadReply
from batchctl.model.keys import Account, Mark
from batchctl.model.observed import RemoteJob, RowCounts, Status
from batchctl.model.states import JobState, is_terminal, normalise_state
from batchctl.providers.gemini.names import is_job_name
from batchctl.providers.texts import as_object, capped, whole_characters
from batchctl.providers.times import parse_time

_METADATA = "metadata(name,model,displayName,state,createTime,endTime,updateTime,batchStats)"
JOB_FIELDS = f"name,done,error(code,message),{_METADATA}"
"""Field mask of one job without its inputs and outputs, which may be gigabytes."""
LIST_FIELDS = f"nextPageToken,operations({JOB_FIELDS})"

_STATE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_COUNT = re.compile(r"[0-9]{1,18}")


def remote_job(operation: Json, account: Account, what: str) -> RemoteJob:
    """Read one Operation. Raises BadReply when it has no usable name, or nobody can say what its display name is.

    The mark stands in the display name: a job that cannot be read so far may be the very one that is looked for, and
    a list with it in it proves the absence of none. Any other member that is missing or of a wrong type is left empty;
    a state that cannot be read becomes `JOB_STATE_UNSPECIFIED`, which nobody acts on. So one odd job does not hide the
    others.
    """
    found = as_object(operation)
    name = found.get("name")
    if not is_job_name(name):
        raise BadReply(f"{what}: a batch job without a usable name", hint="is the endpoint the Gemini Developer API?")
    metadata = as_object(found.get("metadata"))
    if not metadata or not isinstance(metadata.get("displayName"), str | None):
        raise BadReply(f"{what}: {name} does not show its display name, so nobody knows whose it is")
    state = job_state(metadata.get("state"))
    display_name = _text(metadata.get("displayName"))
    return RemoteJob(
        name=name,
        account=account,
        display_name=display_name,
        mark=Mark.find(display_name),
        state=state,
        model=_text(metadata.get("model")).removeprefix("models/"),
        create_time=parse_time(metadata.get("createTime")),
        end_time=parse_time(metadata.get("endTime")),
        rows=_rows(as_object(metadata.get("batchStats")), ended=is_terminal(state)),
        error=_status(found.get("error")),
    )


def job_state(wire: object) -> str:
    """The normalised state; `JOB_STATE_UNSPECIFIED` for what cannot be one."""
    if not isinstance(wire, str) or not _STATE.fullmatch(wire):
        return JobState.UNSPECIFIED.value
    return normalise_state(wire)


def _text(value: object) -> str:
    return whole_characters(value) if isinstance(value, str) else ""


def _rows(stats: Mapping[str, Json], *, ended: bool) -> RowCounts:
    total = _count(stats, "requestCount", None)
    # The API leaves out zeros, so a missing count is known to be 0 only when all rows have been dealt with.
    missing = 0 if ended and total is not None else None
    return RowCounts(
        total=total,
        ok=_count(stats, "successfulRequestCount", missing),
        failed=_count(stats, "failedRequestCount", missing),
    )


def _count(stats: Mapping[str, Json], name: str, missing: int | None) -> int | None:
    """An int64, which proto-JSON writes as a string; a number is taken too."""
    if name not in stats:
        return missing
    value = stats[name]
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if _COUNT.fullmatch(text) else None


def _status(value: object) -> Status | None:
    if not isinstance(value, dict):
        return None
    code = value.get("code")
    known = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 2**31  # an int32 on the wire
    return Status(code if known else None, capped(_text(value.get("message"))))
