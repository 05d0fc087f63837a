"""Finds the texts of a document that can be replaced without a change of anything else in it.

Only scalars whose meaning is plain to see: texts without quotes or in quotes with the usual escapes, also folded over
lines, and literal blocks. In a *gap*, the place of such a text, every text that fits the pattern of the gap is read by
libyaml as a text with the same beginning, and what follows it as before. Source: YAML 1.2.2, chapters 7 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias

from msgspec import Struct

from batchctl.manifests.nodes import Items, Node, Scalar
from batchctl.manifests.scalars import NOT_STRINGS, resolve
from batchctl.model.pattern import Pattern
from batchctl.model.request.problems import Path

Reader: TypeAlias = Callable[[str], str | None]
"""The text that is written in a gap; None if it is no text."""

_CONTROL = r"\x00-\x1f\x7f"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t"}
"""The escapes that JSON has too. A text with another one has no gap."""
_ESCAPE = r'\\(?:["\\/nrt]|x(?:[2-7a-fA-F])[0-9a-fA-F]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
"""Not the halves of surrogate pairs, which libyaml refuses and `compose` may write in another way."""
_ESCAPED = Pattern(rf"{_ESCAPE}|\\?\n +(?:\\ )?")


def _none_of(characters: str, other: str = r"\$(?!\{)") -> str:
    """A pattern for texts without these characters, without control characters and references to variables."""
    some = rf"[^{characters}${_CONTROL}]*+"
    return rf"{some}(?:(?:{other}){some})*+"


_DOUBLE = _none_of(r"\"\\", rf"\$(?!\{{)|{_ESCAPE}") + r"(?=\")"
_SINGLE = _none_of(r"'\\") + "(?=')"
_SOME_LINE = r"(?=[^\n])" + _none_of(r"\\")
_ENDS_BLOCK, _ENDS_FLOW = (rf" #$:\\{more}{_CONTROL}" for more in ("", r",?\[\]{}"))
"""Texts without quotes end before a colon with a space, two spaces and a comment; inside brackets, at these and at a
comma."""


def _unquoted(ends: str, first: str = r"\w") -> str:
    """A pattern for a line of a text without quotes."""
    return rf"{first}[^{ends}]*+(?:[ :][^{ends}]++)*+"


_IN_BLOCK, _IN_FLOW = _unquoted(_ENDS_BLOCK), _unquoted(_ENDS_FLOW)
_GOES_ON = _unquoted(_ENDS_BLOCK, rf"[^{_ENDS_BLOCK}]")
"""A further line, which may begin with more characters."""
_PLAIN_END = r"(?= *(?:\r?\n|\Z)| +#)"
_OF_PROPERTIES = frozenset("&*!")
"""The first characters of anchors, aliases and tags."""
_FOLD = Pattern(r"\n +")
_BLOCK_HEAD = Pattern(r"\|(-?)\n( +)")


class _Form(Struct, frozen=True):
    """How a text is written that starts at an offset."""

    start: int
    pattern: str
    read: Reader | None


class TextGap(Struct, frozen=True):
    """The place of a text."""

    path: Path
    before: int
    """The offset at which its scalar begins, with quotes."""
    start: int
    """The offset of its first character."""
    end: int
    pattern: str
    """For the texts that fit."""
    read: Reader | None
    """None: the characters in the gap are the text."""


def text_gaps(text: str, root: Node, fields: Collection[Path]) -> list[TextGap]:
    """The gaps in some fields of a document, in their order; none if it has anchors, aliases or tags."""
    finder = _Finder(text, fields)
    gaps = sorted(finder.inside(root, (), is_flow=False), key=lambda gap: gap.start)
    return gaps if finder.is_plain else []


class _Finder:
    def __init__(self, text: str, fields: Collection[Path]) -> None:
        self._text = text
        self._fields = fields
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self.is_plain = True

    def inside(self, node: Node, path: Path, *, is_flow: bool, least: int = 0) -> Iterator[TextGap]:
        """The gaps in a value. `is_flow`: it is inside brackets; `least`: spaces before its further lines, if known."""
        start = self._starts[node.location.line - 1] + node.location.column - 1
        first = self._text[start : start + 1]
        self.is_plain &= first not in _OF_PROPERTIES
        if isinstance(node, Scalar):
            if path[:2] in self._fields:
                yield from self._gap(node, path, self._form(start, is_flow=is_flow, least=least), start)
            return
        is_flow = is_flow or first in "{["
        if isinstance(node, Items):
            for number, value in enumerate(node.values):
                yield from self.inside(value, (*path, number), is_flow=is_flow)
            return
        for name, member in node.entries.items():
            column = member.key_location.column
            yield from self.inside(member.node, (*path, name), is_flow=is_flow, least=column)

    def _gap(self, node: Scalar, path: Path, form: _Form | None, start: int) -> Iterator[TextGap]:
        """The gap of a scalar, unless its text has another escape, a variable, or lines that are written otherwise."""
        match = None if form is None else re.compile(form.pattern).match(self._text, form.start)
        if form is None or match is None:
            return
        found = match[0] if form.read is None else form.read(match[0])
        if node.variable is None and node.value == node.text == found:
            yield TextGap(path, start, form.start, match.end(), form.pattern, form.read)

    def _form(self, start: int, *, is_flow: bool, least: int) -> _Form | None:
        first = self._text[start : start + 1]
        if least and not is_flow and first != "|":
            return _Form(start, _in_mapping(least), _read_any)
        match first:
            case '"':
                return _Form(start + 1, _DOUBLE, _read_double)
            case "'":
                return _Form(start + 1, _SINGLE, None)
            case "|":
                return self._block(start)
            case _:
                return _Form(start, _IN_FLOW if is_flow else _IN_BLOCK, _read_plain)

    def _block(self, start: int) -> _Form | None:
        head = _BLOCK_HEAD.match(self._text, start)
        if head is None:
            return None
        pattern = rf"(?! ){_SOME_LINE}(?:\n+{head[2]}{_SOME_LINE})*+(?=\n)"
        return _Form(head.end(), pattern, _block_reader(head[2], "" if head[1] else "\n"))


@lru_cache
def _in_mapping(least: int) -> str:
    """A pattern for a value in a mapping without brackets, in any quotes or none; with so many spaces before lines."""
    line = rf"\n {{{least},}}+"
    fold = rf"(?<![ \n'\"\\]){line}"
    plain = rf"{_IN_BLOCK}(?:{line}{_GOES_ON})*+{_PLAIN_END}"
    double = _none_of(r"\"\\", rf"\$(?!\{{)|{_ESCAPE}|{fold}|\\{line}(?:\\ )?")
    single = _none_of(r"'\\", rf"\$(?!\{{)|''|{fold}")
    return rf"(?:{plain}|\"{double}\"|'{single}'(?!'))"


def _read_any(written: str) -> str | None:
    match written[0]:
        case '"':
            return _read_double(written[1:-1])
        case "'":
            return _FOLD.sub(" ", written[1:-1]).replace("''", "'")
        case _:
            return _read_plain(_FOLD.sub(" ", written) if "\n" in written else written)


def _read_double(written: str) -> str | None:
    if "\\" not in written and "\n" not in written:
        return written
    text = _ESCAPED.sub(_character, written)
    return None if "${" in text else text  # such as "$\u007b": a reference to a variable


def _character(found: re.Match[str]) -> str:
    written = found[0]
    if "\n" in written:
        return "" if written[0] == "\\" and not written.endswith("\\ ") else " "
    escape = written[1:]
    return chr(int(escape[1:], 16)) if escape[0] in "xu" else _ESCAPES[escape]


def _read_plain(written: str) -> str | None:
    if written[0] not in NOT_STRINGS:
        return written
    try:
        found = resolve(written)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def _block_reader(indentation: str, end: str) -> Reader:
    return lambda written: written.replace(f"\n{indentation}", "\n") + end
