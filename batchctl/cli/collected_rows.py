"""The collected rows of jobs, for `results` and the web page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.cli.job_selection import JobSelection, selected_names, warn_of_empty_scope
from batchctl.cli.results_folder import results_folder
from batchctl.cli.workspace import Workspace
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.keys import short_uid
from batchctl.model.ports.inputs import InputRow
from batchctl.model.recorded import Recorded
from batchctl.rows.encode import RowEncoder
from batchctl.rows.input_list import listed_rows
from batchctl.rows.missing import sent_rows, with_missing
from batchctl.rows.read import read_attempt, read_digest, read_results
from batchctl.rows.requests import with_request, with_requests
from batchctl.rows.selection import RowSelection, judged


class CollectedJob(Struct, frozen=True):
    """A job with collected results."""

    name: str
    folder: Path
    desired: DesiredJob | None
    """Its manifest, if it asks for the work that these are the results of."""
    accepted: frozenset[str]
    """Verdicts that count as good besides OK."""
    since: int
    """The first attempt whose answers count."""


def find_collected(workspace: Workspace, selection: JobSelection, attempt: int | None) -> list[CollectedJob]:
    """The selected jobs. Raises unless each has results, so that no output lacks a job."""
    recorded = workspace.state.load()
    warn_of_empty_scope(selection, workspace.stack, workspace.desired.jobs, recorded)
    # A named job may be in neither, because it was removed and has left its results behind.
    selected = selected_names(workspace, selection, recorded)
    names = selected if selection.filenames or selection.selector else dict.fromkeys(selection.names)
    return [find_one(workspace, recorded, name, attempt) for name in names]


def find_one(workspace: Workspace, recorded: Recorded, name: str, attempt: int | None) -> CollectedJob:
    """One job by its name. Raises BatchctlError if it has no results, or none of this attempt."""
    folder = results_folder(workspace, recorded, name, attempt)
    manifest = next((job for job in workspace.desired.jobs if job.name == name), None)
    is_same = manifest is not None and manifest.digest == read_digest(folder)
    accepted = frozenset[str]() if manifest is None else manifest.row_settings.accept
    since = recorded.jobs[name].row.rows_since if name in recorded.jobs else 1
    return CollectedJob(name, folder, manifest if is_same else None, accepted, since)


def head_of(job: CollectedJob, *, shows_job: bool) -> Mapping[str, Json]:
    """The members that identify a row, with their defaults; they come before its answer, which may be long."""
    owner = {"job": job.name} if shows_job else {}
    return {**owner, "key": None, "index": None, "verdict": None, "input": None, "attempt": read_attempt(job.folder)}


def rows_of(
    job: CollectedJob, workspace: Workspace, selection: RowSelection, head: Mapping[str, Json], *, join: bool
) -> Iterator[Mapping[str, Json]]:
    """All rows of a job, each with all members of the contract."""
    rows: Iterable[Mapping[str, Json]] = ({**head, **row} for row in read_results(job.folder))
    inputs = _input_rows(job, workspace) if selection.wants_missing else None
    if inputs is not None:
        rows = with_missing(
            rows,
            inputs,
            head,
            sent_rows(job.folder, short_uid(workspace.stack.uid), job.since, workspace.results.files),
        )
    if join:
        requests = requests_of(job, workspace)
        rows = (with_request(row, None) for row in rows) if requests is None else with_requests(rows, requests)
    return map(judged, rows)


def requests_of(job: CollectedJob, workspace: Workspace) -> Iterator[Mapping[str, Json] | None] | None:
    """The requests of a job's input, as they were sent; None where batchctl does not have the same input."""
    return None if job.desired is None else _encoder(workspace).requests(job.desired)


def _input_rows(job: CollectedJob, workspace: Workspace) -> Iterable[InputRow] | None:
    """The rows of a job's input; None where batchctl does not have the same input."""
    if job.desired is None:
        return None
    rows = _encoder(workspace).rows(job.desired)
    return listed_rows(workspace.results.root, job.name, job.desired.digest) if rows is None else rows


def _encoder(workspace: Workspace) -> RowEncoder:
    return RowEncoder(workspace.stack.limits.line_bytes)
