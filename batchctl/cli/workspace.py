"""The input of a command: the stack, its jobs, the scope, and the state."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from batchctl.cli.caches import ROWS, cache_folder
from batchctl.cli.call_progress import watch_calls
from batchctl.cli.common import Common
from batchctl.cli.known_rows import KnownRows
from batchctl.cli.notes import name_stack, note
from batchctl.cli.open_results import ResultsOpener
from batchctl.cli.open_state import Opener
from batchctl.cli.tracing import name_traced, new_board
from batchctl.engine.clock import SystemClock
from batchctl.manifests.compose import MAX_BYTES
from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.known_files import KnownFiles
from batchctl.manifests.load import Asked, load, load_stack
from batchctl.manifests.manifest_files import STACK_FILE, STANDARD_INPUT, find_stack_file
from batchctl.manifests.seen_files import SeenFiles
from batchctl.manifests.trust import Trust
from batchctl.model.activity import Activity
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.ports.row_reader import RowReader
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Stack
from batchctl.model.suggest import did_you_mean, is_file_name
from batchctl.reconcile import WHOLE_STACK, Scope, parse_selector
from batchctl.report.activity import Board

if TYPE_CHECKING:  # `validate` needs no state, and SQLite takes a tenth of its start
    from batchctl.rows.place import ResultsPlace
    from batchctl.state.stack_state import StackState


class Sources(Struct, frozen=True):
    """The sources of manifests besides the stack file."""

    filenames: tuple[str, ...]
    stdin: bytes | None
    """The content of standard input, which can be read only once."""
    known: KnownFiles
    """Files of manifests that were read before."""
    seen: SeenFiles
    """The files that the last reading has looked at."""


class StateOpening(Struct, frozen=True, dict=True):
    """Opens the state of the stack as the command first read it, when it is first needed."""

    common: Common
    stack: Stack
    clock: SystemClock
    lock_timeout: str

    activity: Activity
    _read: list[Recorded] = field(default_factory=list)

    @cached_property
    def state(self) -> StackState:
        return self.opener.open(self.stack.state)

    def recorded(self, like: Iterable[DesiredJob]) -> Recorded:
        """Read once, for all scopes of the command; `like`: see `StateStore.load`. Raises StateError."""
        if not self._read:
            self._read.append(self.state.load(like))
        return self._read[0]

    @property
    def opener(self) -> Opener:
        """Opens states of this stack."""
        seconds = duration(self.lock_timeout, "--lock-timeout")
        return Opener(self.stack, self.clock, seconds, lock_notice(self.common, self.lock_timeout), self.activity)


class Workspace(Struct, frozen=True, dict=True):
    """A loaded stack."""

    common: Common
    file: Path
    desired: DesiredStack
    scope: Scope
    clock: SystemClock
    opening: StateOpening
    board: Board
    """The running tasks of the command."""
    sources: Sources
    rows: KnownRows
    results_opener: ResultsOpener

    @property
    def stack(self) -> Stack:
        return self.desired.stack

    @property
    def state(self) -> StackState:
        return self.opening.state

    @property
    def results(self) -> ResultsPlace:
        """The collected results. Raises ResultsError without usable credentials."""
        return self.results_opener.open(self.stack.results)

    @property
    def recorded(self) -> Recorded:
        """The state as the command first read it, for commands that take no lock. Raises StateError."""
        return self.opening.recorded(self.desired.jobs)

    def known(self, recorded: Recorded) -> set[str]:
        """The names of all jobs, desired or recorded."""
        return {job.name for job in self.desired.jobs} | recorded.jobs.keys()

    def require(self, names: Iterable[str], recorded: Recorded) -> None:
        """Raise if a name belongs to no job, desired or recorded."""
        known = self.known(recorded)
        for name in names:
            if name not in known:
                hint = did_you_mean(name, sorted(known), "`batchctl status` lists the jobs")
                if is_file_name(name):
                    hint = f"-f {name} selects the jobs of a file or a folder"
                raise BatchctlError(f"there is no job {name}", code=ErrorCode.JOB_NOT_FOUND, hint=hint)


def open_workspace(
    common: Common,
    filenames: Sequence[str] = (),
    selector: str | None = None,
    names: Sequence[str] = (),
    lock_timeout: str = "0s",
    *,
    faults: Faults | None = None,
    offline: bool = False,
    sends_rows: bool = False,
) -> Workspace:
    """Load the stack and find its scope. Raises ManifestError, UsageError.

    `faults` may drop errors outside `-f`. `offline`: no API is called, so results in a bucket give no rows.
    `sends_rows`: the command may send rows of files.
    """
    clock = SystemClock()
    # Relative, so that messages have the paths of the user.
    file = find_stack_file(common.config, os.environ, filenames, Path())
    board = new_board()
    results = ResultsOpener(lambda: load_only_stack(common, file), clock, board, offline=offline)
    rows = KnownRows(board, cache_folder(os.environ, ROWS), results.open, sends_rows=sends_rows)
    with watch_calls(common, clock, board):
        stdin = sys.stdin.buffer.read(MAX_BYTES + 1) if STANDARD_INPUT in filenames else None
        sources = Sources(tuple(filenames), stdin, KnownFiles(), SeenFiles())
        desired = load_desired(common, file, sources, rows, faults)
    stack = desired.stack
    name_stack(stack.name)
    name_traced(stack.name)
    duration(lock_timeout, "--lock-timeout")
    scope = Scope(
        frozenset(scope_path(name, stack.file) for name in filenames),
        parse_selector(selector) if selector else (),
        frozenset(names),
    )
    opening = StateOpening(common, stack, clock, lock_timeout, board)
    return Workspace(common, file, desired, scope, clock, opening, board, sources, rows, results)


def is_asked(common: Common, filenames: Sequence[str]) -> Callable[[str], bool] | None:
    """Whether a manifest is inside `-f`, by its path in the stack; None: all are. Raises ManifestError."""
    if not filenames:
        return None
    file = find_stack_file(common.config, os.environ, filenames, Path())
    scope = Scope(paths=frozenset(scope_path(name, file) for name in filenames))
    return lambda path: scope.contains("", path, {})


def load_desired(
    common: Common, file: Path, sources: Sources, rows: RowReader, faults: Faults | None = None
) -> DesiredStack:
    """Read the stack and its manifests. Raises ManifestError."""
    return load(
        file,
        Asked(
            sources.filenames, None if sources.stdin is None else io.BytesIO(sources.stdin), sources.known, sources.seen
        ),
        overrides=common.overrides,
        env=os.environ,
        rows=rows,
        trust=Trust.from_env(os.environ),
        faults=Faults(is_asked(common, sources.filenames)) if faults is None else faults,
    )


def load_only_stack(common: Common, file: Path) -> Stack:
    """Read the stack without its manifests. Raises ManifestError, UsageError."""
    return load_stack(
        file,
        overrides=common.overrides,
        env=os.environ,
        trust=Trust.from_env(os.environ),
    )


def duration(text: str, option: str) -> float:
    """Seconds of a duration such as `90s` or `1h30m`. Raises UsageError naming the option."""
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        reason = "is not a duration" if str(error).startswith("must ") else str(error)
        raise UsageError(f"{option}: {text!r} {reason}", hint="write it as 90s, 15m or 1h30m") from error


def time_limit(timeout: str | None) -> timedelta | None:
    """The value of `--timeout`; None: no limit. Raises UsageError."""
    return None if timeout is None else timedelta(seconds=duration(timeout, "--timeout"))


def scope_path(filename: str, stack_file: Path) -> str:
    """A path of `-f` in the form of the scope: relative to the stack's folder, `.` for all of it."""
    if filename == "-":
        return filename
    file, path = stack_file.resolve(), Path(filename).resolve()
    folder = file.parent
    if folder.is_relative_to(path) or path == folder / STACK_FILE or path == file:
        return WHOLE_STACK
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def lock_notice(common: Common, lock_timeout: str) -> Callable[[str], None]:
    """A function that reports the process that holds the lock, on standard error."""

    def tell(holder: str) -> None:
        if not common.quiet:
            note(f"waiting up to {lock_timeout} for the state, locked by {holder}")

    return tell
