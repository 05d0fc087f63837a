"""Reads a job's `src`.

Knows the forms of `src` and which of them each API accepts. Source: reference 6.1 and 6.4.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.apis import RULES, is_for
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import LONGEST_PATH, Faults, quote_hint
from batchctl.manifests.input_limits import InputLimits, sent_bytes
from batchctl.manifests.manifest_files import shown_path
from batchctl.manifests.nodes import Items, Members, Node, Scalar, changed, find, plain
from batchctl.manifests.purpose import Purpose
from batchctl.manifests.request_defaults import CODES, tell
from batchctl.manifests.trust import GIT_HINT, Trust, is_in_git, resolved
from batchctl.model.capabilities import CAPABILITIES, SourceForm, has_legacy_rows
from batchctl.model.errors import RowsError, UnknownRowForm
from batchctl.model.keys import API_NAMES
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location, RowProblem
from batchctl.model.ports.row_reader import RowReader, RowsSummary
from batchctl.model.quoting import cut, shown
from batchctl.model.sources import InlineRows, LocalFile, RequestRow, Source, UploadedFile

if TYPE_CHECKING:  # few manifests have one
    from batchctl.manifests.chains import ChainReader

_PREFIXES = {
    "gs://": SourceForm.GCS,
    "bq://": SourceForm.BIGQUERY,
    "projects/": SourceForm.DATASET,
    "files/": SourceForm.UPLOADED,
}
_REMOTE_FORMS = frozenset({SourceForm.GCS, SourceForm.BIGQUERY, SourceForm.DATASET})
_UPLOADED_FORMS = frozenset({SourceForm.FILE, SourceForm.CHAIN})
"""The forms whose rows batchctl uploads."""
SENT_FORMS = _UPLOADED_FORMS | {SourceForm.INLINE}
"""The forms whose rows batchctl itself sends, so that it can merge defaults into them."""
_LINES_HINT = 'one row per line: {"key": …, "text": …} or {"key": …, "request": …}'
_WHAT = {
    SourceForm.GCS: "a gs:// source",
    SourceForm.BIGQUERY: "a bq:// source",
    SourceForm.DATASET: "a dataset as source",
    SourceForm.INLINE: "a list of rows",
    SourceForm.UPLOADED: "a files/… source",
    SourceForm.FILE: "a local file",
    SourceForm.CHAIN: "rows made from another job",
}


def source_form(src: Node) -> tuple[SourceForm, Node]:
    """The one field of a `src` in its long form, and that field's value; of a chain, all of it."""
    if isinstance(src, Members):
        if SourceForm.CHAIN in src.entries:
            return SourceForm.CHAIN, src
        ((field, member),) = src.entries.items()
        return SourceForm(field), member.node
    if isinstance(src, Items):
        return SourceForm.INLINE, src
    assert isinstance(src, Scalar), "the schema allows no other form"
    return next(form for prefix, form in _PREFIXES.items() if str(src.value).startswith(prefix)), src


def without_rows(src: Node) -> Node:
    """The same `src` with an empty list of rows: checking rows one by one is much faster than by a schema."""
    return changed(src, ("inlinedRequests",), _emptied) if isinstance(src, Members) else _emptied(src)


def _emptied(node: Node) -> Node:
    return Items(node.location, ()) if isinstance(node, Items) else node


def _is_divisible(form: SourceForm, purpose: Purpose) -> bool:
    """Whether batchctl can send a part of the rows of a source: it has a bucket for it, and knows their form."""
    config, model = purpose.config, purpose.model
    if form is not SourceForm.GCS or config is None or model is None or config.staging_bucket is None:
        return False
    return not has_legacy_rows(config.api, model)


class SourceReader(Struct, frozen=True):
    """Reads the sources of one stack."""

    rows: RowReader
    chains: Callable[[], ChainReader]
    """Gives the reader of rows from the answers of another job."""
    trust: Trust
    stack_folder: Path
    shown_folder: Path
    faults: Faults
    line_bytes: int
    """Longest line of a local file."""

    def read(self, src: Node, folder: Path, purpose: Purpose) -> Source | None:
        """The source, or None after an error. Paths are relative to `folder`, the manifest's own."""
        form, value = source_form(src)
        if not self._fits(form, value.location, purpose):
            return None
        if form is SourceForm.UPLOADED:
            return UploadedFile(str(plain(value)))
        if form in _REMOTE_FORMS:
            from batchctl.manifests.remote_sources import read_remote

            source = read_remote(form, value, purpose.config, self.faults)
            return None if source is None else replace(source, is_divisible=_is_divisible(form, purpose))
        if form is SourceForm.INLINE:
            assert isinstance(value, Items)
            return self._inline(value, purpose)
        if form is SourceForm.CHAIN:
            assert isinstance(value, Members)
            return self.chains().read(value, purpose, self._read_made)
        return self._local(folder / str(plain(value)), value.location, purpose)

    def _fits(self, form: SourceForm, place: Location, purpose: Purpose) -> bool:
        """Whether the provider accepts this form, and batchctl can send its rows to the model."""
        config = purpose.config
        if config is None:
            return True
        capabilities = CAPABILITIES[config.api]
        if form not in capabilities.sources:
            message = f"{_WHAT[form]} {is_for(lambda can: form in can.sources)}"
            self.faults.add(place, Code.WRONG_PROVIDER, message, RULES[config.api].source_forms)
            return False
        if form in _UPLOADED_FORMS and capabilities.staging and config.staging_bucket is None:
            message = f'the provider {config.name} has no "stagingBucket" to upload {_WHAT[form]} to'
            hint = "give it one in the stack file, such as gs://bucket/staging/"
            self.faults.add(place, Code.MISSING_FIELD, message, hint)
        if form in SENT_FORMS and purpose.model is not None and has_legacy_rows(config.api, purpose.model):
            message = (
                f"{API_NAMES[config.api]} reads rows for {shown(purpose.model)} in a form that batchctl does not send"
            )
            hint = "use the model gemini-embedding-001, or rows in that form at gs://…"
            self.faults.add(place, Code.INVALID_VALUE, message, hint)
            return False
        return True

    def _limits(self, place: Location, purpose: Purpose) -> InputLimits:
        return InputLimits(purpose.config, place, self.faults)

    def _inline(self, items: Items, purpose: Purpose) -> InlineRows | None:
        if not items.values:
            self.faults.add(items.location, Code.INVALID_ROW, "the list has no rows")
            return None
        rows: list[RequestRow] = []
        places: dict[str, Location] = {}
        sound = True
        for item in items.values:
            row = self._row(item, purpose.rows)
            sound = sound and row is not None
            if row is None:
                continue
            first = item.location if row.name is None else places.setdefault(row.name, item.location)
            if first is not item.location:
                message = f"the key {shown(str(row.name))} appears twice"
                self.faults.add(item.location, Code.INVALID_ROW, message, f"first at {first.line}:{first.column}")
                sound = False
            rows.append(row)
        source = InlineRows(tuple(rows))
        if sound:
            sound = self._check_inline(items, source, purpose)
        limits = self._limits(items.location, purpose)
        sound &= limits.allow_inline(source, purpose.request)
        if sound:
            most = self.rows.output_limit(source.rows, purpose.rows, purpose.rules)
            limits.warn_of_inline_results(most.tokens)
            source = replace(source, output_tokens=most.tokens if most.rows == len(rows) else None)
        return source if sound else None

    def _check_inline(self, items: Items, source: InlineRows, purpose: Purpose) -> bool:
        """Whether the API accepts the requests of these rows."""
        sound = True
        for index, problem in self.rows.check(source.rows, purpose.rows, purpose.rules):
            sound &= problem.is_warning
            item = items.values[index]
            tell(problem, find(item, "request") or item, self.faults)
        return sound

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
            hint = "a row is {key, request} or {key, text}" if isinstance(error, UnknownRowForm) else ""
            self.faults.add(item.location, Code.INVALID_ROW, str(error), hint)
            return None

    def check_file(self, src: Node | None, folder: Path) -> None:
        """Report a local file that cannot be read, for a job that has other errors and is not read further."""
        node = find(src, "file") if isinstance(src, Members) and len(src.entries) == 1 else None
        if isinstance(node, Scalar) and isinstance(node.value, str) and not self.faults.any_at(node.location):
            self._find(folder / node.value, node.location)

    def _local(self, path: Path, place: Location, purpose: Purpose) -> LocalFile | None:
        real = self._find(path, place)
        return None if real is None else self.read_file(real, place, purpose)

    def _read_made(self, path: Path, place: Location, purpose: Purpose, faults: Faults) -> LocalFile | None:
        """A file that batchctl made itself, which need not be inside the stack's folder."""
        return replace(self, faults=faults).read_file(path, place, purpose)

    def read_file(self, real: Path, place: Location, purpose: Purpose) -> LocalFile | None:
        """A file of rows, or None after an error."""
        file = shown_path(real, self.stack_folder, self.shown_folder)
        limits = self._limits(place, purpose)
        found = self._summary(real, file, limits, purpose)
        if found is None:
            return None
        summary, size = found
        # More rows than one remote job may have are split into shards.
        sent = sent_bytes(size, summary, purpose.request)
        limits.warn_of_result_file(summary.output_tokens, purpose.most_result_bytes)
        return LocalFile(real, summary.sha256, summary.rows, sent, summary.row_hashes, summary.most_output)

    def _find(self, path: Path, place: Location) -> Path | None:
        """The file with all links resolved, if it exists and may be read."""
        real = resolved(path)
        named = cut(shown_path(real, self.stack_folder, self.shown_folder), LONGEST_PATH)
        return real if self._is_there(real, named, place) else None

    def _is_there(self, real: Path, named: str, place: Location) -> bool:
        """Whether the file exists and may be read."""
        if not self.trust.allows_path(real, self.stack_folder):
            hint = "move it inside, or allow it with BATCHCTL_ALLOW_OUTSIDE=1"
            self.faults.add(place, Code.OUTSIDE_STACK, f"{named} is outside the stack's folder", hint)
            return False
        if is_in_git(real, self.stack_folder):
            self.faults.add(place, Code.OUTSIDE_STACK, f"{named} is in Git's own folder", GIT_HINT)
            return False
        if os.path.exists(real) and not os.path.isfile(real):  # noqa: PTH110, PTH113 - see below
            what = "a folder" if os.path.isdir(real) else "not a regular file"  # noqa: PTH112
            self.faults.add(place, Code.UNREADABLE_FILE, f"{named} is {what}", "name one file of rows")
            return False
        if not os.path.isfile(real):  # noqa: PTH113 - unlike Path.is_file, never raises for a name that cannot be
            self.faults.add(
                place, Code.FILE_NOT_FOUND, f"there is no file {named}", "paths are relative to the manifest's folder"
            )
            return False
        return True

    def _summary(self, real: Path, file: str, limits: InputLimits, purpose: Purpose) -> tuple[RowsSummary, int] | None:
        """The summary of the file and its bytes; None if it is too large, invalid or empty."""
        try:
            size = real.stat().st_size
            summary = self.rows.fingerprint(real, purpose.rows, self.line_bytes, purpose.rules)
        except RowsError as error:
            given: set[str] = set()
            for problem in error.problems:
                is_repeated = problem.code == Code.INVALID_ROW and problem.hint in given
                hint = "" if is_repeated else problem.hint
                given.add(hint)
                self.faults.add(Location(file, problem.line), CODES[problem.code], problem.message, hint)
            self._warn(file, error.warnings)
            return None
        except OSError as error:
            message = f"{cut(file, LONGEST_PATH)} cannot be read: {error.strerror}"
            self.faults.add(limits.place, Code.UNREADABLE_FILE, message)
            return None
        if summary.rows == 0:
            self.faults.add(Location(file), Code.INVALID_ROW, "the file has no rows", _LINES_HINT)
            return None
        self._warn(file, summary.warnings)
        return summary, size

    def _warn(self, file: str, warnings: Iterable[RowProblem]) -> None:
        for warning in warnings:
            self.faults.warn(Location(file, warning.line), CODES[warning.code], warning.message, warning.hint)
