"""Temporary copies of inputs at Cloud Storage: one download serves the choice of rows and each shard.

A copy has the parsed rows, in a file that the system deletes when it is closed. Memory does not grow with it.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice

from msgspec import Struct

from batchctl.model.activity import Activity
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account
from batchctl.model.kinds import Kind
from batchctl.model.ports.inputs import UNREADABLE, InputRow, SourceFile
from batchctl.model.ports.providers import Provider
from batchctl.model.sources import RemoteSource, RequestRow
from batchctl.rows.spelling import spell_request

_KEPT = 2
"""The most copies at once: each may take as much disk space as its input."""
_CHUNK = 1 << 20
_SHORTEST_LINE = 40
"""The fewest bytes of a line with a request."""
_SAMPLE = 1000
"""The first rows, by which the number of all is estimated."""
_CERTAIN = 0.8
"""The share of a limit up to which an estimate is believed: later rows may be shorter."""


class SourceCopy(Struct, frozen=True):
    """The rows of one input."""

    files: tuple[SourceFile, ...]
    _content: _Content

    def rows(self, first: int = 0, end: int | None = None) -> Iterator[RequestRow]:
        """The rows from a position up to another one, by default all, in input order. Several threads may read."""
        for line in islice(self._content.lines(), first, end):
            key, request, members, in_body = json.loads(line)
            yield RequestRow(key, request, members, in_body=in_body)


def _line_length(row: InputRow) -> int:
    beside = {"request": row.request, **row.members, **({} if row.key is None else {"key": row.key})}
    return len(json.dumps(beside, separators=(",", ":"), ensure_ascii=False))


class _Content:
    """A temporary file, which is closed and deleted with the last of its readers."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="batchctl-")  # noqa: SIM115  closed below

    def __del__(self) -> None:
        self._file.close()

    def write(self, line: bytes) -> None:
        self._file.write(line)

    def flush(self) -> None:
        self._file.flush()

    def lines(self) -> Iterator[bytes]:
        """All lines, from the start, whatever others read."""
        at, parts = 0, list[bytes]()
        while chunk := os.pread(self._file.fileno(), _CHUNK, at):
            at += len(chunk)
            first, *others = chunk.split(b"\n")
            parts.append(first)
            for other in others:
                yield b"".join(parts)
                parts = [other]


class SourceCopies:
    """The copies of one process. `providers` gives the provider of an account."""

    def __init__(self, providers: Callable[[Account], Provider], activity: Activity) -> None:
        self._providers = providers
        self._activity = activity
        self._lock = threading.Lock()
        self._copies: OrderedDict[tuple[Account, tuple[str, ...]], SourceCopy] = OrderedDict()

    def find(self, job: DesiredJob, source: RemoteSource) -> tuple[SourceFile, ...]:
        """The files of an input, as they are now. Raises ApiError."""
        return self._providers(job.account).find_input(source) or ()

    def may_exceed(self, job: DesiredJob, source: RemoteSource) -> bool:
        """Whether an input may have more than the limits of one remote job. Raises ApiError."""
        files, limits = self.find(job, source), job.sharding
        if limits.bytes is not None and any(file.size > limits.bytes for file in files):
            return True
        size = sum(file.size for file in files)
        if limits.rows is None or size < limits.rows * _SHORTEST_LINE:
            return False
        with closing(self._providers(job.account).read_input(files)) as rows:
            lines = [_line_length(row) for row in islice(rows, _SAMPLE)]
        return bool(lines) and size * len(lines) > sum(lines) * limits.rows * _CERTAIN

    def open(self, job: DesiredJob, source: RemoteSource) -> SourceCopy:
        """The copy of an input, as it is now. Raises ApiError, and ResultsError for a line without a request."""
        files, name = self.find(job, source), (job.account, source.uris)
        with self._lock:
            known = self._copies.get(name)
            if known is not None and known.files == files:
                self._copies.move_to_end(name)
                return known
        made = SourceCopy(files, self._download(job, files))
        with self._lock:
            self._copies[name] = made
            while len(self._copies) > _KEPT:
                self._copies.popitem(last=False)
        return made

    def release(self) -> None:
        """Delete all copies that are not being read."""
        with self._lock:
            self._copies.clear()

    def _download(self, job: DesiredJob, files: tuple[SourceFile, ...]) -> _Content:
        provider, size = self._providers(job.account), sum(file.size for file in files)
        with self._activity.running(f"{job.name}: reading its rows", size) as flow, _disk_errors(job):
            content = _Content()
            rows = ((file, number, row) for file in files for number, row in enumerate(provider.read_input((file,)), 1))
            for file, number, came in rows:
                try:
                    row = row_of(came, job.row_kind)
                except ValueError as error:
                    raise _not_sendable(job, file, number, str(error)) from error
                line = json.dumps([row.key, row.request, row.members, row.in_body], separators=(",", ":")).encode()
                content.write(line + b"\n")
                flow.add(len(line))
            content.flush()
        return content


def row_of(came: InputRow, kind: Kind) -> RequestRow:
    """A row in the form in which batchctl sends rows. Raises ValueError with the reason if it cannot be sent."""
    if came.request is None or came.request is UNREADABLE:
        raise ValueError("its line is not a JSON object with a request, or is longer than limits.lineBytes")
    # Other publishers' models have members of their own.
    is_theirs = came.in_body or (kind is Kind.BATCH_JOB and "contents" not in came.request)
    request = dict(came.request) if is_theirs else spell_request(came.request, kind)
    return RequestRow(came.key, request, dict(came.members), in_body=came.in_body)


def _not_sendable(job: DesiredJob, file: SourceFile, number: int, reason: str) -> ResultsError:
    message = f"{job.name}: row {number} of {file.name} cannot be sent: {reason}"
    return ResultsError(message, code=ErrorCode.INVALID_INPUT, hint="correct the row at Cloud Storage")


@contextmanager
def _disk_errors(job: DesiredJob) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{job.name}: its rows cannot be copied to {tempfile.gettempdir()}: {error.strerror}"
        hint = f"free space in {tempfile.gettempdir()}, or set TMPDIR to another folder"
        raise ResultsError(message, code=ErrorCode.CANNOT_PREPARE_INPUT, hint=hint) from error
