"""The lines of collected results with further members, without decoding them.

A line that `collect` wrote begins with its key, its index and its verdict. The members that `results` adds come right
after them, so the rest of the line, which is nearly all of it, stays as it is. A line of another form, such as one of
an earlier release, is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from batchctl.disk.safe_open import open_stream
from batchctl.model.json_value import Json
from batchctl.model.result_json import encoded
from batchctl.rows.folder import RESULTS_FILE, results_errors
from batchctl.rows.read import parse_row
from batchctl.rows.selection import judged

_Form: TypeAlias = tuple[re.Pattern[bytes], bytes]
_AT_ONCE = 2**20
"""Bytes of lines that are read at once."""
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_START = rb'^\{"key":(' + _TEXT + rb'|null),"index":([0-9]++|null),"verdict":("[A-Z_]++"),'
_FLAT = rb'"input":(\{[^{}"]*+(?:' + _TEXT + rb'[^{}"]*+)*+\}),'
"""Members beside a request, none of which is an object."""
_OUTCOME = rb'(?="response":|"error":)'
_ATTEMPT = rb'"attempt":([0-9]++),'
_FORMS = tuple(
    (re.compile(_START + middle + _OUTCOME, re.MULTILINE), own)
    for middle, own in (
        (b"", {}),
        (_FLAT, {"input": rb"\4"}),
        (_ATTEMPT, {"attempt": rb"\4"}),
        (_ATTEMPT + _FLAT, {"attempt": rb"\4", "input": rb"\5"}),
    )
)
"""The forms of a line, each with the groups of its own members."""


def lines_with_head(folder: Path, head: Mapping[str, Json]) -> Iterator[bytes]:
    """Blocks of lines, in input order: each row with the members of `head`, in the order of `head`.

    Each is the JSON of `{**head, **row}`. The file has to be the one that was collected. Raises ResultsError.
    """
    path, forms = folder / RESULTS_FILE, [(pattern, _new_start(head, own)) for pattern, own in _FORMS]
    with results_errors(path), open_stream(path) as stream:
        number = 0
        while found := stream.readlines(_AT_ONCE):
            lines, left = b"".join(found), len(found)
            for pattern, start in forms:
                lines, replaced = pattern.subn(start, lines) if left else (lines, 0)
                left -= replaced
            yield b"".join(_one_by_one(path, number, found, head, forms)) if left else lines
            number += len(found)


def _one_by_one(
    path: Path, before: int, lines: Iterable[bytes], head: Mapping[str, Json], forms: Iterable[_Form]
) -> Iterator[bytes]:
    for number, line in enumerate(lines, before + 1):
        for pattern, start in forms:
            found, replaced = pattern.subn(start, line)
            if replaced:
                yield found
                break
        else:
            yield encoded(dict(judged({**head, **parse_row(path, number, line)}))) + b"\n"


def _new_start(head: Mapping[str, Json], own: Mapping[str, bytes]) -> bytes:
    """The start of a line as a template of `re`; `own` are the groups of its members."""
    own = {"key": rb"\1", "index": rb"\2", "verdict": rb"\3", **own}
    members = [encoded(name) + b":" + (own.get(name) or _literal(encoded(value))) for name, value in head.items()]
    return b"{" + b",".join(members) + b","


def _literal(text: bytes) -> bytes:
    return text.replace(b"\\", rb"\\")
