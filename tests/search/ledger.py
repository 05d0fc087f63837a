"""The rows of a small world: the lists of sent rows and the ledger, as they are in the results folder.

A row is a small number, which stands for its fingerprint. The rule that chooses rows is the real `RowChoice`; the lists,
the histories and the merged results are modelled here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from batchctl.model.keys import AttemptKey, same_digest
from batchctl.model.observed import RowCounts
from batchctl.model.row_work import OrderedRows, RowChoice, RowHistory, RowsSent, RowWork
from batchctl.model.sent_with import SentWith
from batchctl.model.verdicts import RowVerdict
from tests.support.values import replace

Answer = tuple[int, str]
"""A row, and the code of its verdict."""
NOTHING = RowVerdict.NO_RESULT.value


class SentList(NamedTuple):
    """The list of the rows that an attempt, or a shard of one, sends."""

    key: AttemptKey
    digest: str
    token: str
    rows: tuple[int, ...]
    facts: RowsSent
    renews: bool = False
    """Whether a person ordered the rows."""


class Segment(NamedTuple):
    """The ledger of one collected folder."""

    path: str
    key: AttemptKey
    remote: str
    answers: tuple[Answer, ...]
    sent_with: SentWith | None = None
    renews: bool = False
    is_missing_tried: bool = True
    """Whether a row without a result counts as tried: not if the whole job failed or was stopped."""


class Histories:
    """The results of all rows of a job so far."""

    def __init__(self, segments: Iterable[Segment], job: str, accept: frozenset[str], since: int = 1) -> None:
        self._rows: dict[int, RowHistory] = {}
        named = [one for one in segments if one.key.job == job]
        self.has_any = bool(named)
        own = (one for one in named if one.key.attempt >= since)
        for segment in sorted(own, key=lambda one: (one.key.attempt, one.key.shard, one.path)):
            for row, code in segment.answers:
                self._add(row, code, segment, accept)

    def __getitem__(self, row: int) -> RowHistory | None:
        return self._rows.get(row)

    def _add(self, row: int, code: str, segment: Segment, accept: frozenset[str]) -> None:
        before, good = self._rows.get(row), code == RowVerdict.OK or code in accept
        tries = 0 if before is None else before.tries
        tried = tries + (not good and (code != NOTHING or segment.is_missing_tried))
        if before is None or (good and (segment.renews or not before.is_good)):
            self._rows[row] = RowHistory(code, good, tried, segment.sent_with)
        elif not before.is_good and code == NOTHING:
            # A row without a result keeps the one that it has.
            self._rows[row] = replace(before, tries=tried)
        elif not before.is_good:
            self._rows[row] = RowHistory(code, False, tried, segment.sent_with)

    def counts(self, rows: Iterable[int]) -> RowCounts:
        """The counts of merged results: each row once."""
        found = [self[row] for row in rows]
        return counts_of(RowVerdict.NOT_SENT.value if one is None else one.code for one in found)


def counts_of(codes: Iterable[str]) -> RowCounts:
    """The counts of rows by the codes of their verdicts alone."""
    found = Counter(codes)
    missing = found[NOTHING] + found[RowVerdict.NOT_SENT]
    ok = found[RowVerdict.OK]
    return RowCounts(found.total(), ok, found.total() - ok - missing, dict(found))


def survey(rows: tuple[int, ...], known: Histories, choice: RowChoice) -> RowWork | None:
    """The rows of a manifest compared with the ledger; None without one."""
    if not known.has_any:
        return None
    plain = replace(choice, order=None)
    open_rows = [row for row in rows if not ((found := known[row]) is not None and found.is_good)]
    sent = [row for row in open_rows if plain.sends(known[row], name_of(row))]
    fallbacks = [plain.next_fallback(known[row]) for row in sent]
    ordered = None
    if choice.order is not None:
        named = [row for row in rows if choice.order.sends(known[row], name_of(row))]
        unknown = choice.order.keys - {name_of(row) for row in rows}
        ordered = OrderedRows(choice.order, len(named), tuple(map(name_of, named)), tuple(sorted(unknown)))
    return RowWork(
        len(rows),
        len(rows) - len(open_rows),
        len(sent),
        sum((found := known[row]) is not None and found.tries > 0 for row in sent),
        sum(plain.may_pass(known[row]) for row in sent),
        first=tuple(map(name_of, sent)),
        ordered=ordered,
        fallbacks=tuple(fallbacks.count(number) for number in range(len(plain.fallbacks))),
    )


def name_of(row: int) -> str:
    """The key of a row in the manifest."""
    return f"k{row}"


def choose(
    rows: tuple[int, ...], known: Histories, choice: RowChoice, per_shard: int | None
) -> tuple[tuple[tuple[int, ...], ...], RowsSent]:
    """The rows of each shard of a new attempt, and the facts that all of them share."""
    sent = [row for row in rows if choice.sends(known[row], name_of(row))]
    chosen = sent if choice.most is None else sent[: choice.most]
    size = per_shard or len(rows)
    shards = tuple(tuple(chosen[start : start + size]) for start in range(0, len(chosen), size))
    facts = RowsSent(
        0,
        len(rows),
        "",
        is_canary=len(chosen) < len(sent),
        sent_with=choice.sent_with,
        again=choice.sends_again,
        shards=len(shards),
    )
    return shards, facts


def find_list(lists: Iterable[SentList], key: AttemptKey, digest: str, token: str) -> SentList | None:
    """The list of an attempt; None if another create call has written it since."""
    named = (one for one in lists if one.key == key and same_digest(one.digest, digest))
    return next((one for one in named if one.token == token), None)


def with_list(lists: tuple[SentList, ...], new: SentList) -> tuple[SentList, ...]:
    """All lists, with a new one in place of one under its name."""
    others = [one for one in lists if one.key != new.key or not same_digest(one.digest, new.digest)]
    return tuple(sorted((*others, new), key=lambda one: (one.key, one.digest)))
