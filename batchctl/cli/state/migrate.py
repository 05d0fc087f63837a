"""`batchctl state migrate`: move the state to another place."""

from __future__ import annotations

from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.notes import note
from batchctl.cli.state.copy_results import copy_results
from batchctl.cli.state.opening import Opened, open_stack_state
from batchctl.manifests.state_and_results import URL_HINT, is_address, refuse_shared_address
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, GuardError, StateError, UsageError
from batchctl.model.stack import SharedPlace
from batchctl.report.layout import count
from batchctl.state.stack_state import StackState
from batchctl.state.whole_state import Content, find_divergence


@click.command()
@click.option(
    "--to",
    "to",
    metavar="PLACE",
    shell_complete=complete.files,
    help="The new place: gs://…, postgresql://…, or a path.",
)
@click.option("--results", metavar="ADDRESS", help="Copy the results folder to this gs:// address, too, or only that.")
@lock_option
@common_options
def migrate(*, common: Common, to: str | None, results: str | None, lock_timeout: str) -> None:
    """Move the state to another place, and leave a marker that names it.

    The copy is compared with the original before the marker is written. If the command is interrupted, run it again.
    """
    opened = open_stack_state(common, lock_timeout)
    if to is None and results is None:
        raise UsageError("neither --to nor --results is given", hint="name the new place of the state with --to")
    if results is not None:
        copy_results(opened, results)
    if to is not None:
        _move_state(opened, to)


def _move_state(opened: Opened, to: str) -> None:
    place = _read_place(to)
    if place == opened.stack.state:
        raise UsageError(f"the state is at {place} already", hint="name another place with --to")
    field = opened.field_of("state")
    try:
        content = opened.state.content()
    except StateError as error:
        if error.code != ErrorCode.STATE_MOVED or error.details.get("movedTo") != str(place):
            raise
        note(f"the state was moved to {place} before; set {field}: {place}")
        return
    if content.recorded.is_new:
        message = f"there is no state at {opened.stack.state} yet"
        raise BatchctlError(message, code=ErrorCode.STATE_FAILED, hint=f"set {field}: {place}, and run `apply`")
    _copy(content, opened, place)
    kept = opened.state.leave(str(place), content.recorded)
    jobs = count(len(content.recorded.jobs), "job")
    words = f"moved the state with {jobs} to {place}; a copy is kept as {kept}"
    note(f"{words}. Set {field}: {place}")


def _read_place(target: str) -> Path | SharedPlace:
    if not is_address(target):
        return Path(target).resolve()
    problem = refuse_shared_address(target)
    if problem is not None:
        raise UsageError(f"--to {problem}", hint=URL_HINT)
    return SharedPlace(target)


def _copy(content: Content, opened: Opened, place: Path | SharedPlace) -> None:
    """Copy the state, unless an earlier run did, and compare the copy. Raises GuardError for another state there."""
    state = opened.opener.open(place)
    if _is_copied(content, _present(state)):
        return
    with state.lock(over_marker=True) as session:
        divergence = find_divergence(_present(state), content)
        if divergence is not None:
            message = f"{place} has a state that this one does not continue: {divergence}"
            raise GuardError(message, code=ErrorCode.STATE_DIVERGED, hint="remove that state, or name another place")
        session.replace_content(content)
    if not _is_copied(content, state.content()):
        message = f"the copy at {place} differs from the original, which is unchanged"
        raise StateError(message, code=ErrorCode.STATE_BUSY, hint="another process wrote to it: run the command again")


def _present(state: StackState) -> Content:
    """The content of the new place; empty if it has no state, or a marker."""
    try:
        return state.content()
    except StateError as error:
        if error.code != ErrorCode.STATE_MOVED:
            raise
        return Content()


def _is_copied(original: Content, copy: Content) -> bool:
    """Whether a place has the state, or a later one that continues it."""
    return not copy.recorded.is_new and find_divergence(original, copy) is None
