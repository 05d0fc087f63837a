"""The bodies of create calls: merges the user's own fields and writes JSON. Knows no field of any API."""

from __future__ import annotations

import json
from collections.abc import Mapping

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest
from batchctl.model.json_value import Json


def merge_patch(target: Mapping[str, Json], patch: Mapping[str, Json]) -> dict[str, Json]:
    """Apply a patch to the target: objects merge, null removes, anything else replaces. Source: RFC 7396."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            under = merged.get(name)
            merged[name] = merge_patch(under if isinstance(under, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def encode_json(value: Mapping[str, Json]) -> bytes:
    """The value as compact JSON in UTF-8. Raises BadRequest (nothing was sent) when it cannot be serialized."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # Half of a surrogate pair: valid in JSON, but not in UTF-8.
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode("ascii")
    except (ValueError, TypeError, RecursionError) as exc:
        message = f"the request cannot be written as JSON: {exc}"
        raise BadRequest(message, http=400, code=ErrorCode.INVALID_INPUT) from exc


def _plain(value: object) -> Json:
    """Frozen values may hold mappings and sequences that are not dicts and lists."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
