"""Where a job's results stand, and how rows are read from there: inside the job, or in a result file.

Nothing here is ever silently short: what cannot be read to its end raises. Source: reference 1.4, 8.1.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from batchctl.model.desired import Json
from batchctl.model.errors import BadReply
from batchctl.model.ports import ResultItem
from batchctl.model.states import JobState
from batchctl.providers.gemini.names import is_file_name
from batchctl.providers.json_stream import JsonStream
from batchctl.providers.lines import LINE_LIMIT, lines
from batchctl.providers.members import job_state
from batchctl.providers.texts import as_object, parse_json
from batchctl.providers.times import parse_time

_IN_MEMORY = 16 * 2**20
_INLINE = frozenset({"inlinedResponses", "inlinedEmbedContentResponses"})
"""Two spellings; embeddings were seen under either, once or twice nested."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_EMPTY_ITEM: dict[str, Json] = {"code": 2, "message": "the API gave neither a response nor an error for this row"}


@dataclass
class Outline:
    """What a reading of the job has shown besides its rows; complete only after the last row."""

    state: str = JobState.UNSPECIFIED.value
    end_time: datetime | None = None
    file: str | None = None
    rows_seen: bool = False


def spool(chunks: Iterable[bytes]) -> BinaryIO:
    """Put a body aside, on disk when it is large; the caller closes it."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # handed over open
    try:
        for chunk in chunks:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("BinaryIO", file)


def inline_rows(body: BinaryIO, outline: Outline, what: str) -> Iterator[ResultItem]:
    """Read an Operation member by member: its rows are given, what else it says goes into the outline.

    The rows may stand in it twice; the first place counts. Raises BadReply.
    """
    text = io.TextIOWrapper(body, encoding="utf-8", newline="")
    try:
        stream = JsonStream(text.read)
        for name in stream.members():
            if name == "metadata" and stream.peek() == "{":
                yield from _metadata(stream, outline)
            elif name == "response":
                yield from _output(stream, outline)
            else:
                stream.skip()
    except ValueError as exc:
        raise BadReply(f"{what}: the answer is not the JSON that was promised: {exc}") from exc
    finally:
        text.detach()


def _metadata(stream: JsonStream, outline: Outline) -> Iterator[ResultItem]:
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


def _output(stream: JsonStream, outline: Outline) -> Iterator[ResultItem]:
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


def _container(stream: JsonStream, outline: Outline) -> Iterator[ResultItem]:
    if stream.peek() == "[":
        if outline.rows_seen:
            stream.skip()
            return
        for item in stream.elements():
            outline.rows_seen = True
            yield result_item(item)
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


def file_rows(chunks: Iterable[bytes], outline: Outline, what: str) -> Iterator[ResultItem]:
    """Read a result file line by line. Raises BadReply for a line that is too long or not JSON."""
    for number, line in enumerate(lines(chunks, LINE_LIMIT, what), start=1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError as exc:
            raise BadReply(f"{what}: line {number} of the result file is not JSON, or cut off") from exc
        outline.rows_seen = True
        yield result_item(value)


def result_item(value: Json) -> ResultItem:
    """One row from a result line or an inline item, members in any order; a row that holds nothing becomes an error."""
    item = as_object(value)
    metadata = as_object(item.get("metadata"))
    key = next((one for one in (item.get("key"), metadata.get("key")) if isinstance(one, str)), None)
    index = metadata.get("index")
    place = int(index) if isinstance(index, str) and _INDEX.fullmatch(index) else None
    response, error = item.get("response"), item.get("error")
    if isinstance(error, dict):
        return ResultItem(key, place, error=error)
    if isinstance(response, dict):
        return ResultItem(key, place, response=response)
    return ResultItem(key, place, error=_EMPTY_ITEM)
