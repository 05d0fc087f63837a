"""Finds a job's results, inline or in a result file, and reads inline rows.

Results are never silently incomplete: anything that cannot be read to its end raises. Source: reference 1.4, 8.1.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, TypeAlias, cast

import msgspec

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.row_marks import position_of_metadata, without_position
from batchctl.model.states import JobState
from batchctl.providers.gemini.resource_paths import is_file_name
from batchctl.providers.job_members import is_number, job_state, key_text
from batchctl.providers.json_stream import InvalidElement, JsonStream
from batchctl.providers.json_tree import JsonTree
from batchctl.providers.reply_times import parse_time
from batchctl.providers.result_lines import long_row, unreadable_row
from batchctl.providers.row_outcomes import NOTHING, read_outcome, users_members
from batchctl.providers.streamed_lines import LongLine
from batchctl.providers.untrusted_text import FAST_DECODER, as_object

_IN_MEMORY = 16 * 2**20
_AT_ONCE = 2**16
"""Bytes of a body that is decoded at once."""
_INLINE = frozenset({"inlinedResponses", "inlinedEmbedContentResponses"})
"""Two spellings; embeddings were observed under either, nested once or twice."""


Reading: TypeAlias = JsonStream | JsonTree


@dataclass
class Outline:
    """Facts about the job besides its rows; complete only after the last row."""

    state: str = JobState.UNSPECIFIED.value
    end_time: datetime | None = None
    file: str | None = None
    rows_seen: bool = False


def spool(chunks: Iterable[bytes]) -> BinaryIO:
    """Store a body temporarily, on disk when it is large; the caller closes it."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # the caller closes it
    try:
        for chunk in chunks:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("BinaryIO", file)


def inline_rows(body: BinaryIO, outline: Outline, what: str, limit: int) -> Iterator[ResultItem]:
    """Read an Operation member by member: gives its rows, and stores everything else in `outline`.

    If the rows appear twice, the first place is used. `limit` is the most bytes of one row. Raises BadReply.
    """
    text = io.TextIOWrapper(body, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        stream = _small(body, limit) or JsonStream(text.read, value_limit=limit)
        for name in stream.members():
            if name == "metadata" and stream.peek() == "{":
                yield from _metadata(stream, outline)
            elif name == "response":
                yield from _output(stream, outline)
            else:
                stream.skip()
    except ValueError as exc:
        raise BadReply(f"{what}: the reply is not valid JSON: {exc}") from exc
    finally:
        text.detach()


def _small(body: BinaryIO, limit: int) -> JsonTree | None:
    """A body that is small, decoded at once; None if it is not, or not valid throughout: it is read from its start."""
    start = body.read(_AT_ONCE + 1)
    body.seek(0)
    if len(start) > min(_AT_ONCE, limit):
        return None
    try:
        return JsonTree(FAST_DECODER.decode(start))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _metadata(stream: Reading, outline: Outline) -> Iterator[ResultItem]:
    for name in stream.members():
        match name:
            case "state":
                outline.state = job_state(stream.value())
            case "endTime":
                outline.end_time = parse_time(stream.value())
            case "output":
                yield from _output(stream, outline)
            case _:
                stream.skip()


def _output(stream: Reading, outline: Outline) -> Iterator[ResultItem]:
    if stream.peek() != "{":
        stream.skip()
        return
    for name in stream.members():
        if name == "responsesFile":
            outline.file = _file(stream.value()) or outline.file
        elif name in _INLINE and stream.peek() in "{[":
            yield from _container(stream, outline)
        else:
            stream.skip()


def _container(stream: Reading, outline: Outline) -> Iterator[ResultItem]:
    if stream.peek() == "[":
        if outline.rows_seen:
            stream.skip()
            return
        for item in stream.elements():
            outline.rows_seen = True
            yield _item(item)
        return
    for name in stream.members():
        if name in _INLINE and stream.peek() == "[":
            yield from _container(stream, outline)
        else:
            stream.skip()


def _file(value: Json) -> str | None:
    if value in (None, ""):
        return None
    if not is_file_name(value):
        raise ValueError("a result file without a usable name")
    return value


def result_item(value: Json) -> ResultItem:
    """One row from a result line or an inline item, with members in any order; an empty row becomes an error."""
    if not isinstance(value, dict):
        return ResultItem(None, None, error={**NOTHING, "raw": value})
    key, response = value.get("key"), value.get("response")
    if len(value) == len(("key", "response")) and type(key) is str and _is_plain_answer(response):
        return ResultItem(key, None, response)
    metadata = as_object(value.get("metadata"))
    own, inner = key_text(value.get("key")), key_text(metadata.get("key"))
    request = value.get("request")
    outcome = read_outcome({name: member for name, member in value.items() if name != "request"}, states=False)
    error = NOTHING if outcome.error is None and outcome.response is None else outcome.error
    members = users_members(outcome.rest)
    if isinstance(members.get("metadata"), dict):
        kept = _users_metadata(metadata, inner if own is None else None)
        members = {name: member for name, member in members.items() if name != "metadata"}
        members |= {"metadata": kept} if kept else {}
    return ResultItem(
        inner if own is None else own,
        position_of_metadata(metadata),
        outcome.response,
        error,
        request if isinstance(request, dict) else None,
        members,
        key_is_number=is_number(metadata.get("key") if own is None else value.get("key")),
    )


def _is_plain_answer(response: Json) -> bool:
    """Whether an answer beside a key alone is certain to be one: nearly all lines are so."""
    return type(response) is dict and bool(response.get("candidates"))


def _users_metadata(metadata: dict[str, Json], key: str | None) -> dict[str, Json]:
    """The user's part of an inline item's metadata: without our mark and the row's key."""
    return {
        name: value for name, value in without_position(metadata).items() if not (name == "key" and key is not None)
    }


def _item(element: Json | InvalidElement | LongLine) -> ResultItem:
    if isinstance(element, InvalidElement):
        return invalid_item(element)
    if isinstance(element, LongLine):
        words = f"an item of the results has {element.size:,} bytes, more than limits.lineBytes allows"
        return long_row(element, words, result_item)
    return result_item(element)


def invalid_item(element: InvalidElement) -> ResultItem:
    """The error row of an inline item that is not JSON."""
    raw = element.text.encode("utf-8", "surrogateescape")
    return unreadable_row(raw, f"an item of the results is not JSON: {element.reason}", result_item)
