"""Converts a BatchPredictionJob of the API to a RemoteJob.

Strict about the name and labels, which show that a job exists and who owns it; lenient about everything else.
Source: reference 3.1, 3.3, chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.states import is_terminal
from batchctl.providers import job_members
from batchctl.providers.reply_times import parse_time
from batchctl.providers.untrusted_text import as_object
from batchctl.providers.vertex.mark_labels import find_broken, read_mark
from batchctl.providers.vertex.resource_names import read_job_name, short_model

READ_MASK = "name,displayName,model,state,error,createTime,startTime,endTime,completionStats,labels"
"""The members that `remote_job` reads; lists request no others."""


def remote_job(job: Json, account: Account, what: str) -> RemoteJob:
    """Convert one BatchPredictionJob. Raises BadReply without a usable name, or when its labels cannot be read.

    The labels hold the mark. A job without readable labels may be the job that batchctl searches for, so a list that
    contains it cannot prove that a job is absent. Any other member that is missing or of a wrong type is left empty; an
    unreadable state becomes `JOB_STATE_UNSPECIFIED`, on which batchctl never acts. So one invalid job does not hide the
    others.
    """
    found = as_object(job)
    name = read_job_name(found.get("name"))
    if name is None:
        raise BadReply(f"{what}: a batch job without a usable name", hint="is the endpoint the Vertex AI API?")
    if name.location != account.location:
        raise BadReply(f"{what}: asked for jobs in {account.location}, got one in {name.location}")
    labels = found.get("labels") or {}
    if not isinstance(labels, dict):
        raise BadReply(f"{what}: {found['name']} has no readable labels, so its owner is unknown")
    state = job_members.job_state(found.get("state"))
    return RemoteJob(
        name=found["name"],
        account=account,
        display_name=job_members.text(found.get("displayName")),
        mark=read_mark(labels),
        broken=find_broken(labels),
        state=state,
        model=short_model(job_members.text(found.get("model"))),
        create_time=parse_time(found.get("createTime")),
        start_time=parse_time(found.get("startTime")),
        end_time=parse_time(found.get("endTime")),
        rows=_rows(as_object(found.get("completionStats")), ended=is_terminal(state)),
        error=job_members.status(found.get("error")),
    )


def _rows(stats: Mapping[str, Json], *, ended: bool) -> RowCounts:
    """Row counts. `-1` in the API means unknown; the total is known only when its parts are."""
    if not stats:
        return RowCounts()
    # The API omits zeros, so a missing count is known to be 0 only when all rows have been processed.
    missing = 0 if ended else None
    ok, failed, rest = (
        job_members.count(stats[name]) if name in stats else missing
        for name in ("successfulCount", "failedCount", "incompleteCount")
    )
    total = None if ok is None or failed is None or rest is None else ok + failed + rest
    return RowCounts(total, ok, failed)
