"""Bytes to located values: YAML documents within bounds.

Defines the YAML that batchctl accepts. It builds the tree from libyaml's events, because libyaml's own composer has no
limits: it crashes the process at 50,000 levels, and aliases can expand a small file to any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, quote_hint
from batchctl.manifests.nesting import MAX_DEPTH, find_too_deep
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar
from batchctl.manifests.scalars import NOT_STRINGS, resolve
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut, shown

if not yaml.__with_libyaml__:  # pragma: no cover - the wheels of PyYAML all have it
    raise ImportError("batchctl needs PyYAML with libyaml; install a PyYAML wheel, or libyaml before building it")

MAX_BYTES = 8 * 1024 * 1024
MAX_VALUES = 200_000
"""Limit for one file with all aliases expanded: some seconds of work. More rows belong in a JSONL file."""
MAX_CHARACTERS = MAX_BYTES
"""Limit for all strings of one file together, with all aliases expanded."""

_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
"""The first bytes of UTF-16 and UTF-32 files."""
_NOT_TEXT = Pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NOT_ASCII_TEXT = Pattern("[^\t\n\r\x20-\x7e]")
"""The same for texts in ASCII: the other takes 4 ms to compile."""
_PAIR = Pattern(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_PAIR_OR_BACKSLASH = Pattern(rf"\\\\|{_PAIR.pattern}")
"""Matches an escaped backslash too, so that the text after it is not read as an escape."""
_BREAK = Pattern("\r\n|[\r\n\x85\u2028\u2029]")
"""Line ends as libyaml counts them."""
_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"})
_HINTS = {
    "tab character": "indent with spaces, not with tabs",
    "cannot start any token": "indent with spaces, not with tabs; quote texts that start with @, ` or %",
    "Unicode character escape": "write the character itself",
    "unknown escape": "write \\\\ for a backslash, or use single quotes",
    "mapping values are not allowed": 'quote texts that contain ": "; check that the line before is complete',
    "expected ',' or": "a comma or the closing bracket is missing",
    "expected node content": "a value is missing here, or there is a comma too many",
    "expected key": "indent this line like the other lines of its block",
    "expected ':'": "write a colon and a space after the key",
    "alphabetic or numeric": "quote a text that starts with * or &",
    "end of stream": "a quote is not closed",
    "incompatible YAML": "remove the line that starts with %",
}
"""Hints for the most common mistakes, by a part of libyaml's message."""
_OPENED = ("expected ',' or", "end of stream")
"""Messages whose cause is an opening bracket or quote, which can be many lines above."""
_STANDARD_TAG = "tag:yaml.org,2002:"
_CHARACTER_HINTS = {
    "\x00": "remove it; if the file is UTF-16, save it as UTF-8",
    "\ufeff": "remove it: an invisible byte order mark",
}
_ROWS_HINT = "put rows into a JSONL file: src: {file: PATH}"
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_STAR_HINT = "quote a text that starts with *"
_BRACES_HINT = "quote a text that starts with { or ["


class _Stop(Exception):
    """Stops reading the file: the rest of it cannot be interpreted."""


class _Anchored(Struct, frozen=True):
    """A complete value that aliases can refer to, with its size for the limits."""

    node: Node
    values: int
    characters: int
    height: int


def compose(data: bytes, file: str, faults: Faults) -> list[Node]:
    """The documents of one file, without empty ones. Errors go to `faults`.

    After a syntax error, the file's later documents are left out too.
    """
    text = _decode(data, file, faults)
    return [] if text is None else list(_Composer(text, file, faults).documents())


def _decode(data: bytes, file: str, faults: Faults) -> str | None:
    start = Location(file)
    if len(data) > MAX_BYTES:
        faults.add(start, Code.TOO_LARGE, "the file is larger than 8 MB", _ROWS_HINT)
        return None
    if data.startswith(_WIDE):
        faults.add(start, Code.INVALID_YAML, "the file is UTF-16 or UTF-32", "save it as UTF-8")
        return None
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode("utf-8"), file)
        faults.add(place, Code.INVALID_YAML, "the file is not UTF-8", "save it as UTF-8")
        return None
    bad = (_NOT_ASCII_TEXT if text.isascii() else _NOT_TEXT).search(text)
    if bad is not None:
        message = f"the character U+{ord(bad[0]):04X} is not allowed"
        hint = _CHARACTER_HINTS.get(bad[0], 'write it as an escape in "double quotes"')
        faults.add(_place(text[: bad.start()], file), Code.INVALID_YAML, message, hint)
        return None
    return _without_pairs(text)


def _without_pairs(text: str) -> str:
    """Replace each escaped surrogate pair of a JSON document with the equivalent YAML escape.

    JSON writers encode characters beyond U+FFFF as pairs, which libyaml refuses. Later columns shrink by two.
    """
    if "\\u" not in text or not _PAIR.search(text):
        return text
    import json  # for files that JSON writers have made, with such characters

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _PAIR_OR_BACKSLASH.sub(_one_escape, text)


def _one_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    high, low = int(match[1], 16), int(match[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _place(before: str, file: str) -> Location:
    lines = _BREAK.split(before)
    return Location(file, len(lines), len(lines[-1]) + 1)


class _Composer:
    """Builds the values of one file. Recursion is bounded by `MAX_DEPTH`."""

    def __init__(self, text: str, file: str, faults: Faults) -> None:
        self._text = text
        self._file = file
        self._faults = faults
        # Not yaml.parse, whose generator takes as long as libyaml itself. After the end, there are no more events.
        self._events: Iterator[Any] = iter(yaml.CSafeLoader(text).get_event, None)
        self._anchors: dict[str, _Anchored | None] = {}
        self._values = 0
        self._characters = 0

    def documents(self) -> Iterator[Node]:
        try:
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    self._anchors = {}
                    node, _ = self._value(next(self._events), 1)
                    if not (isinstance(node, Scalar) and node.value is None):
                        yield node
        except yaml.MarkedYAMLError as error:
            deep = find_too_deep(self._text[: error.problem_mark.index]) if error.problem_mark else None
            if deep is None:
                self._syntax(error)
            else:
                self._faults.add(self._at(deep), Code.TOO_LARGE, _TOO_DEEP)
        except _Stop:
            return

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark
        assert mark is not None, "libyaml always says where"
        problem = str(error.problem)
        hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
        opened = error.context_mark
        if opened is not None and any(part in problem for part in _OPENED):
            hint += f"; opened at {opened.line + 1}:{opened.column + 1}"
        # Without a final line end, libyaml reports something missing at the end one line too far.
        place = min(Location(self._file, mark.line + 1, mark.column + 1), _place(self._text, self._file))
        self._faults.add(place, Code.INVALID_YAML, problem, hint)

    def _at(self, event: Any) -> Location:  # noqa: ANN401 - PyYAML's events have no useful types
        mark = event.start_mark
        return Location(self._file, mark.line + 1, mark.column + 1)

    def _stop(self, place: Location, code: Code, message: str, hint: str = "") -> _Stop:
        self._faults.add(place, code, message, hint)
        return _Stop()

    def _count(self, place: Location, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > MAX_VALUES or self._characters > MAX_CHARACTERS:
            message = f"more than {MAX_VALUES:,} values, or {MAX_CHARACTERS:,} characters, with all aliases expanded"
            raise self._stop(place, Code.TOO_LARGE, message, "" if self._anchors else _ROWS_HINT)

    def _value(self, event: Any, depth: int) -> tuple[Node, int]:  # noqa: ANN401
        """The value that starts with this event, and its height: 1 for a scalar."""
        mark = event.start_mark
        place = Location(self._file, mark.line + 1, mark.column + 1)
        if depth > MAX_DEPTH:
            raise self._stop(place, Code.TOO_LARGE, _TOO_DEEP)
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None and event.tag is None:
            return self._scalar(event, place), 1  # nearly all values
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), place, depth)
        if event.tag is not None and event.tag not in _TAGS:
            message = f"the tag {cut(event.tag.replace(_STANDARD_TAG, '!!'))} is not supported"
            self._faults.add(place, Code.INVALID_YAML, message, "write the value without it")
        if event.anchor is None:
            return self._fresh(event, place, depth)
        self._anchors[event.anchor] = None
        values, characters = self._values, self._characters
        node, height = self._fresh(event, place, depth)
        built = _Anchored(node, self._values - values, self._characters - characters, height)
        self._anchors[event.anchor] = built
        return node, height

    def _fresh(self, event: Any, place: Location, depth: int) -> tuple[Node, int]:  # noqa: ANN401
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place), 1
        self._count(place, 1, 0)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth)
        return self._mapping(place, depth)

    def _alias(self, name: str, place: Location, depth: int) -> tuple[Node, int]:
        if name not in self._anchors:
            raise self._stop(place, Code.INVALID_YAML, f"the alias *{cut(name)} has no anchor before it", _STAR_HINT)
        built = self._anchors[name]
        if built is None:
            raise self._stop(place, Code.INVALID_YAML, f"the alias *{cut(name)} is inside its own anchor")
        if depth + built.height - 1 > MAX_DEPTH:
            raise self._stop(place, Code.TOO_LARGE, _TOO_DEEP)
        self._count(place, built.values, built.characters)
        return built.node, built.height

    def _scalar(self, event: Any, place: Location) -> Scalar:  # noqa: ANN401
        text: str = event.value
        self._count(place, 1, len(text))
        # Quoted, block and tagged scalars are always strings, and so are most plain ones.
        if not event.implicit[0] or event.tag is not None or (text and text[0] not in NOT_STRINGS):
            return Scalar(place, text, text)
        try:
            return Scalar(place, resolve(text), text)
        except ValueError as error:
            hint = "write another number, or quote it to make it a string"
            self._faults.add_unreadable(place, f"{cut(text)} {error}", hint)
            return Scalar(place, text, text)

    def _sequence(self, place: Location, depth: int) -> tuple[Node, int]:
        built: list[Node] = []
        highest = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node, height = self._value(event, depth + 1)
            built.append(node)
            highest = max(highest, height)
        return Items(place, tuple(built)), highest + 1

    def _mapping(self, place: Location, depth: int) -> tuple[Node, int]:
        entries: dict[str, Member] = {}
        highest = 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, key_height = self._value(event, depth + 1)
            merges = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value == "<<"
            # The place of an alias as key is the alias, not its anchor.
            key_place = self._at(event) if isinstance(event, yaml.AliasEvent) else key.location
            node, height = self._value(next(self._events), depth + 1)
            highest = max(highest, key_height, height)
            name = None if merges else self._key_name(key, key_place, entries)
            if merges:
                hint = "write the fields out, or use the stack's defaults"
                self._faults.add(key_place, Code.INVALID_YAML, "merge keys are not supported", hint)
            if name is not None:
                entries[name] = Member(key_place, node)
        return Members(place, entries), highest + 1

    def _key_name(self, key: Node, place: Location, entries: dict[str, Member]) -> str | None:
        if not isinstance(key, Scalar):
            self._faults.add(place, Code.WRONG_TYPE, "a key must be a string, not a list or a mapping", _BRACES_HINT)
            return None
        if not isinstance(key.value, str):
            self._faults.add(place, Code.WRONG_TYPE, "a key must be a string", quote_hint(key.text))
            return None
        if key.value in entries:
            first = entries[key.value].key_location
            hint = f"first at {first.line}:{first.column}"
            self._faults.add(place, Code.DUPLICATE_KEY, f"the key {shown(key.value)} appears twice", hint)
            return None
        return key.value
