"""Reads the lines of a result file. An unreadable line becomes an error row with its bytes; others are not affected.

Never fails on the content of a line. Raises only for a truncated body. Source: reference 8.1, 8.2.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from operator import methodcaller
from typing import Any

import msgspec
from msgspec.structs import replace

from batchctl.model.answer_lines import AnswerLines
from batchctl.model.errors import BadReply
from batchctl.model.file_forms import foreign_form, way_out
from batchctl.model.forms.tries import Tries
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import encoded_each
from batchctl.providers.answer_forms import AnswerForms
from batchctl.providers.streamed_lines import Line, LineSplitter, LongLine, whole_lines
from batchctl.providers.untrusted_text import DECODER, FAST_DECODER, parse_line

_DATA_LOSS = 15
_BOM = b"\xef\xbb\xbf"
_GAP = re.compile(r"[\s,\[\]\ufeff]*")
"""Separators between rows in one line."""
_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
"""The beginning of an HTML or XML page, such as a proxy's sign-in page."""
_ROW = re.compile(rb'\s*\{\s*["}]')
_OPENING = re.compile(r"\s*\{")
_SIMPLE_MEMBER = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9]+)\s*,')
"""A member with a text or an integer, followed by another member."""

_FEW = 8
"""Lines that are read one by one if some of them are no answers."""
_MOST_FAILURES = 64
"""Parts without an answer, after which only few chunks are halved."""


class _AnswerLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A line with nothing but a key and an answer."""

    key: str
    response: dict[str, Any]


_CANDIDATES = methodcaller("get", "candidates")
_ANSWER_LINES = msgspec.json.Decoder(_AnswerLine)


class ResultLines:
    """The rows of one result file, without blank lines."""

    def __init__(
        self,
        what: str,
        item_of: Callable[[Json], ResultItem],
        is_complete: Callable[[int], bool],
        *,
        has_answer_lines: bool = False,
    ) -> None:
        """`is_complete` checks a body of so many bytes. It is called when the last line has no line end and is broken.

        `has_answer_lines`: whether `item_of` takes a key and an answer with candidates, alone on a line, as they are.
        """
        self._what = what
        self._item_of = item_of
        self._is_complete = is_complete
        self._has_answer_lines = has_answer_lines
        self._forms = AnswerForms()
        self._number = 0
        """The last line that was read."""
        self._halving = Tries(_MOST_FAILURES)
        """The parts without an answer since the last one with answers."""
        self._has_rows = self._has_text = False
        self._bad: ResultItem | None = None
        """The last line, if it is broken: at the end of a body, it may be cut off."""

    def read(self, chunks: Iterable[bytes], limit: int) -> Iterator[Iterable[ResultItem]]:
        """The rows of a body, some at a time.

        Raises BadReply for an incomplete body, and for a body without any JSON object, such as an HTML page.
        """
        size = 0
        with closing(LineSplitter(limit)) as splitter:
            for chunk in whole_lines(chunks, limit):
                size += len(chunk)
                may_be_long = len(chunk) > limit or not splitter.is_between_lines
                for part in (chunk,) if may_be_long else self._parts(chunk):
                    if isinstance(part, bytes):
                        yield chain.from_iterable(self._rows(line, limit) for line in splitter.split(part))
                        continue
                    self._has_rows = self._has_text = True
                    yield self._pop_bad()
                    yield part
                    self._number += len(part)
            yield self._rows(splitter.line(), limit)
        if self._has_text and not self._has_rows:
            raise BadReply(f"{self._what}: no line of the result file is a JSON object")
        if self._bad is not None and not self._is_complete(size):
            raise BadReply(f"{self._what}: line {self._number} of the result file is not JSON, or cut off")
        yield self._pop_bad()

    def _parts(self, chunk: bytes) -> Iterator[AnswerLines | bytes]:
        """The answers in a chunk, in large parts, and a few lines around each other result. Read each before the next.

        A chunk is cut before and after lines that are not like the last answers, or halved until that is so. Where few
        lines are answers, nearly all chunks stay whole.
        """
        found = self._answers(chunk) if self._has_answer_lines and chunk.endswith(b"\n") else None
        if found is not None:
            self._halving.succeed()
            yield found
            return
        parts = self._forms.cut(chunk, _FEW) if self._has_answer_lines and self._halving.is_due else (chunk,)
        if len(parts) == 1:
            self._halving.fail()
            yield chunk
            return
        for part in parts:
            yield from self._parts(part)

    def _answers(self, chunk: bytes) -> AnswerLines | None:
        """The rows of whole lines that have a key and an answer each, and nothing else; None if some are others."""
        formed = self._forms.read(chunk)
        if formed is not None:
            return formed
        try:
            found = _ANSWER_LINES.decode_lines(chunk)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        responses = [line.response for line in found]
        # Blank lines have a number, too.
        if len(found) != chunk.count(b"\n") or not all(map(_CANDIDATES, responses)):
            return None
        self._forms.learn(chunk[chunk.rfind(b"\n", 0, -1) + 1 : -1], found[-1].key, responses[-1])
        return AnswerLines([line.key for line in found], encoded_each(responses))

    def _pop_bad(self) -> Iterable[ResultItem]:
        bad, self._bad = self._bad, None
        return () if bad is None else (bad,)

    def _rows(self, line: Line, limit: int) -> Iterator[ResultItem]:
        """The rows of one line, after a broken line before it."""
        self._number += 1
        yield from self._pop_bad()
        value = _object(line) if self._has_rows else None
        if value is not None:
            yield self._item_of(value)
            return
        number, start = self._number, line.start if isinstance(line, LongLine) else line
        _refuse_form(number, start, self._what)
        text = start.removeprefix(_BOM)
        if not text.strip():
            return
        _refuse_page(text, self._what, is_first=not self._has_text)
        self._has_text = True
        self._has_rows = self._has_rows or _ROW.match(text) is not None
        if isinstance(line, LongLine):
            words = f"line {number} of the result file is longer than {limit:,} bytes (limits.lineBytes)"
            yield long_row(line, words, self._item_of)
            return
        values, rest, reason = _values(text)
        self._has_rows = self._has_rows or any(isinstance(value, dict) for value in values)
        yield from map(self._item_of, values)
        if rest:
            words = f"line {number} of the result file is not JSON: {reason}"
            self._bad = unreadable_row(rest, words, self._item_of)


def _object(line: Line) -> dict[str, Json] | None:
    """The row of a line that is one object; None if the line has to be looked at more closely."""
    if isinstance(line, LongLine):
        return None
    try:
        value = FAST_DECODER.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_page(text: bytes, what: str, *, is_first: bool) -> None:
    """Raise BadReply for a body that is an HTML page, as its first line shows."""
    if is_first and _PAGE.match(text):
        raise BadReply(f"{what}: got an HTML page instead of the result file")


def _refuse_form(number: int, start: bytes, what: str) -> None:
    """Raise BadReply for a body whose first line shows another format, such as a compressed file."""
    form = foreign_form(start) if number == 1 else None
    if form is not None:
        hint = f"batchctl reads results as lines of JSON in UTF-8 only: {way_out(form)}"
        raise BadReply(f"{what}: the result file is {form}, not lines of JSON", hint=hint)


def _values(text: bytes) -> tuple[list[Json], bytes, str]:
    """The rows of a line (usually one), the bytes that cannot be read, and the reason.

    Lines that were joined without a line end, and the items of a list, count as rows too.
    """
    try:
        value = parse_line(text)
    except UnicodeDecodeError as error:
        return [], text, str(error)
    except ValueError as error:
        found, rest, reason = _objects(text.decode("utf-8"))
        return (found, rest, reason) if found or not rest else ([], text, str(error))
    is_list = isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
    return (value if is_list else [value]), b"", ""


def _objects(text: str) -> tuple[list[Json], bytes, str]:
    """The objects at the beginning of a text, the rest of it, and why the rest is not an object."""
    found: list[Json] = []
    at, reason = _end_of_gap(text, 0), ""
    while at < len(text):
        try:
            value, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = str(error)
            break
        if not isinstance(value, dict):
            reason = "the first object is not followed by another object"
            break
        found.append(value)
        at = _end_of_gap(text, end)
    return found, text[at:].encode("utf-8"), reason


def _end_of_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def unreadable_row(raw: bytes, message: str, item_of: Callable[[Json], ResultItem]) -> ResultItem:
    """The error row of a value that is not JSON, with all its bytes, and with its key if that can be read."""
    try:
        kept: dict[str, Json] = {"raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        kept = {"rawBase64": base64.b64encode(raw).decode("ascii")}
    return _error_row(item_of(_identity(raw)), message, kept)


def long_row(line: LongLine, message: str, item_of: Callable[[Json], ResultItem]) -> ResultItem:
    """The error row of a line that is too long, with its bytes on disk, and with its key if that can be read."""
    found = _error_row(item_of(leading_members(line.start)), message, {})
    return replace(found, aside=line.content)


def _error_row(found: ResultItem, message: str, kept: Mapping[str, Json]) -> ResultItem:
    return replace(found, response=None, error={"code": _DATA_LOSS, "message": message, **kept})


def _identity(raw: bytes) -> Json:
    """The members of a broken line that identify its row: all if only a character or number is invalid."""
    text = raw.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return leading_members(raw)
    return value if isinstance(value, dict) else {}


def leading_members(raw: bytes) -> dict[str, Json]:
    """The texts and integers at the beginning of an object."""
    text = raw.decode("utf-8", "replace")
    found: dict[str, Json] = {}
    opening = _OPENING.match(text)
    at = opening.end() if opening else len(text)
    while (member := _SIMPLE_MEMBER.match(text, at)) is not None:
        try:
            found[json.loads(member[1])] = json.loads(member[2])
        except ValueError:
            return found
        at = member.end()
    return found
