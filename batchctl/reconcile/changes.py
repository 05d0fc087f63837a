"""How two redacted trees differ, in the words of the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.canonical import canonical_json
from batchctl.model.desired import Json
from batchctl.model.plan import Change

_OUTSIDE_SPEC: Mapping[str, str] = {
    "api": "provider.type",
    "endpoint": "provider.endpoint",
    "project": "provider.project",
    "location": "provider.location",
    "kind": "kind",
}
"""Members of the tree that do not come from `spec`."""

_RENAMED: Mapping[str, str] = {"source": "spec.src"}
_SHORT_HASH = 12


def describe_changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[Change, ...]:
    """All differences, sorted by path. What was redacted shows as the beginning of its hash."""
    found: list[Change] = []
    for member in sorted(before.keys() | after.keys()):
        path = _OUTSIDE_SPEC.get(member) or _RENAMED.get(member) or f"spec.{member}"
        found.extend(_compare(path, before.get(member), after.get(member)))
    return tuple(found)


def _compare(path: str, before: Json, after: Json) -> Iterator[Change]:
    if canonical_json(before) == canonical_json(after):
        return
    if _is_open(before) and _is_open(after):
        for member in sorted(before.keys() | after.keys()):
            yield from _compare(f"{path}.{member}", before.get(member), after.get(member))
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
