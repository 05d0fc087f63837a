"""Reads a job's `src`.

Owns the forms it can be written in and which of them each API takes. Source: reference 6.1 and 6.4.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import LONGEST_PATH, Faults, cut, quote_hint, shown
from batchctl.manifests.files import shown_path
from batchctl.manifests.nodes import Items, Members, Node, Scalar, changed, find, plain
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.desired import InlineRows, Kind, LocalFile, Location, RequestRow, Source, UploadedFile
from batchctl.model.errors import RowsError
from batchctl.model.keys import Api
from batchctl.model.ports import RowReader

_PREFIXES = {"gs://": "gcsUri", "bq://": "bigqueryUri", "projects/": "vertexDatasetName", "files/": "fileName"}
_VERTEX_FIELDS = frozenset({"gcsUri", "bigqueryUri", "vertexDatasetName"})
SENT_FIELDS = frozenset({"inlinedRequests", "file"})
"""The forms whose rows batchctl itself sends, so that it can put defaults under them."""
_LINES_HINT = 'one row a line: {"key": …, "text": …} or {"key": …, "request": …}'
_LATER_HINT = "use a provider of type gemini and a local JSONL file: src: {file: PATH}"
_WHAT = {
    "gcsUri": "a gs:// source",
    "bigqueryUri": "a bq:// source",
    "vertexDatasetName": "a dataset as source",
    "inlinedRequests": "a list of rows",
    "fileName": "a files/… source",
}


def source_form(src: Node) -> tuple[str, Node]:
    """The one field of a `src` in its long form, and that field's value."""
    if isinstance(src, Members):
        ((field, member),) = src.entries.items()
        return field, member.node
    if isinstance(src, Items):
        return "inlinedRequests", src
    assert isinstance(src, Scalar), "the schema knows no other form"
    return next(field for prefix, field in _PREFIXES.items() if str(src.value).startswith(prefix)), src


def without_rows(src: Node) -> Node:
    """The same `src` with an empty list of rows: rows are checked one by one, far faster than by a schema."""
    return changed(src, ("inlinedRequests",), _emptied) if isinstance(src, Members) else _emptied(src)


def _emptied(node: Node) -> Node:
    return Items(node.location, ()) if isinstance(node, Items) else node


@dataclass(frozen=True)
class SourceReader:
    """Reads the sources of one stack."""

    rows: RowReader
    trust: Trust
    stack_folder: Path
    shown_folder: Path
    faults: Faults

    def read(self, src: Node, folder: Path, kind: Kind, api: Api | None) -> Source | None:
        """The source, or None with faults told. Paths start from `folder`, the manifest's own."""
        field, value = source_form(src)
        if not self._fits(field, value.location, api):
            return None
        if field == "fileName":
            return UploadedFile(str(plain(value)))
        if field == "inlinedRequests":
            assert isinstance(value, Items)
            return self._inline(value, kind)
        return self._local(folder / str(plain(value)), value.location, kind)

    def _fits(self, field: str, place: Location, api: Api | None) -> bool:
        if field in _VERTEX_FIELDS:
            what = _WHAT[field]
            if api is Api.GEMINI:
                hint = (
                    "Gemini reads rows in the manifest, a local JSONL file ({file: PATH}) or an uploaded file (files/…)"
                )
                self.faults.add(place, Code.WRONG_PROVIDER, f"{what} is for Vertex only", hint)
            else:
                self.faults.add(place, Code.NOT_SUPPORTED_YET, f"{what} is not supported yet", _LATER_HINT)
            return False
        if api is Api.VERTEX and field in _WHAT:
            hint = "Vertex reads gs://…, bq://… or a dataset"
            self.faults.add(place, Code.WRONG_PROVIDER, f"{_WHAT[field]} is for Gemini only", hint)
            return False
        return True

    def _inline(self, items: Items, kind: Kind) -> InlineRows | None:
        if not items.values:
            self.faults.add(items.location, Code.INVALID_ROW, "the list has no rows")
            return None
        rows: dict[str, RequestRow] = {}
        places: dict[str, Location] = {}
        sound = True
        for item in items.values:
            row = self._row(item, kind)
            sound = sound and row is not None
            if row is None:
                continue
            if row.key in rows:
                first = places[row.key]
                message = f"the key {shown(row.key)} stands here twice"
                self.faults.add(item.location, Code.INVALID_ROW, message, f"first at {first.line}:{first.column}")
                sound = False
            rows[row.key], places[row.key] = row, item.location
        return InlineRows(tuple(rows.values())) if sound else None

    def _row(self, item: Node, kind: Kind) -> RequestRow | None:
        for name in ("key", "text"):
            value = find(item, name)
            if isinstance(value, Scalar) and value.value is not None and not isinstance(value.value, str):
                hint = quote_hint(value.text)
                self.faults.add(value.location, Code.WRONG_TYPE, f'"{name}" must be a string', hint)
                return None
        try:
            return self.rows.parse(plain(item), kind)
        except ValueError as error:
            self.faults.add(item.location, Code.INVALID_ROW, str(error), "a row is {key, request} or {key, text}")
            return None

    def _local(self, path: Path, place: Location, kind: Kind) -> LocalFile | None:
        real = resolved(path)
        file = shown_path(real, self.stack_folder, self.shown_folder)
        named = cut(file, LONGEST_PATH)
        if not self.trust.allows_path(real, self.stack_folder):
            hint = "move it inside, or allow it with BATCHCTL_ALLOW_OUTSIDE=1"
            self.faults.add(place, Code.OUTSIDE_STACK, f"{named} is outside the stack's folder", hint)
            return None
        if os.path.exists(real) and not os.path.isfile(real):  # noqa: PTH110, PTH113 - see below
            what = "a folder" if os.path.isdir(real) else "no regular file"  # noqa: PTH112
            self.faults.add(place, Code.UNREADABLE_FILE, f"{named} is {what}", "name one file of rows")
            return None
        if not os.path.isfile(real):  # noqa: PTH113 - unlike Path.is_file, never raises for a name that cannot be
            self.faults.add(
                place, Code.FILE_NOT_FOUND, f"there is no file {named}", "paths start from the manifest's folder"
            )
            return None
        try:
            summary = self.rows.fingerprint(real, kind)
        except RowsError as error:
            hint = _LINES_HINT
            for problem in error.problems:
                self.faults.add(Location(file, problem.line), Code.INVALID_ROW, problem.message, hint)
                hint = ""
            return None
        except OSError as error:
            self.faults.add(place, Code.UNREADABLE_FILE, f"{named} cannot be read: {error.strerror}")
            return None
        if summary.rows == 0:
            self.faults.add(Location(file), Code.INVALID_ROW, "the file has no rows", _LINES_HINT)
            return None
        return LocalFile(real, summary.sha256, summary.rows)
