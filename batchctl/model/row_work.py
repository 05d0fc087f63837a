"""Which rows of an input a new attempt sends: those without a good answer, unless a person orders otherwise.

A row is known by its fingerprint, so equal requests are one row. Its history are the results of all earlier attempts
of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct, field

from batchctl.model.partly_equal import PartlyEqual
from batchctl.model.row_settings import Fallback
from batchctl.model.sent_with import SentWith
from batchctl.model.verdicts import RowVerdict

_TRANSIENT = frozenset(one.value for one in RowVerdict if one.is_transient)


class RowsToSend(StrEnum):
    """The rows that an attempt sends."""

    ALL = "all"
    """Every row, whatever was answered before."""
    UNANSWERED = "unanswered"
    """Every row without a good answer."""
    FALLBACK = "fallback"
    """Rows for one entry of `rows.fallback`."""
    RETRYABLE = "retryable"
    """Rows without a good answer that may get one: never tried, or failed for a reason that may pass."""
    NEVER_SENT = "neverSent"
    """Rows without any result."""


MOST_SHARDS = 10_000
"""The most remote jobs of one attempt: more of them are a mistake in `sharding`, such as a missing zero."""


class ShardLimits(PartlyEqual, frozen=True, eq=False):
    """The most that one remote job may have; None: no limit."""

    BESIDE: ClassVar = frozenset({"is_asked"})

    rows: int | None = None
    bytes: int | None = None
    """Of the rows as they are sent."""
    tokens: int | None = None
    """Of the input, estimated from the bytes."""
    result_bytes: int | None = None
    """Of the answers, estimated from `maxOutputTokens` of the rows."""
    is_asked: bool = False
    """Whether the manifest sets a limit; otherwise they are those of the provider."""


class RowHistory(Struct, frozen=True):
    """The results of one request so far."""

    code: str
    """Of the good answer if there is one, else of the latest result."""
    is_good: bool
    tries: int
    """How many attempts gave a result that is not good."""
    sent_with: SentWith | None = None
    """The change with which the row was sent for the result of `code`; None: none."""


class RowOrder(Struct, frozen=True):
    """The rows that a person orders by `batchctl retry --rows`. Without any member: those without a good answer.

    A good answer of such an attempt counts in place of an earlier good one.
    """

    is_all: bool = False
    codes: frozenset[str] = frozenset()
    """Rows whose result has one of these codes."""
    keys: frozenset[str] = frozenset()
    """Rows of these names, whatever their results are."""
    sent_with: SentWith | None = None
    """The change with which they are sent; None: none."""

    def sends(self, history: RowHistory | None, key: str) -> bool:
        """Whether the row of this name and history is sent; None: it has no result."""
        if self.is_all:
            return True
        if self.keys:
            return key in self.keys
        if self.codes:
            return (RowVerdict.NOT_SENT.value if history is None else history.code) in self.codes
        return history is None or not history.is_good

    def __str__(self) -> str:
        """As the command has it, without the first `--rows`."""
        return self.rows_text if self.sent_with is None else f"{self.rows_text} {self.sent_with}"

    @property
    def rows_text(self) -> str:
        """As `--rows` has it."""
        if self.is_all:
            return "all"
        if self.keys:
            return f"key={','.join(sorted(self.keys))}"
        return f"reason={','.join(sorted(self.codes))}" if self.codes else "failed"


class RowChoice(Struct, frozen=True):
    """The choice of rows for an attempt: decided by `reconcile`, applied to the ledger row by row."""

    which: RowsToSend = RowsToSend.UNANSWERED
    accept: frozenset[str] = frozenset()
    """Verdict codes that count as good, besides `OK`."""
    most_tries: int = 3
    """`rows.maxAttempts`."""
    since: int = 1
    """The first attempt whose answers count."""
    most: int | None = None
    """Of a canary: the number of rows. They are spread over the input, and are the same ones each time."""

    fallbacks: tuple[Fallback, ...] = ()
    """`rows.fallback`."""
    fallback: int = 0
    """With `FALLBACK`: the number of the entry."""
    order: RowOrder | None = None
    """The rows that a person named; `which` and `most_tries` do not count then."""
    as_it_is: bool = False
    """Whether a source at Cloud Storage is sent as it is, and none of its rows is read, if one job may have it all."""

    def sends(self, history: RowHistory | None, key: str) -> bool:
        """Whether the row of this name and history is sent; None: it has no result."""
        if self.order is not None:
            return self.order.sends(history, key)
        if self.which is RowsToSend.ALL:
            return True
        if history is not None and history.is_good:
            return False
        if self.which is RowsToSend.NEVER_SENT:
            return history is None
        if self.which is RowsToSend.FALLBACK:
            return self.next_fallback(history) == self.fallback
        return self.which is RowsToSend.UNANSWERED or self.may_pass(history)

    @property
    def sends_new_rows(self) -> bool:
        """Whether every row without a result is sent, whatever its name is."""
        return self.order is None and self.sends(None, "")

    @property
    def sent_with(self) -> SentWith | None:
        """The change with which the rows are sent; None: none."""
        if self.order is not None:
            return self.order.sent_with
        return self.fallbacks[self.fallback].change if self.which is RowsToSend.FALLBACK else None

    @property
    def selects(self) -> bool:
        """Whether it looks for certain rows, and not for all or all without a good answer."""
        return self.order is not None or self.which not in (RowsToSend.ALL, RowsToSend.UNANSWERED)

    @property
    def sends_again(self) -> bool:
        """Whether the rows are sent although results of the same work are here."""
        return self.order is not None or self.which is not RowsToSend.UNANSWERED

    def next_fallback(self, history: RowHistory | None) -> int | None:
        """The entry of `rows.fallback` for a row without a good answer that is not sent again as it is; None: no entry.

        Each is for the verdict that came before it, and none comes twice, nor an earlier one after a later one.
        """
        if history is None or self.may_pass(history) or history.tries >= self.most_tries + len(self.fallbacks):
            return None
        used = self._used_fallback(history)
        left = range(0 if used is None else used + 1, len(self.fallbacks))
        return next((number for number in left if history.code in self.fallbacks[number].when), None)

    def _used_fallback(self, history: RowHistory) -> int | None:
        changes = [one.change for one in self.fallbacks]
        return changes.index(history.sent_with) if history.sent_with in changes else None

    def may_pass(self, history: RowHistory | None) -> bool:
        """Whether a row without a good answer may get one when it is sent again by itself."""
        if history is None:
            return True
        is_transient = history.code in _TRANSIENT and history.tries < self.most_tries
        return is_transient and self._used_fallback(history) is None


class OrderedRows(Struct, frozen=True):
    """The rows that an order of `batchctl retry --rows` sends."""

    order: RowOrder
    rows: int
    """Distinct requests."""
    first: tuple[str, ...] = ()
    """Names of the first ones."""
    unknown: tuple[str, ...] = ()
    """Named keys that no row has."""
    near: str | None = None
    """The key of a row that is most similar to the first unknown one."""


class RowWork(Struct, frozen=True):
    """The rows of a job's input, compared with its ledger. Numbers of rows; equal requests count once where said."""

    total: int
    answered: int
    """Rows with a good answer."""
    to_send: int
    """Distinct requests without a good answer."""
    retried: int
    """Of these, the ones that have a result that is not good."""
    retryable: int
    """Of these, the ones that may get a good answer when they are sent again by themselves."""
    repeated: int = 0
    """Rows whose request is that of an earlier row: they take its answer."""
    first: tuple[str, ...] = ()
    """Names of the first rows to send."""
    damaged: tuple[str, ...] = ()
    """Parts of the ledger that cannot be read: paths with the reason."""
    ordered: OrderedRows | None = None
    fallbacks: tuple[int, ...] = ()
    """Distinct requests that are sent next with each entry of `rows.fallback`."""

    @property
    def never_sent(self) -> int:
        """Distinct requests without any result."""
        return self.to_send - self.retried

    @property
    def given_up(self) -> int:
        """Distinct requests without a good answer that are not sent again by themselves."""
        return self.to_send - self.retryable - sum(self.fallbacks)


MOST_LISTED = 2**10
"""Characters of a list of sent rows in a record. A state is read as a whole."""
MOST_ROWS_LISTED = MOST_LISTED // 24
"""The most rows of such a list: a hash of 16 bytes in Base64, and the braces and the comma of an empty name."""


class RowsSent(Struct, frozen=True):
    """The rows of an attempt, as the state has them."""

    rows: int
    """The number of rows that were sent."""
    total: int
    """The number of rows of the input."""
    sha256: str
    """Of the list of sent rows in the results folder; empty if there is none."""
    is_canary: bool = False
    """Whether these are a few of the rows to send, see `Canary`."""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    """Once collected: these rows by the code of their verdict, those without a result too."""
    tokens: int | None = None
    """Tokens of input and output that the API counted for them."""
    sent_with: SentWith | None = None
    """The change with which they were sent; None: none."""
    again: bool = False
    """Whether they are sent although results of the same work are here: by `retryOn: [ROWS]`, `--rerun` or an order."""
    shards: int = 1
    """The number of remote jobs that the attempt is split into."""
    listed: str = ""
    """Their list, if it is short and has every row of the input (`rows.sent_list`); otherwise it is a file."""

    def __hash__(self) -> int:
        # Without the mapping, which has no hash.
        return hash((self.rows, self.total, self.sha256, self.is_canary, self.tokens, self.shards))

    def good(self, accept: frozenset[str]) -> int:
        """The rows with a good answer. `accept` are codes that count as good besides `OK`."""
        return sum(self.verdicts.get(code, 0) for code in {RowVerdict.OK.value, *accept})
