"""The differences of two redacted trees, in the words of the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from batchctl.model.canonical import canonical_json
from batchctl.model.decision import Change
from batchctl.model.json_value import Json
from batchctl.model.row_hashes import BEYOND, compare_rows

_OUTSIDE_SPEC: Mapping[str, str] = {
    "api": "provider.type",
    "endpoint": "provider.endpoint",
    "project": "provider.project",
    "location": "provider.location",
    "kind": "kind",
}
"""Members of the tree that do not come from `spec`."""

_SOURCE = "source"
_RENAMED: Mapping[str, str] = {_SOURCE: "spec.src"}
_SHORT_HASH = 12


def describe_changes(
    before: Mapping[str, Json], after: Mapping[str, Json], rows: tuple[str | None, str | None] = (None, None)
) -> tuple[Change, ...]:
    """All differences, sorted by path. What was redacted shows as the beginning of its hash.

    `rows`: the texts of `RowHashes` of both, as far as they are known.
    """
    found: list[Change] = []
    for member in sorted(before.keys() | after.keys()):
        path = _OUTSIDE_SPEC.get(member) or _RENAMED.get(member) or f"spec.{member}"
        changes = _compare(path, before.get(member), after.get(member))
        if member == _SOURCE and _has_rows(before.get(member)) and _has_rows(after.get(member)):
            changes = (_with_rows(change, *rows) for change in changes)
        found.extend(changes)
    return tuple(found)


def _has_rows(source: Json) -> bool:
    """Whether a source of the tree is rows that batchctl sends."""
    return isinstance(source, dict) and "rows" in source


def _with_rows(change: Change, before: str | None, after: str | None) -> Change:
    rows = compare_rows(before, after)
    return replace(change, rows=rows, detail=BEYOND if rows is None else rows.words)


def _compare(path: str, before: Json, after: Json) -> Iterator[Change]:
    if canonical_json(before) == canonical_json(after):
        return
    if _is_open(before) and _is_open(after):
        for member in sorted(before.keys() | after.keys()):
            yield from _compare(f"{path}.{member}", before.get(member), after.get(member))
        return
    lists = isinstance(before, list) and isinstance(after, list)
    # An item that is null would look like a missing one.
    if lists and None not in (*before, *after):
        for index in range(max(len(before), len(after))):
            pair = (items[index] if index < len(items) else None for items in (before, after))
            yield from _compare(f"{path}[{index}]", *pair)
        return
    yield Change(path, _show(before), _show(after))


def _is_open(value: Json) -> bool:
    """Whether a value is an object to look into, not a redacted leaf."""
    return isinstance(value, dict) and "sha256" not in value


def _show(value: Json) -> Json:
    if isinstance(value, dict) and "sha256" in value:
        digest = f"sha256:{str(value['sha256'])[:_SHORT_HASH]}"
        return f"{value['rows']} rows, {digest}" if "rows" in value else digest
    return value


def without_beyond(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, without the remark that the changed rows are not known: the ledger names the rows to send."""
    return tuple(replace(change, detail="") if change.detail == BEYOND else change for change in changes)


def row_words_of(changes: Iterable[Change]) -> str:
    """Which rows changed, for a sentence; empty where none did, or it is not known."""
    return "; ".join(change.rows.words for change in changes if change.rows is not None)
