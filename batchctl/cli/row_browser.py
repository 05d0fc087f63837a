"""Rows on the web page, where `--show-rows` allows it: as `results --join` prints them, failed ones first."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from batchctl.cli.collected_rows import CollectedJob, find_one, head_of, rows_of
from batchctl.cli.open_results import ResultsOpener
from batchctl.cli.workspace import Workspace
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json
from batchctl.model.suggest import did_you_mean
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.read import Gaps, read_gaps
from batchctl.rows.selection import RowSelection
from batchctl.server.paging import Query
from batchctl.server.view import Document, View

PARAMETERS = ("verdict", "q", "attempt", "cursor", "limit")
DEFAULT_ROWS = 20
MOST_ROWS = 100
MOST_CHARACTERS = 20_000
"""The length of a text in a row that is shown; a row may have 100 MB of media."""
FAILED = "failed"
"""The value of `verdict` for all rows that are not good."""
_BAD, _GOOD, _ANY = "bad", "good", "any"
"""The parts of a list of rows, in cursors."""

Row = Mapping[str, Json]


class _Asked(Struct, frozen=True):
    selection: RowSelection
    words: tuple[str, ...]
    limit: int
    part: str
    skip: int


class Browser:
    """Implements `RowBrowser`. Reads results with a place of its own: that of the command may be at work."""

    def __init__(self, workspace: Workspace) -> None:
        stack = workspace.stack
        opener = ResultsOpener(lambda: stack, workspace.clock)
        self._workspace = replace(workspace, results_opener=opener)
        self._lock = threading.Lock()

    def page(self, view: View, name: str, query: Query) -> Document:
        """A page of rows. Raises UsageError, and BatchctlError for a job without results."""
        asked = _asked(query)
        snapshot = view.snapshot
        workspace = replace(self._workspace, desired=snapshot.desired)
        with self._lock:
            job = find_one(workspace, snapshot.recorded, name, query.number("attempt"))
            gaps = read_gaps(job.folder)
            found = list(_part(job, workspace, gaps, asked))
        shown, following = found[: asked.limit], found[asked.limit :]
        return {
            **view.head,
            "job": name,
            "total": sum(gaps.verdicts.values()) if gaps.verdicts else None,
            "matched": None,
            "verdicts": dict(gaps.verdicts),
            "items": [_shown(row) for _, _, row in shown],
            "next": f"{following[0][0]}-{following[0][1]}" if following else None,
        }


def _asked(query: Query) -> _Asked:
    query.require(PARAMETERS)
    verdicts = query.all("verdict")
    known = (FAILED, *(code.value for code in RowVerdict))
    for code in verdicts:
        if code not in known:
            raise UsageError(f"unknown verdict {code!r}", hint=did_you_mean(code, known, "docs/verdicts.md lists them"))
    # Failed ones come first where all are asked for.
    part = _ANY if verdicts else _BAD
    cursor, skip = query.one("cursor"), 0
    if cursor is not None:
        part, dash, text = cursor.partition("-")
        allowed = (_ANY,) if verdicts else (_BAD, _GOOD)
        if not (dash and part in allowed and text.isascii() and text.isdecimal() and len(text) <= 12):  # noqa: PLR2004
            raise UsageError(f"not a cursor of this list: {cursor!r}", hint="use the value of `next`")
        skip = int(text)
    words = tuple((query.one("q") or "").casefold().split())
    codes = frozenset(verdicts) - {FAILED}
    selection = RowSelection(failed=FAILED in verdicts and not codes, codes=codes)
    return _Asked(selection, words, query.limit(DEFAULT_ROWS, MOST_ROWS), part, skip)


def _part(job: CollectedJob, workspace: Workspace, gaps: Gaps, asked: _Asked) -> Iterator[tuple[str, int, Row]]:
    """The rows of a page and one more, each with the part of the list that it is in and its place there."""
    wanted, part, skip = asked.limit + 1, asked.part, asked.skip
    if part == _ANY:
        rows = _matching(job, workspace, asked.selection, asked.words)
        yield from ((part, place, row) for place, row in islice(enumerate(rows), skip, skip + wanted))
        return
    if part == _BAD:
        bad = sum(number for code, number in gaps.verdicts.items() if _is_bad(code, job.accepted))
        # The number is known, so a large file is read no further than to the last of them.
        rows = islice(_matching(job, workspace, RowSelection(failed=True), ()), bad if gaps.verdicts else None)
        numbered = enumerate(row for row in rows if _has_words(row, asked.words))
        for place, row in islice(numbered, skip, skip + wanted):
            wanted -= 1
            yield part, place, row
        skip = 0
    good = (
        row
        for row in _matching(job, workspace, RowSelection(), asked.words)
        if not _is_bad(row["verdict"], job.accepted)
    )
    yield from ((_GOOD, place, row) for place, row in islice(enumerate(good), skip, skip + wanted))


def _matching(job: CollectedJob, workspace: Workspace, selection: RowSelection, words: Iterable[str]) -> Iterator[Row]:
    words = tuple(words)
    rows = rows_of(job, workspace, selection, head_of(job, shows_job=False), join=True)
    return (row for row in selection.pick(rows, job.accepted, set()) if _has_words(row, words))


def _is_bad(code: Json, accepted: frozenset[str]) -> bool:
    return code not in {RowVerdict.OK, RowVerdict.NOT_SENT} and code not in accepted


def _has_words(row: Row, words: Iterable[str]) -> bool:
    wanted = tuple(words)
    if not wanted:
        return True
    text = json.dumps(row, ensure_ascii=False).casefold()
    return all(word in text for word in wanted)


def _shown(row: Row) -> Document:
    """The row with its long texts cut."""
    return {name: _cut(value) for name, value in row.items()}


def _cut(value: Json) -> Json:
    match value:
        case str() if len(value) > MOST_CHARACTERS:
            return f"{value[:MOST_CHARACTERS]}… ({len(value):,} characters)"
        case list():
            return [_cut(one) for one in value]
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case _:
            return value
