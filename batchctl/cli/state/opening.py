"""Opens the state for `state` commands. They do not read manifests, so they work while manifests are invalid."""

from __future__ import annotations

import os
from datetime import datetime
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from batchctl.cli.common import Common
from batchctl.cli.job_selection import JobSelection, warn_of_empty_scope
from batchctl.cli.notes import name_stack
from batchctl.cli.open_results import ResultsOpener
from batchctl.cli.open_state import Opener
from batchctl.cli.workspace import duration, load_only_stack, lock_notice
from batchctl.engine.clock import SystemClock
from batchctl.manifests.manifest_files import find_stack_file
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event, EventKind
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Stack
from batchctl.model.suggest import did_you_mean
from batchctl.model.writes import AddEvent
from batchctl.reconcile import names_in_scope
from batchctl.rows.place import ResultsPlace
from batchctl.state.stack_state import StackState


class Opened(Struct, frozen=True, dict=True):
    """A stack's state."""

    stack: Stack
    state: StackState
    clock: SystemClock
    opener: Opener

    @cached_property
    def results(self) -> ResultsPlace:
        """The collected results. Raises ResultsError without usable credentials."""
        return ResultsOpener(lambda: self.stack, self.clock).open(self.stack.results)

    def field_of(self, place: str) -> str:
        """The field of the stack file that sets `state` or `results` of this stack; a target has its own."""
        return f"spec.{place}" if self.stack.target is None else f"spec.targets.{self.stack.target}.{place}"

    def event(self, job: str, kind: EventKind, why: str) -> AddEvent:
        """A line for the history."""
        now: datetime = self.clock.now()
        return AddEvent(Event(now, job, None, kind.words, why))


def open_stack_state(common: Common, lock_timeout: str = "0s", path: Path | None = None) -> Opened:
    """Load the stack file and find its state, or use the file `path` instead.

    Raises ManifestError, UsageError.
    """
    stack = load_only_stack(common, find_stack_file(common.config, os.environ, (), Path()))
    name_stack(stack.name)
    clock = SystemClock()
    seconds = duration(lock_timeout, "--lock-timeout")
    opener = Opener(stack, clock, seconds, lock_notice(common, lock_timeout))
    return Opened(stack, opener.open(path or stack.state), clock, opener)


def find_jobs(opened: Opened, recorded: Recorded, selection: JobSelection) -> list[RecordedJob]:
    """The records of the selected jobs. Raises BatchctlError (`JobNotFound`) for a name that the state lacks."""
    for name in selection.names:
        find_job(recorded, name)
    warn_of_empty_scope(selection, opened.stack, (), recorded)
    inside = names_in_scope(selection.scope(opened.stack), {}, recorded)
    return [recorded.jobs[name] for name in dict.fromkeys(selection.names or sorted(inside)) if name in inside]


def find_job(recorded: Recorded, name: str) -> RecordedJob:
    """The record of a job. Raises BatchctlError (`JobNotFound`)."""
    if name in recorded.jobs:
        return recorded.jobs[name]
    hint = did_you_mean(name, recorded.jobs, "`batchctl state list` lists the recorded jobs")
    raise BatchctlError(f"there is no job {name} in the state", code=ErrorCode.JOB_NOT_FOUND, hint=hint)
