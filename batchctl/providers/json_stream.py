"""Reads JSON that is too large for memory, member by member and element by element.

Parses objects and arrays; the standard decoder reads single values. Every error is a ValueError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.providers.json_ending import Ending
from batchctl.providers.streamed_lines import LongLine
from batchctl.providers.untrusted_text import DECODER

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER_TAIL = re.compile(r"[0-9.eE+-]*")
_CHUNK = 2**20
VALUE_LIMIT = 64 * 2**20
"""Characters of one value that are held in memory."""
_MAX_DEPTH = 100
"""Levels of nested objects that are walked through."""
_LENIENT = json.JSONDecoder()
"""Accepts NaN and infinities, to find the end of a value that contains them."""
_CONSTANT = re.compile(r"NaN|Infinity")
_BROKEN = re.compile(r"[\udc80-\udcff]")
"""A byte that is not valid UTF-8, as `surrogateescape` decodes it."""


class InvalidElement(Struct, frozen=True):
    """An element that is not valid JSON, although its end can be found."""

    text: str
    reason: str


class JsonStream:
    """A position in a JSON text. `read(n)` returns up to n further characters, and none at the end."""

    def __init__(self, read: Callable[[int], str], *, value_limit: int = VALUE_LIMIT, chunk: int = _CHUNK) -> None:
        self._read = read
        self._value_limit = value_limit
        self._chunk = chunk
        self._buffer = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not white space. Raises ValueError at the end."""
        while True:
            self._at = _end_of(_SPACE, self._buffer, self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            self._go_on()

    def members(self) -> Iterator[str]:
        """Iterate over the names of this object; the caller must consume each value before the next name."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise ValueError("a member's name is not a string")  # noqa: TRY004  # a fault of the text, not of a type
            self._take(":")
            yield name
            if self._ends("}"):
                return

    def elements(self) -> Iterator[Json | InvalidElement | LongLine]:
        """Iterate over this array. An invalid element whose end is clear does not affect the others.

        An element larger than the limit is stored temporarily, until the next one is requested.
        """
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        while True:
            element = self._element()
            try:
                yield element
            finally:
                if isinstance(element, LongLine):
                    element.close()
            if self._ends("]"):
                return

    def value(self) -> Json:
        """Read this value completely. Raises ValueError when it is larger than the limit."""
        found = self._decode(DECODER)
        if found is None:
            raise ValueError(f"one value is larger than {self._value_limit} characters")
        return found[0]

    def _element(self) -> Json | InvalidElement | LongLine:
        found = self._decode(_LENIENT)
        if found is None:
            return self._pass_over()
        value, text = found
        if _BROKEN.search(text):
            return InvalidElement(text, "it is not UTF-8")
        if not _CONSTANT.search(text):
            return value
        try:
            DECODER.decode(text)
        except ValueError as error:
            return InvalidElement(text, str(error))
        return value

    def _decode(self, decoder: json.JSONDecoder) -> tuple[Json, str] | None:
        """Decode the value here; gives its text too. None, with nothing consumed, when it is larger than the limit."""
        self.peek()
        while True:
            try:
                value, end = decoder.raw_decode(self._buffer, self._at)
            except RecursionError as exc:
                raise ValueError("nested too deeply") from exc
            except ValueError:
                if self._ended:
                    raise
            else:
                # A number may continue after the end of the buffer, and `1.` is decoded as `1` followed by a point.
                if _end_of(_NUMBER_TAIL, self._buffer, end) < len(self._buffer) or self._ended:
                    if end - self._at > self._value_limit:
                        return None
                    text = self._buffer[self._at : end]
                    self._at = end
                    return value, text
            held = len(self._buffer) - self._at
            if held > self._value_limit:
                return None
            # Double the buffer, so that a long value is not decoded again after every chunk.
            self._grow(min(held, self._value_limit + 1 - held))

    def _pass_over(self) -> LongLine:
        """Skip this value, and keep all its bytes in temporary storage."""
        line, ending = LongLine(()), Ending()
        try:
            while True:
                piece = self._buffer[self._at : self._at + self._chunk]
                end = ending.find(piece)
                piece = piece if end is None else piece[:end]
                line.add(piece.encode("utf-8", "surrogateescape"))
                self._at += len(piece)
                if end is not None:
                    line.content.seek(0)
                    return line
                if self._at == len(self._buffer):
                    self._go_on()
        except BaseException:
            line.close()
            raise

    def skip(self, depth: int = 0) -> None:
        """Skip this value, however large its objects and arrays are."""
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        match self.peek():
            case "{":
                for _ in self.members():
                    self.skip(depth + 1)
            case "[":
                for _ in self.elements():
                    pass
            case _:
                self.value()

    def _go_on(self) -> None:
        """Read more text. Raises ValueError when there is none."""
        if self._ended:
            raise ValueError("the JSON text ends early")
        self._grow()

    def _grow(self, least: int = 0) -> None:
        rest = self._buffer[self._at :]
        more = self._read(max(self._chunk, least))
        self._ended = not more
        self._buffer, self._at = rest + more, 0

    def _ends(self, closing: str) -> bool:
        if self.peek() == closing:
            self._take(closing)
            return True
        self._take(",")
        return False

    def _take(self, char: str) -> None:
        if self.peek() != char:
            raise ValueError(f"{char!r} expected, {self._buffer[self._at]!r} found")
        self._at += 1


def _end_of(run: re.Pattern[str], text: str, start: int) -> int:
    found = run.match(text, start)
    return found.end() if found else start
