"""`batchctl results NAME...`: the rows of jobs' results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click
from msgspec import Struct

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.job_selection import JobSelection, select_jobs, selected_names, warn_of_empty_scope
from batchctl.cli.plan_output import open_progress
from batchctl.cli.results_folder import damage, results_folder
from batchctl.cli.results_output import FORMATS, TABLE_FORMATS, chosen_format, open_sink
from batchctl.cli.row_orders import VerdictType
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob, Json
from batchctl.model.errors import BatchctlError, ResultsError, UsageError
from batchctl.model.keys import short_uid
from batchctl.model.observed import RowCounts
from batchctl.model.ports import InputRow
from batchctl.model.row_settings import RowSettings, judge_rows
from batchctl.model.verdicts import RowVerdict
from batchctl.report.words import anonymous_words, rows_text
from batchctl.rows.encode import RowEncoder
from batchctl.rows.input_list import listed_rows
from batchctl.rows.missing import sent_rows, with_missing
from batchctl.rows.read import read_attempt, read_digest, read_gaps, read_results
from batchctl.rows.requests import with_request, with_requests
from batchctl.rows.result_lines import lines_with_head
from batchctl.rows.selection import RowSelection, judged


@click.command()
@select_jobs(required=True)
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Print the results of this attempt.")
@click.option("--failed", is_flag=True, help="Print only rows without a good answer.")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=VerdictType(),
    metavar="CODE",
    help="Print only rows with this verdict; repeatable (docs/verdicts.md).",
)
@click.option(
    "--key", "keys", multiple=True, metavar="KEY", help="Print only the row with this key or custom_id; repeatable."
)
@click.option("--join", is_flag=True, help="Add the row's request, if the manifest still has the same input.")
@click.option(
    "--out", metavar="FILE", shell_complete=complete.files, help="Write to this file, completely or not at all."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    help="Output format (docs/results.md); json is the same as jsonl.  [default: by the ending of FILE, else jsonl]",
)
@common_options
def results(
    *,
    common: Common,
    selection: JobSelection,
    attempt: int | None,
    failed: bool,
    reasons: tuple[str, ...],
    keys: tuple[str, ...],
    join: bool,
    out: str | None,
    output: str | None,
) -> None:
    """Print the collected results, one JSON object per row.

    Each has key, index, verdict, input, attempt, and response or error. If there are several jobs, each has the job,
    too.
    """
    if attempt is not None and not selection.names_one:
        raise UsageError("--attempt is for one job", hint="run the command once per job")
    form = chosen_format(output, out)
    workspace = open_workspace(common, selection.filenames)
    jobs = _find(workspace, selection, attempt)
    shows_job = not selection.names_one or form in TABLE_FORMATS
    rows, found = RowSelection(failed, frozenset(reasons), frozenset(keys)), set[str]()
    problems: list[BatchctlError] = []
    with open_sink(form, out) as sink:
        for job in jobs:
            problem = damage(workspace, job.name, job.folder)
            head = _head(job, shows_job=shows_job)
            if sink.write_lines is not None and problem is None and rows.is_all and not join:
                for lines in lines_with_head(job.folder, head):
                    sink.write_lines(lines)
                continue
            for row in rows.pick(_rows(job, workspace, rows, head, join=join), job.accepted, found):
                sink.write(row)
            problems += [] if problem is None else [problem]
        problems += _missing_keys(keys, found)
        if out is not None and problems:
            raise problems[0]
    _warn(workspace, jobs, join=join)
    if problems:
        # The rows were printed all the same: they were paid for.
        raise problems[0]


class _Job(Struct, frozen=True):
    """A job with collected results."""

    name: str
    folder: Path
    desired: DesiredJob | None
    """Its manifest, if it asks for the work that these are the results of."""
    accepted: frozenset[str]
    """Verdicts that count as good besides OK."""
    since: int
    """The first attempt whose answers count."""


def _find(workspace: Workspace, selection: JobSelection, attempt: int | None) -> list[_Job]:
    """The selected jobs. Raises unless each has results, so that no output lacks a job."""
    recorded = workspace.state.load()
    warn_of_empty_scope(selection, workspace.stack, workspace.desired.jobs, recorded)
    # A named job may be in neither, because it was removed and has left its results behind.
    selected = selected_names(workspace, selection, recorded)
    names = selected if selection.filenames or selection.selector else dict.fromkeys(selection.names)
    manifests = {job.name: job for job in workspace.desired.jobs}
    found = []
    for name in names:
        folder, manifest = results_folder(workspace, recorded, name, attempt), manifests.get(name)
        is_same = manifest is not None and manifest.digest == read_digest(folder)
        accepted = frozenset[str]() if manifest is None else manifest.row_settings.accept
        since = recorded.jobs[name].row.rows_since if name in recorded.jobs else 1
        found.append(_Job(name, folder, manifest if is_same else None, accepted, since))
    return found


def _head(job: _Job, *, shows_job: bool) -> Mapping[str, Json]:
    """The members that identify a row, with their defaults; they come before its answer, which may be long."""
    owner = {"job": job.name} if shows_job else {}
    return {**owner, "key": None, "index": None, "verdict": None, "input": None, "attempt": read_attempt(job.folder)}


def _rows(
    job: _Job, workspace: Workspace, selection: RowSelection, head: Mapping[str, Json], *, join: bool
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
        requests = _requests(job, workspace)
        rows = (with_request(row, None) for row in rows) if requests is None else with_requests(rows, requests)
    return map(judged, rows)


def _requests(job: _Job, workspace: Workspace) -> Iterator[Mapping[str, Json] | None] | None:
    """The requests of a job's input, as they were sent; None where batchctl does not have the same input."""
    return None if job.desired is None else _encoder(workspace).requests(job.desired)


def _input_rows(job: _Job, workspace: Workspace) -> Iterable[InputRow] | None:
    """The rows of a job's input; None where batchctl does not have the same input."""
    if job.desired is None:
        return None
    rows = _encoder(workspace).rows(job.desired)
    return listed_rows(workspace.results.root, job.name, job.desired.digest) if rows is None else rows


def _encoder(workspace: Workspace) -> RowEncoder:
    return RowEncoder(workspace.stack.limits.line_bytes)


def _missing_keys(keys: Iterable[str], found: set[str]) -> list[BatchctlError]:
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    if not missing:
        return []
    message = f"no row has the key {', '.join(missing)}"
    hint = "`batchctl results NAME -o csv` lists the keys; a row without a result is not among them"
    return [BatchctlError(message, code=ErrorCode.ROW_NOT_FOUND, hint=hint)]


def _warn(workspace: Workspace, jobs: Iterable[_Job], *, join: bool) -> None:
    """Warn of what the rows do not show."""
    words = [(job.name, text) for job in jobs for text in (*_gaps(job), *(_join_gap(job, workspace) if join else ()))]
    if words:
        with open_progress(workspace) as progress:
            for name, text in words:
                progress.warn(f"{name}: {text}")


def _join_gap(job: _Job, workspace: Workspace) -> Iterator[str]:
    if job.desired is None:
        yield "request is null: the manifest is gone, or its input is not the one with these results"
    elif _requests(job, workspace) is None:
        yield "request is null: the input is neither in the manifest nor in a local file"


def _gaps(job: _Job) -> Iterator[str]:
    """The rows by verdict, and what the rows do not show: input without a result, and results without an input row."""
    try:
        gaps = read_gaps(job.folder)
    except ResultsError as error:
        # The rows are there, and were paid for.
        yield f"whether rows are missing is not known: {error.message}"
        return
    if gaps.verdicts.keys() - {RowVerdict.OK}:
        rows = judge_rows(RowCounts(verdicts=gaps.verdicts), RowSettings(job.accepted), None)
        yield rows_text(rows)
    missing = gaps.missing - gaps.verdicts.get(RowVerdict.NOT_SENT, 0)
    if missing:
        yield "1 input row has no result" if missing == 1 else f"{missing} input rows have no result"
    if gaps.unmatched:
        found = "1 result matches" if gaps.unmatched == 1 else f"{gaps.unmatched} results match"
        yield f"{found} no input row, or one that has another answer: index is null"
    if gaps.anonymous:
        yield anonymous_words(gaps.anonymous)
