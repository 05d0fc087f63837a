"""The protocol of what reads local rows and makes those of chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct

from batchctl.model.chain import ChainCount, Obstacle
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.packed_rows import PackedRows
from batchctl.model.request.problems import Path as ValuePath
from batchctl.model.request.problems import Problem
from batchctl.model.sources import RequestRow
from batchctl.model.stack import LINE_BYTES, SharedPlace

if TYPE_CHECKING:  # few stacks have chains
    from batchctl.model.row_template import RowTemplate


class RowsSummary(Struct, frozen=True):
    """The result of reading a local file of rows."""

    sha256: str
    rows: int
    members: Mapping[str, int]
    """How many rows have each member of a request, which replaces a default."""
    row_hashes: str | None = None
    """See `RowHashes`."""
    warnings: tuple[RowProblem, ...] = ()
    """Warnings about the first rows that have any."""
    output_tokens: int = 0
    """The most output tokens of all rows that set a limit."""
    bounded_rows: int = 0
    """The number of these."""

    @property
    def most_output(self) -> int | None:
        """The most output tokens of all rows; None if a row sets no limit."""
        return self.output_tokens if self.rows and self.bounded_rows == self.rows else None


class OutputLimit(Struct, frozen=True):
    """The most tokens of the answers to some rows."""

    tokens: int
    """Of all rows that set a limit."""
    rows: int
    """The number of these."""


class RowRules(Struct, frozen=True):
    """The rules for checking the requests of rows."""

    api: Api | None = None
    """None if it is not known."""
    defaults: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """`request` of the job, which is merged into each row."""
    is_google_model: bool = True
    """Requests for another publisher's model have other forms and are not checked."""


class RowsOrder(Struct, frozen=True):
    """The rows that a chain asks for."""

    job: str
    """The job that gets the rows."""
    upstream: str
    """The job whose answers they are made from."""
    digest: str | None
    """The digest of that job's present work; None: results of earlier work count, too."""
    accepted: frozenset[str]
    """Verdicts of its rows that count as good besides OK."""
    template: RowTemplate
    kind: Kind
    """The kind of the rows that are made."""
    rules: RowRules
    line_bytes: int = LINE_BYTES


class MadeRows(Struct, frozen=True):
    """A file of rows that were made."""

    path: Path
    sha256: str
    """Of the parsed rows, see `LocalFile`."""
    count: ChainCount


class FilledRows(Struct, frozen=True):
    """The rows of a manifest that has a known form."""

    rows: PackedRows
    sha256: str
    """As `RowsHasher` gives it."""
    row_hashes: str | None
    """See `RowHashes`."""
    text_bytes: int
    """The bytes, as JSON, of the given texts that are in requests."""


class RowsForm(Protocol):
    """Lists of rows that differ in some texts. Each of them has the verdict of the one that the form comes from."""

    @property
    def gaps(self) -> Sequence[ValuePath]:
        """The places of the texts in the list as the manifest has it."""
        ...

    def fill(self, texts: Sequence[str]) -> FilledRows | None:
        """The rows with these texts in the gaps; None if they have to be read and checked one by one."""
        ...


class RowReader(Protocol):
    """Reads rows from local JSONL files, and makes those of chains, for `manifests`, which needs their fingerprint."""

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        """Read the complete file once, streamed. Raises RowsError with the errors by line.

        A line of more than `line_bytes` is an error. Without `rules`, requests are not checked.
        """
        ...

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        """The problems in the requests of rows in the manifest, each with the index of its row."""
        ...

    def output_limit(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> OutputLimit:
        """The most output tokens of the rows in the manifest."""
        ...

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        """Turn `{key, request}` or `{key, text}` into a row in REST form. Raises ValueError with the reason."""
        ...

    def form(self, rows: Sequence[Json], kind: Kind) -> RowsForm | None:
        """The form of a list of rows in which nothing is wrong or doubtful; None if it has none."""
        ...

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        """The rows of a chain; None: the other job has no results of its present work.

        They are in a file below `results`, or in a private copy of it. A file that is there already is used, unless
        `afresh`. Never raises.
        """
        ...
