"""Finds manifests beside the stack file that `spec.manifests` does not name, so that their jobs are missed.

A file is judged by its first lines, because it may be anything: apiVersion and kind of a block mapping, or before the
first nested value of one in braces. It is not read as a manifest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from batchctl.disk.safe_open import open_folder, read_start_in
from batchctl.manifests.lists import LIST_KIND
from batchctl.model.kinds import Kind

MOST_FILES = 200
"""Files to look at: a folder of data may have any number."""
FIRST_BYTES = 4096
"""Bytes to read of each."""

_KIND, _VERSION = (
    rf"[\"']?{key}[\"']?[ \t]*:[ \t\r\n]*[\"']?{value}"
    for key, value in (
        ("kind", r"(\w+)"),
        ("apiVersion", r"batchctl\.dev/"),
    )
)
_IN_BLOCK = [re.compile(f"^{key}", re.MULTILINE) for key in (_KIND, _VERSION)]
_IN_BRACES = [re.compile(rf"[{{,]\s*{key}") for key in (_KIND, _VERSION)]
_BEFORE_NESTED = re.compile(r"\s*\{[^{\[]*")
_OF_JOBS = frozenset({*Kind, LIST_KIND})
_STACK = "Stack"


def unread_manifests(folder: Path, names: Sequence[str]) -> list[str]:
    """Those of these files in a folder that are manifests of jobs.

    None if one of the files is another stack file: they may be its manifests.
    """
    with open_folder(folder) as handle:
        kinds = {name: _kinds(_start(handle, name)) for name in names[:MOST_FILES]}
    return [] if any(_STACK in some for some in kinds.values()) else [name for name in kinds if kinds[name] & _OF_JOBS]


def _start(folder: int, name: str) -> str:
    try:
        return read_start_in(folder, name, FIRST_BYTES)[0].decode("utf-8", "replace")
    except OSError:
        # Private, or gone since: nothing depends on a file that the stack does not name.
        return ""


def _kinds(text: str) -> set[str]:
    """The kinds of batchctl's documents that a file begins with."""
    braces = _BEFORE_NESTED.match(text)
    start, (kind, version) = (text, _IN_BLOCK) if braces is None else (braces[0], _IN_BRACES)
    return set(kind.findall(start)) if version.search(start) else set()
