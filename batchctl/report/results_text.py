"""Results as text for people: the answer of each row in a block of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from batchctl.model.result_columns import Cells
from batchctl.report.escape import terminal

_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBERS_SHOWN = 8


class TextWriter:
    """One block per row: a line with key and verdict, the request if asked for, the answer, a blank line."""

    def __init__(self, sink: BinaryIO, encoding: str = "utf-8") -> None:
        self._sink = sink
        self._encoding = encoding

    def write(self, cells: Cells) -> None:
        """Write one row."""
        block = "".join(f"{line}\n" for line in (_title(cells), *_request(cells), *_answer(cells), ""))
        self._sink.write(block.encode(self._encoding, "backslashreplace"))

    def close(self) -> None:
        """Nothing is left to write."""


def safe_lines(text: str) -> Iterator[str]:
    """The lines of a text from outside, with every character escaped that acts on a terminal. Tabs stay."""
    for line in _LINE_END.split(text):
        yield "\t".join(map(terminal, line.split("\t")))


def _title(cells: Cells) -> str:
    key, index = cells.get("key"), cells.get("index")
    name = str(key) if key is not None else "(no key)" if index is None else f"(row {index})"
    job = cells.get("job")
    return terminal(f"[{name if job is None else f'{job}/{name}'}] {cells.get('verdict') or ''}".rstrip())


def _request(cells: Cells) -> Iterator[str]:
    request = cells.get("request")
    if request is not None:
        yield from (f"> {line}" for line in safe_lines(str(request)))


def _answer(cells: Cells) -> Iterator[str]:
    text, vector, code = cells.get("text"), cells.get("embedding"), cells.get("errorCode")
    if text is not None:
        yield from safe_lines(str(text).rstrip("\r\n"))
    if isinstance(vector, tuple):
        shown = ", ".join(f"{number:g}" for number in vector[:_NUMBERS_SHOWN])
        more = ", …" if len(vector) > _NUMBERS_SHOWN else ""
        yield f"{len(vector)} numbers: {shown}{more}"
    if code is not None or cells.get("errorMessage") is not None:
        yield from safe_lines(f"error{'' if code is None else f' {code}'}: {cells.get('errorMessage') or 'no message'}")
    if cells.get("blockReason") is not None:
        yield from safe_lines(f"the API says: {cells['blockReason']}")
