"""Finds the rows of an input without a good answer, with what the API said about them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import RowChoice, RowHistory
from batchctl.model.rows_left import RowLeft, RowNext, RowsLeft
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.answer import message_of
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.merging import Answers
from batchctl.rows.ordered_rows import name_of

_SHOWN = 3
_LONGEST = 256
"""Characters of a message, as of the messages that the state keeps."""


def find_left(
    rows: Iterable[InputRow], index: LedgerIndex, choice: RowChoice, under_way: AbstractSet[bytes], *, follows: bool
) -> RowsLeft:
    """The rows without a good answer. `choice` is that of the next attempt; `follows`: whether one follows by itself.

    `under_way` are the fingerprints of rows that the current attempt sends.
    """
    total = good = not_sent = 0
    counts, by_code = Counter[RowNext](), Counter[str]()
    found: list[tuple[int, RowLeft, bytes]] = []
    for position, row in enumerate(rows):
        total += 1
        history, name = index.history(row.fingerprint), name_of(row, position)
        if history is not None and history.is_good:
            good += 1
            continue
        following = RowNext.NOTHING
        if row.fingerprint in under_way:
            following = RowNext.UNDER_WAY
        elif follows:
            following = _next(history, name, choice)
        if history is None and following is not RowNext.UNDER_WAY:
            not_sent += 1
            continue
        counts[following] += 1
        code = RowVerdict.NOT_SENT.value if history is None else history.code
        if history is not None and by_code[code] < _SHOWN:
            left = RowLeft(name, position, code, history.tries, "", following)
            found.append((by_code[code], left, row.fingerprint))
            by_code[code] += 1
    # The first one of each verdict comes before the second one of any.
    few = sorted(found, key=lambda one: (one[0], one[1].index))[:_SHOWN]
    with Answers() as answers:
        shown = [replace(left, message=_message(index, fingerprint, answers)) for _, left, fingerprint in few]
    first = sorted(shown, key=lambda left: left.index)
    return RowsLeft(total, good, not_sent, dict(counts), tuple(first))


def _next(history: RowHistory | None, name: str, choice: RowChoice) -> RowNext:
    if choice.sends(history, name):
        return RowNext.AGAIN
    return RowNext.NOTHING if choice.next_fallback(history) is None else RowNext.FALLBACK


def _message(index: LedgerIndex, fingerprint: bytes, answers: Answers) -> str:
    found = index.find(fingerprint)
    if found is None or not found[1].length:
        return ""
    outcome = json.loads(b"{" + answers.read(*found))
    return message_of(outcome)[:_LONGEST]
