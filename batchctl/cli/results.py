"""`batchctl results NAME...`: the rows of jobs' results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from batchctl.cli import complete
from batchctl.cli.collected_rows import CollectedJob, find_collected, head_of, requests_of, rows_of
from batchctl.cli.common import Common, common_options
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.plan_output import open_progress
from batchctl.cli.results_folder import damage
from batchctl.cli.results_output import FORMATS, TABLE_FORMATS, chosen_format, open_sink
from batchctl.cli.row_orders import VerdictType
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, ResultsError, UsageError
from batchctl.model.observed import RowCounts
from batchctl.model.row_settings import RowSettings, judge_rows
from batchctl.model.verdicts import RowVerdict
from batchctl.report.words import anonymous_words, rows_text
from batchctl.rows.read import read_gaps
from batchctl.rows.result_lines import lines_with_head
from batchctl.rows.selection import RowSelection


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
    jobs = find_collected(workspace, selection, attempt)
    shows_job = not selection.names_one or form in TABLE_FORMATS
    rows, found = RowSelection(failed, frozenset(reasons), frozenset(keys)), set[str]()
    problems: list[BatchctlError] = []
    with open_sink(form, out) as sink:
        for job in jobs:
            problem = damage(workspace, job.name, job.folder)
            head = head_of(job, shows_job=shows_job)
            if sink.write_lines is not None and problem is None and rows.is_all and not join:
                for lines in lines_with_head(job.folder, head):
                    sink.write_lines(lines)
                continue
            for row in rows.pick(rows_of(job, workspace, rows, head, join=join), job.accepted, found):
                sink.write(row)
            problems += [] if problem is None else [problem]
        problems += _missing_keys(keys, found)
        if out is not None and problems:
            raise problems[0]
    _warn(workspace, jobs, join=join)
    if problems:
        # The rows were printed all the same: they were paid for.
        raise problems[0]


def _missing_keys(keys: Iterable[str], found: set[str]) -> list[BatchctlError]:
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    if not missing:
        return []
    message = f"no row has the key {', '.join(missing)}"
    hint = "`batchctl results NAME -o csv` lists the keys; a row without a result is not among them"
    return [BatchctlError(message, code=ErrorCode.ROW_NOT_FOUND, hint=hint)]


def _warn(workspace: Workspace, jobs: Iterable[CollectedJob], *, join: bool) -> None:
    """Warn of what the rows do not show."""
    words = [(job.name, text) for job in jobs for text in (*_gaps(job), *(_join_gap(job, workspace) if join else ()))]
    if words:
        with open_progress(workspace) as progress:
            for name, text in words:
                progress.warn(f"{name}: {text}")


def _join_gap(job: CollectedJob, workspace: Workspace) -> Iterator[str]:
    if job.desired is None:
        yield "request is null: the manifest is gone, or its input is not the one with these results"
    elif requests_of(job, workspace) is None:
        yield "request is null: the input is neither in the manifest nor in a local file"


def _gaps(job: CollectedJob) -> Iterator[str]:
    """The rows by verdict, and what the rows do not show: input without a result, and results without an input row."""
    try:
        gaps = read_gaps(job.folder)
    except ResultsError as error:
        # The rows are there, and were paid for.
        yield f"whether rows are missing is not known: {error.message}"
        return
    missing = gaps.missing - gaps.verdicts.get(RowVerdict.NOT_SENT, 0)
    # The next warning is about those without a result.
    named = {code: number for code, number in gaps.verdicts.items() if code != RowVerdict.NO_RESULT or not missing}
    if named.keys() - {RowVerdict.OK}:
        yield rows_text(judge_rows(RowCounts(verdicts=named), RowSettings(job.accepted), None))
    if missing:
        yield "1 input row has no result" if missing == 1 else f"{missing} input rows have no result"
    if gaps.unmatched:
        found = "1 result matches" if gaps.unmatched == 1 else f"{gaps.unmatched} results match"
        yield f"{found} no input row, or one that has another answer: index is null"
    if gaps.anonymous:
        yield anonymous_words(gaps.anonymous)
