"""`batchctl results NAME`: print the rows of a job's results."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from batchctl.cli.common import Common, common_options
from batchctl.cli.output import open_progress
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, ResultsError, TimeUpError
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import RecordedAttempt, RecordedJob
from batchctl.model.row_settings import RowSettings, judge_rows
from batchctl.model.states import is_terminal
from batchctl.model.verdicts import RowVerdict
from batchctl.report.documents import to_json_line
from batchctl.report.words import anonymous_words, rows_text
from batchctl.rows.folder import RESULTS_FILE
from batchctl.rows.looks import ResultsShelf
from batchctl.rows.read import find_current, read_attempt, read_gaps, read_results
from batchctl.rows.selection import RowSelection


@click.command()
@click.argument("name")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Print the results of this attempt.")
@click.option("--failed", is_flag=True, help="Print only rows without a good answer.")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice([code.value for code in RowVerdict], case_sensitive=False),
    metavar="CODE",
    help="Print only rows with this verdict; repeatable (docs/verdicts.md).",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Both give one JSON object a row."
)
@common_options
def results(
    *, common: Common, name: str, attempt: int | None, failed: bool, reasons: tuple[str, ...], output: str
) -> None:
    """Print the collected results, one JSON object per row.

    Each has key, index, verdict, response or error, input, and attempt.
    """
    workspace = open_workspace(common)
    folder = _folder(workspace, name, attempt)
    _require_rows(name, folder)
    # The members that identify a row come before its answer, which may be long.
    head = {"key": None, "index": None, "verdict": None, "input": None, "attempt": read_attempt(folder)}
    accepted = next((job.row_settings.accept for job in workspace.desired.jobs if job.name == name), frozenset())
    selection = RowSelection(failed, frozenset(reasons), accepted)
    for row in selection.pick(read_results(folder)):
        sys.stdout.write(to_json_line({**head, **row}))
    gaps = list(_gaps(folder, accepted))
    if gaps:
        with open_progress(workspace) as progress:
            for words in gaps:
                progress.warn(f"{name}: {words}")
    _require_complete(name, folder, workspace)


def _gaps(folder: Path, accepted: frozenset[str]) -> Iterator[str]:
    """The rows by verdict, and what the rows do not show: input without a result, and results without an input row."""
    try:
        gaps = read_gaps(folder)
    except ResultsError as error:
        # The rows exist and were paid for.
        yield f"it is not known whether rows are missing: {error.message}"
        return
    if gaps.verdicts.keys() - {RowVerdict.OK}:
        rows = judge_rows(RowCounts(verdicts=gaps.verdicts), RowSettings(accepted), None)
        yield rows_text(rows)
    if gaps.missing:
        yield "1 input row has no result" if gaps.missing == 1 else f"{gaps.missing} input rows have no result"
    if gaps.unmatched:
        found = "1 result matches" if gaps.unmatched == 1 else f"{gaps.unmatched} results match"
        yield f"{found} no input row, or one that has another answer: index is null"
    if gaps.anonymous:
        yield anonymous_words(gaps.anonymous)


def _require_rows(name: str, folder: Path) -> None:
    if not (folder / RESULTS_FILE).is_file():
        shown = os.path.relpath(folder)
        raise _not_whole(f"the results of {name} were collected, but are not in {shown} any more")


def _require_complete(name: str, folder: Path, workspace: Workspace) -> None:
    """Raise if the rows are not those that were collected. They were printed before, because they were paid for."""
    why = ResultsShelf(workspace.stack.results).verify(f"{folder.parent.name}/{folder.name}")
    if why is not None:
        raise _not_whole(f"the results of {name} in {os.path.relpath(folder)} are incomplete: {why}")


def _not_whole(message: str) -> ResultsError:
    hint = "`batchctl apply` collects them again while the API has them; otherwise restore the folder"
    return ResultsError(message, code=ErrorCode.RESULTS_MISSING, hint=hint)


def _folder(workspace: Workspace, name: str, number: int | None) -> Path:
    """The folder of the results. The results of a removed job still exist."""
    recorded = workspace.state.load()
    job = recorded.jobs.get(name)
    if job is None or not job.attempts:
        found = find_current(workspace.stack.results, name) if number is None else None
        if found is not None:
            return found
        workspace.require([name], recorded)
        raise TimeUpError(
            f"{name} has not been created yet", code=ErrorCode.RESULTS_NOT_READY, hint="run `batchctl apply`"
        )
    attempt = _attempt(job, number)
    if attempt.results is not None:
        return workspace.stack.results / attempt.results
    raise _not_there(name, attempt)


def _attempt(job: RecordedJob, number: int | None) -> RecordedAttempt:
    wanted = job.row.current if number is None else number
    for attempt in job.attempts:
        if attempt.key.attempt == wanted:
            return attempt
    numbers = ", ".join(str(attempt.key.attempt) for attempt in job.attempts)
    raise BatchctlError(
        f"{job.name} has no attempt {wanted}", code=ErrorCode.ATTEMPT_NOT_FOUND, hint=f"it has: {numbers}"
    )


def _not_there(name: str, attempt: RecordedAttempt) -> BatchctlError:
    if attempt.rejected:
        message = attempt.error.message if attempt.error else "no reason was given"
        return BatchctlError(
            f"{name} was refused by the API: {message}", code=ErrorCode.REJECTED, hint="change the manifest"
        )
    if attempt.gone_time is not None:
        return BatchctlError(
            f"{name}: the remote job is gone, and its results were not collected before",
            code=ErrorCode.RESULTS_LOST,
            hint="change spec.runId to run the same work again",
        )
    ended = attempt.state is not None and is_terminal(attempt.state)
    words = "has ended, but its results are not collected yet" if ended else "has not ended yet"
    return TimeUpError(f"{name} {words}", code=ErrorCode.RESULTS_NOT_READY, hint="`batchctl watch` waits and collects")
