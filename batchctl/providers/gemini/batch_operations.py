"""Converts an Operation of the API to a RemoteJob.

Strict about names, which show that a job exists and who owns it; lenient about everything else.
Source: reference 1.2, 1.4, chapter 5.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.model.keys import Account, BrokenMark, Mark
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.states import is_terminal
from batchctl.providers import job_members
from batchctl.providers.gemini.resource_paths import is_job_name
from batchctl.providers.json_stream import JsonStream
from batchctl.providers.reply_times import parse_time
from batchctl.providers.untrusted_text import as_object

_METADATA = "metadata(name,model,displayName,state,createTime,endTime,updateTime,batchStats)"
JOB_FIELDS = f"name,done,error(code,message),{_METADATA}"
"""Field mask of a job without its inputs and outputs, which may have gigabytes."""
LIST_FIELDS = f"nextPageToken,operations({JOB_FIELDS})"


_LARGE = frozenset({"response"})
_LARGE_INSIDE = frozenset({"output", "inputConfig"})


def read_operation(body: BinaryIO, what: str) -> dict[str, Json]:
    """One Operation without its inputs and outputs, even if the server sent them. Raises BadReply.

    Not every server supports the field mask.
    """
    text = io.TextIOWrapper(body, encoding="utf-8", newline="")
    try:
        return _members(JsonStream(text.read), _LARGE)
    except ValueError as exc:
        raise BadReply(f"{what}: the reply is not valid JSON: {exc}") from exc
    finally:
        text.detach()


def _members(stream: JsonStream, large: frozenset[str]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name in stream.members():
        if name in large:
            stream.skip()
        elif name == "metadata" and stream.peek() == "{":
            found[name] = _members(stream, _LARGE_INSIDE)
        else:
            found[name] = stream.value()
    return found


def remote_job(operation: Json, account: Account, what: str) -> RemoteJob:
    """Convert one Operation. Raises BadReply without a usable name, or when the display name cannot be read.

    The display name holds the mark. A job without a readable one may be the job that batchctl searches for, so a list
    that contains it cannot prove that a job is absent. Any other member that is missing or of a wrong type is left
    empty; an unreadable state becomes `JOB_STATE_UNSPECIFIED`, on which batchctl never acts. So one invalid job does
    not hide the others.
    """
    found = as_object(operation)
    name = found.get("name")
    if not is_job_name(name):
        raise BadReply(f"{what}: a batch job without a usable name", hint="is the endpoint the Gemini Developer API?")
    metadata = as_object(found.get("metadata"))
    if not metadata or not isinstance(metadata.get("displayName"), str | None):
        raise BadReply(f"{what}: {name} has no readable display name, so its owner is unknown")
    state = job_members.job_state(metadata.get("state"))
    display_name = job_members.text(metadata.get("displayName"))
    return RemoteJob(
        name=name,
        account=account,
        display_name=display_name,
        mark=Mark.find(display_name),
        broken=BrokenMark.find(display_name),
        state=state,
        model=job_members.text(metadata.get("model")).removeprefix("models/"),
        create_time=parse_time(metadata.get("createTime")),
        end_time=parse_time(metadata.get("endTime")),
        rows=_rows(as_object(metadata.get("batchStats")), ended=is_terminal(state)),
        error=job_members.status(found.get("error")),
    )


def _rows(stats: Mapping[str, Json], *, ended: bool) -> RowCounts:
    total = _count(stats, "requestCount", None)
    # The API omits zeros, so a missing count is known to be 0 only when all rows have been processed.
    missing = 0 if ended and total is not None else None
    return RowCounts(
        total=total,
        ok=_count(stats, "successfulRequestCount", missing),
        failed=_count(stats, "failedRequestCount", missing),
    )


def _count(stats: Mapping[str, Json], name: str, missing: int | None) -> int | None:
    return job_members.count(stats[name]) if name in stats else missing
