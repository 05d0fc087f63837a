"""The input of an attempt that has ended, as far as it is known: its results are joined with these rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, structs
from msgspec.structs import replace

from batchctl.engine.steps.failures import LASTING_REFUSALS
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.digests import has_same_requests
from batchctl.model.errors import ApiError, ResultsError
from batchctl.model.input_rows import RowColumns
from batchctl.model.keys import same_digest
from batchctl.model.pieces import Pieces, pieces_of
from batchctl.model.ports.inputs import ForeignRows, InputEncoder, InputRow, KnownInput, SentRows, UnorderedRows
from batchctl.model.ports.providers import Provider
from batchctl.model.sources import RemoteSource
from batchctl.model.work_size import is_divisible

_Part = TypeVar("_Part")
_OWN_ROWS = "rows"
"""A key of the source in an attempt's tree, present where batchctl itself sent the rows."""


class FoundInput(Struct, frozen=True):
    """The known part of an input."""

    rows: KnownInput | None
    """None: only that batchctl sent its rows."""
    is_overwritten: bool = False
    """Whether a source at Cloud Storage may have other rows by now than those that were sent."""


class InputUnreadable(Exception):
    """An input that batchctl never sent is not there any more, or not for us."""

    def __init__(self, problem: ApiError) -> None:
        super().__init__(problem.message)
        self.problem = problem


@contextmanager
def _input_of() -> Iterator[None]:
    try:
        yield
    except LASTING_REFUSALS as problem:
        raise InputUnreadable(problem) from problem


def _guarded(rows: Iterator[InputRow]) -> Iterator[InputRow]:
    with _input_of():
        yield from rows


class InputChanged(Exception):
    """The file of rows that batchctl sent is another one by now, or not there."""


def _sent(rows: Iterable[InputRow]) -> Pieces[InputRow]:
    """Rows that batchctl sent. Reading them raises InputChanged."""
    return Pieces(piece if isinstance(piece, RowColumns) else _guard(piece) for piece in _guard(pieces_of(rows)))


def _guard(parts: Iterable[_Part]) -> Iterator[_Part]:
    try:
        yield from parts
    except ResultsError as problem:
        raise InputChanged(problem.message) from problem


def find_known_input(
    provider: Provider,
    attempt: RecordedAttempt,
    create_time: datetime | None,
    job: DesiredJob | None,
    inputs: InputEncoder,
) -> FoundInput:
    """The known rows of an attempt's input; the manifest may have other ones by now, or be gone (`job`).

    Raises InputUnreadable, also while foreign rows are read, and InputChanged while those of batchctl are.
    """
    source = attempt.tree.get("source") or {}
    uris = source.get("uris")
    if uris:
        # Of rows that batchctl uploaded, the lists in the results folder are enough.
        found = FoundInput(None)
        return found if attempt.input_file else _foreign_rows(provider, tuple(uris), attempt, create_time, job, inputs)
    if attempt.tree and _OWN_ROWS not in source:
        return FoundInput(UnorderedRows())
    if job is None:
        return FoundInput(None)
    job = replace(job, sent_with=None if attempt.sent is None else attempt.sent.sent_with)
    own = inputs.rows(job) if _is_same_input(job, attempt) else inputs.former_rows(job, str(source.get("sha256")))
    if own is not None and not same_digest(job.digest, attempt.digest):
        # The same rows with another model or other defaults: their fingerprints are not those of this attempt.
        own = (structs.replace(row, fingerprint=b"") for row in own)
    return FoundInput(None if own is None else SentRows(_sent(own)))


def _foreign_rows(
    provider: Provider,
    uris: tuple[str, ...],
    attempt: RecordedAttempt,
    create_time: datetime | None,
    job: DesiredJob | None,
    inputs: InputEncoder,
) -> FoundInput:
    """The rows of an input sent as it is; with fingerprints, if they certainly are those that were sent."""
    with _input_of():
        files = provider.find_input(RemoteSource(uris))
    if files is None:
        return FoundInput(UnorderedRows())
    rows = provider.read_input(files)
    if job is None or not has_same_requests(attempt.tree, job.tree):
        return FoundInput(ForeignRows(_guarded(rows)))
    if create_time is None or any(file.created is None or file.created > create_time for file in files):
        return FoundInput(ForeignRows(_guarded(rows)), is_overwritten=is_divisible(job))
    return FoundInput(ForeignRows(_guarded(inputs.with_fingerprints(job, rows)), files))


def _is_same_input(job: DesiredJob, attempt: RecordedAttempt) -> bool:
    """Whether the manifest still names the rows that the attempt was given, whatever else it changed."""
    source = attempt.tree.get("source")
    return same_digest(job.digest, attempt.digest) or (source is not None and source == job.tree.get("source"))
