"""The protocols of the results folder, and of the ledger of rows in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.tokens import Counted
from batchctl.model.desired import DesiredJob
from batchctl.model.inventory import Inventory
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.ports.inputs import KnownInput, SourceFile
from batchctl.model.ports.providers import ResultItem
from batchctl.model.row_work import RowChoice, RowsSent, RowWork
from batchctl.model.rows_left import RowsLeft
from batchctl.model.verdicts import RowVerdict


class Collected(Struct, frozen=True):
    """The outcome of a collection."""

    path: str
    """Relative to the results folder, with `/`."""
    ok: int
    """Rows with a good answer."""
    failed: int
    """Rows with a result that is not good."""
    missing: int | None
    """Input rows without a result; None if the input is not known."""
    unmatched: int
    """Results without an input row, or whose row has another answer."""
    anonymous: int = 0
    """Results without a key, a position or a member that identifies them."""
    tokens: int | None = None
    """Input tokens that the API counted for the answered rows; None if it counted none."""
    counted: Counted | None = None
    """The tokens of its own answers by kind."""
    verdicts: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Rows by the code of their verdict, including rows without a result."""
    came: int = 0
    """Rows with a result of this attempt; the numbers above are those of all attempts."""
    sent: RowsSent | None = None
    """The rows that this attempt sent, with their verdicts; None if their list is not known."""

    def counts(self, reported: RowCounts | None = None) -> RowCounts:
        """The counts of rows. If the input is not known, the API's own numbers say how many rows there were."""
        came = self.ok + self.failed
        if self.missing is not None:
            return RowCounts(came + self.missing, self.ok, self.failed, dict(self.verdicts))
        total = max(came, (reported.total if reported is not None else None) or 0)
        missing = {RowVerdict.NO_RESULT.value: total - came} if total > came else {}
        return RowCounts(total, self.ok, self.failed, {**self.verdicts, **missing})


class Shelf(Protocol):
    """Checks which collected results are complete. Never writes, never raises."""

    def look(self) -> Inventory:
        """The content of the results folder by names, manifests and sizes: cheap, for every pass."""
        ...

    def verify(self, path: str) -> str | None:
        """Compare collected rows with their hash, right before something relies on them.

        Returns why they are not complete, None if they are; the next `look` knows it too.
        """
        ...


class CollectOptions(Struct, frozen=True):
    """The settings of a collection."""

    choice: RowChoice = msgspec.field(default_factory=RowChoice)
    """Which answers of earlier attempts count."""
    counts_missing: bool = True
    """Whether rows without a result count as tried."""
    shards: int = 1
    """The number of remote jobs of the attempt. The results of several are merged later."""
    sent: RowsSent | None = None
    """The rows that it sent by the record, should their list be lost; None: not known."""
    reported: int | None = None
    """The number of its rows by the API's own count; None: not known."""
    at_least: int = 0
    """The number of results that have to be there. Fewer are not all of them yet."""
    is_current: Callable[[Collected], bool] = lambda _collected: False
    """Whether the results become the current ones of the job."""


class ResultStore(Protocol):
    """The results folder."""

    def collect(
        self,
        key: AttemptKey,
        digest: str,
        remote: RemoteJob,
        items: Iterable[ResultItem],
        known: KnownInput | None,
        marks: Mapping[str, Json],
        options: CollectOptions = ...,
    ) -> Collected:
        """Write all items durably under `<job>/<digest8>-<attempt>/`, sorted by input position.

        `known` is what is known of the input; None: only that batchctl sent its rows. `marks` are more facts for the
        folder's manifest: the stack, its uid, and the token of the create call. Repeating it is harmless.

        Fewer items than `options.at_least` are not kept: ResultsError with the code `ResultsNotReady`.

        Raises ResultsError, and the errors of `items` and of a foreign input.
        """
        ...

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        """Copy collected results, checked by their hash, to the folder of an attempt; returns its path.

        Repeating it is harmless. Raises ResultsError.
        """
        ...

    def point_current(self, job: str, path: str) -> None:
        """Point `<job>/current` at a collected folder."""
        ...

    def rename_job(self, job: str, to: str) -> bool:
        """Rename a job's folder; False if there is none. Raises ResultsError, also if the new name exists."""
        ...


class RowLedger(Protocol):
    """The answers of a job's rows over all its attempts, in the results folder."""

    def survey(self, job: DesiredJob, choice: RowChoice) -> RowWork | None:
        """The rows of a job's input compared with its ledger. Reads all of them; of rows at Cloud Storage, their list.

        None if the job has no ledger, batchctl does not send its rows, or they cannot be read now. Never raises.
        """
        ...

    def choose(
        self,
        job: DesiredJob,
        key: AttemptKey,
        token: str,
        choice: RowChoice,
        new_token: Callable[[], str],
        before: RowsSent | None = None,
        *,
        checks_place: bool = True,
    ) -> ChosenRows:
        """Choose the rows that an attempt sends. Raises ResultsError and ApiError.

        Their list is durable when this returns, or it is a part of `ChosenRows.sent`, which the caller records.
        `checks_place`: in the latter case, check that results can be written, too. One check serves many attempts.

        Rows at Cloud Storage have to be those of the attempts before, or the choice sends all.

        More rows than one remote job may have are split into shards, each with a list and a token of its own.
        A list that the same token wrote before is used again: the call may have got through. `before`: the rows that
        the record has of it.
        """
        ...

    def is_quick(self, job: DesiredJob) -> bool:
        """Whether `choose` takes a moment only for this job: its rows are few and in memory, and nothing was collected.

        Never raises.
        """
        ...

    def has_list(self, key: AttemptKey, digest: str, token: str) -> bool:
        """Whether the list of rows that this token wrote is there, and whole. Raises ResultsError."""
        ...

    def assemble(
        self, job: DesiredJob, key: AttemptKey, marks: Mapping[str, Json], choice: RowChoice, state: str | None = None
    ) -> tuple[str, Collected]:
        """Write the results of an attempt from answers that are collected already; returns their path.

        `state` is that in which the attempt ended; None: it sends nothing, so its rows show it. Repeating it is
        harmless. Raises ResultsError.
        """
        ...

    def left(
        self, job: DesiredJob, choice: RowChoice, under_way: Iterable[RecordedAttempt], *, follows: bool
    ) -> RowsLeft | None:
        """The rows without a good answer; None if the job has no results, or batchctl does not have its rows.

        `choice` is that of the next attempt; `follows`: whether one follows by itself. `under_way` are the shards of
        the current attempt without results. Raises ResultsError.
        """
        ...


class ChosenRows(Struct, frozen=True):
    """The rows that an attempt sends."""

    sent: RowsSent
    positions: Sequence[int] | None
    """Their 0-based positions in the input, in order; None: all rows, and a source at Cloud Storage as it is."""
    damaged: tuple[str, ...] = ()
    """Parts of the ledger that cannot be read, with the reason: their rows count as not answered."""
    others: tuple[OtherShard, ...] = ()
    """The further shards of the attempt, which are created on their own."""
    files: tuple[SourceFile, ...] = ()
    """The files at Cloud Storage that have the rows at these positions."""


class OtherShard(Struct, frozen=True):
    """A shard of an attempt that is not sent yet."""

    key: AttemptKey
    token: str
    sent: RowsSent
