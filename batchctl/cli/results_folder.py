"""Finds the folder with the results of a job, and says what to do if there is none."""

from __future__ import annotations

from pathlib import Path

from batchctl.cli.workspace import Workspace
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, ResultsError, TimeUpError
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import is_terminal
from batchctl.reconcile import attempt_on_record
from batchctl.rows.attempt_folders import attempt_folders
from batchctl.rows.folder import RESULTS_FILE
from batchctl.rows.read import find_current


def results_folder(workspace: Workspace, recorded: Recorded, name: str, number: int | None) -> Path:
    """The folder of an attempt's results; without a number, of the current attempt. Raises BatchctlError."""
    results = workspace.results
    results.bring_facts(name)
    folder = _find(workspace, recorded, name, number)
    if not results.files.has(folder / RESULTS_FILE):
        raise _incomplete(f"the results of {name} were collected, but are not in {results.shown(folder)} any more")
    results.bring_folder(folder)
    return folder


def damage(workspace: Workspace, name: str, folder: Path) -> ResultsError | None:
    """The error if the rows are not those that were collected."""
    why = workspace.results.shelf.verify(f"{folder.parent.name}/{folder.name}")
    if why is None:
        return None
    return _incomplete(f"the results of {name} in {workspace.results.shown(folder)} are incomplete: {why}")


def _incomplete(message: str) -> ResultsError:
    hint = "`batchctl apply` collects them again while the API has them; otherwise restore the folder"
    return ResultsError(message, code=ErrorCode.RESULTS_MISSING, hint=hint)


def _find(workspace: Workspace, recorded: Recorded, name: str, number: int | None) -> Path:
    job = recorded.jobs.get(name)
    if job is None or not job.attempts:
        return _of_unrecorded(workspace, recorded, name, number)
    wanted = job.row.current if number is None else number
    attempt = attempt_on_record(job, wanted)
    if attempt is not None and attempt.results is not None:
        return workspace.results.root / attempt.results
    kept = {**_folders(workspace, name), **_recorded_folders(workspace, job)}
    if attempt is not None:
        raise _not_there(name, attempt, [one for one in kept if one != wanted])
    if wanted in kept:
        return kept[wanted]
    numbers = ", ".join(map(str, sorted({one.key.attempt for one in job.attempts} | kept.keys())))
    raise BatchctlError(f"{name} has no attempt {wanted}", code=ErrorCode.ATTEMPT_NOT_FOUND, hint=f"it has: {numbers}")


def _of_unrecorded(workspace: Workspace, recorded: Recorded, name: str, number: int | None) -> Path:
    """A job that was removed has left its results behind."""
    if number is None:
        found = find_current(workspace.results.root, name, workspace.results.files)
    else:
        found = _folders(workspace, name).get(number)
    if found is not None:
        return found
    workspace.require([name], recorded)
    raise TimeUpError(f"{name} has not been created yet", code=ErrorCode.RESULTS_NOT_READY, hint="run `batchctl apply`")


def _folders(workspace: Workspace, name: str) -> dict[int, Path]:
    return attempt_folders(workspace.results.root, name, workspace.results.files)


def _recorded_folders(workspace: Workspace, job: RecordedJob) -> dict[int, Path]:
    results = workspace.results
    found = [attempt_on_record(job, number) for number in sorted({one.key.attempt for one in job.attempts})]
    attempts = [one for one in found if one is not None and one.results]
    folders = {one.key.attempt: results.root / (one.results or "") for one in attempts}
    return {number: folder for number, folder in folders.items() if results.files.has(folder / RESULTS_FILE)}


def _not_there(name: str, attempt: RecordedAttempt, former: list[int]) -> BatchctlError:
    """The error for an attempt without results; `former` attempts have some."""
    more = f"; `batchctl results {name} --attempt {max(former)}` prints the former results" if former else ""
    if attempt.rejected:
        message = attempt.error.message if attempt.error else "no reason was given"
        hint = f"change the manifest{more}"
        return BatchctlError(f"{name} was refused by the API: {message}", code=ErrorCode.REJECTED, hint=hint)
    if attempt.gone_time is not None:
        return BatchctlError(
            f"{name}: the remote job is gone, and its results were not collected before",
            code=ErrorCode.RESULTS_LOST,
            hint=f"change spec.runId to run the same work again{more}",
        )
    ended = attempt.state is not None and is_terminal(attempt.state)
    words = "has ended, but its results are not collected yet" if ended else "has not ended yet"
    hint = f"`batchctl watch` waits and collects{more}"
    return TimeUpError(f"{name} {words}", code=ErrorCode.RESULTS_NOT_READY, hint=hint)
