"""The input of a decision with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import Observation, RemoteJob
from batchctl.model.stack import Stack
from batchctl.reconcile.question import Question


def with_options(question: Question, **changes: Any) -> Question:  # noqa: ANN401 - any option
    """With other options of the command."""
    return replace(question, options=replace(question.options, **changes))


def with_stack(question: Question, change: Callable[[Stack], Stack]) -> Question:
    """With another stack file."""
    return replace(question, desired=replace(question.desired, stack=change(question.desired.stack)))


def with_jobs(question: Question, jobs: tuple[DesiredJob, ...]) -> Question:
    """With other manifests."""
    return replace(question, desired=replace(question.desired, jobs=jobs))


def with_job(question: Question, name: str, **changes: Any) -> Question:  # noqa: ANN401 - any member of a manifest
    """With another manifest of one job."""
    jobs = (replace(job, **changes) if job.name == name else job for job in question.desired.jobs)
    return with_jobs(question, tuple(jobs))


def without_job(question: Question, name: str) -> Question:
    """Without the manifest of a job."""
    return with_jobs(question, tuple(job for job in question.desired.jobs if job.name != name))


def with_lifecycle(question: Question, job: DesiredJob, **changes: Any) -> Question:  # noqa: ANN401 - any field
    """With another `lifecycle` of one job, in its manifest and on record: recording it is an action, too."""
    lifecycle: Lifecycle = replace(job.lifecycle, **changes)
    return with_job(with_recorded_lifecycle(question, job.name, lifecycle), job.name, lifecycle=lifecycle)


def with_recorded_lifecycle(question: Question, name: str, lifecycle: Lifecycle) -> Question:
    """With another `lifecycle` of one job on record, if it is recorded."""
    record = question.recorded.jobs.get(name)
    if record is None:
        return question
    changed = replace(record, row=replace(record.row, lifecycle=lifecycle))
    return replace(question, recorded=replace(question.recorded, jobs={**question.recorded.jobs, name: changed}))


def after(question: Question, span: timedelta) -> Question:
    """The same some time later, when everything looks as it did."""
    looks = {account: replace(look, now=look.now + span) for account, look in question.observed.items()}
    return replace(question, now=question.now + span, observed=looks)


def with_looks(question: Question, change: Callable[[Observation], Observation]) -> Question:
    """With other observations."""
    return replace(question, observed={account: change(look) for account, look in question.observed.items()})


def with_remotes(question: Question, names: frozenset[str], change: Callable[[RemoteJob], RemoteJob]) -> Question:
    """With other observations of these remote jobs."""

    def changed(look: Observation) -> Observation:
        return replace(look, jobs=tuple(change(job) if job.name in names else job for job in look.jobs))

    return with_looks(question, changed)
