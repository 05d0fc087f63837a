"""The lines of collected results with further members, without decoding them.

A line that `collect` wrote begins with its key, its index and its verdict. The members that `results` adds come right
after them, so the rest of the line, which is nearly all of it, stays as it is. A line of another form, such as one of
an earlier release, is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from batchctl.disk.safe_open import open_stream
from batchctl.model.forms.templates import Column, Template
from batchctl.model.json_value import Json
from batchctl.model.result_json import encoded
from batchctl.rows.folder import RESULTS_FILE, results_errors
from batchctl.rows.line_blocks import BLOCK
from batchctl.rows.read import parse_row
from batchctl.rows.selection import judged

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb'\{[^{}"]*+(?:' + _TEXT + rb'[^{}"]*+)*+\}'
"""Members beside a request, none of which is an object."""
_FIRST = "key"
_OWN = ("attempt", "input")
_LINE = re.compile(
    rb'^\{("key":(?:' + _TEXT + rb'|null),"index":(?:[0-9]++|null),"verdict":"[A-Z_]++",)'
    rb'("attempt":[0-9]++,)?("input":' + _FLAT + rb',)?((?:"response"|"error"):[^\n]*+)\n',
    re.MULTILINE,
)
"""The groups are what the line begins with, its members of `_OWN`, and its outcome to the end.

After a match the next line begins, so a search through lines of this form looks at nothing twice.
"""
_Groups: TypeAlias = tuple[bytes, ...]


def lines_with_head(folder: Path, head: Mapping[str, Json]) -> Iterator[bytes]:
    """Blocks of lines, in input order: each row with the members of `head`, in the order of `head`.

    Each is the JSON of `{**head, **row}`. The file has to be the one that was collected. Raises ResultsError.
    """
    path, number = folder / RESULTS_FILE, 0
    members = _Members(head)
    with results_errors(path), open_stream(path) as stream:
        while lines := stream.read(BLOCK):
            lines = lines if lines.endswith(b"\n") else lines + stream.readline()
            found, count = _LINE.findall(lines), lines.count(b"\n")
            if len(found) == count and lines.endswith(b"\n"):
                yield members.added(found)
            else:
                yield b"".join(_one_by_one(path, number, lines, head, members))
            number += count


def _one_by_one(path: Path, before: int, lines: bytes, head: Mapping[str, Json], members: _Members) -> Iterator[bytes]:
    for number, line in enumerate(BytesIO(lines), before + 1):
        found = _LINE.fullmatch(line)
        if found is not None:
            yield members.added([found.groups(b"")])
        else:
            yield encoded(dict(judged({**head, **parse_row(path, number, line)}))) + b"\n"


class _Members:
    """The members that all lines get, with their values where a line does not have its own."""

    def __init__(self, head: Mapping[str, Json]) -> None:
        names = list(head)
        # A line has its key, index and verdict one after the other, as `head` has them.
        place = names.index(_FIRST)
        self._before = b"{" + b"".join(_member(name, head[name]) for name in names[:place])
        self._after = {name: _member(name, head[name]) for name in names[place + 3 :]}

    def added(self, found: Sequence[_Groups]) -> bytes:
        """Lines with these groups, and the members."""
        start, *own, outcome = zip(*found, strict=True)
        between, constant = [self._before], b""
        columns: list[Column] = [start]
        for name, member in self._after.items():
            column: Column = own[_OWN.index(name)] if name in _OWN else ()
            if any(column):
                between.append(constant)
                columns.append([one or member for one in column])
                constant = b""
            else:
                constant += member
        line = Template((*between, constant, b"\n"), tuple(range(len(columns) + 1)))
        return line.lines([*columns, outcome], len(found))


def _member(name: str, value: Json) -> bytes:
    return encoded(name) + b":" + encoded(value) + b","
