"""The digest: what the work depends on, as a tree without prompt text, and one hash over it.

Owns what is in a `d1:` digest. Nothing here may ever change under that name: digests live for years in state files and
marks, and a changed one buys every job again. Lifecycle, labels and display name are left out, because changing them
must never do so.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.canonical import RowsHasher, sha256_json
from batchctl.model.desired import InlineRows, Json, Kind, LocalFile, RemoteSource, Source, UnknownSource, UploadedFile
from batchctl.model.digests import account_parts
from batchctl.model.keys import Account

_HASHED_WHOLE = frozenset(
    {
        "systemInstruction",  # prompt text
        "tools",  # descriptions of functions are prompt text
        "toolConfig",  # names of functions
        "labels",  # free text of the user
        "continuationToken",  # opaque
        "responseSchema",  # descriptions and names of fields are prompt text
        "responseJsonSchema",  # the same
        "stopSequences",  # free text
        "audioTranscriptionConfig",  # open: nobody knows what is in it
        "title",  # the document's own words
    }
)
_READABLE = frozenset(
    {
        "category",
        "threshold",
        "cachedContent",
        "serviceTier",
        "responseMimeType",
        "responseModalities",
        "mediaResolution",
        "thinkingLevel",
        "aspectRatio",
        "imageSize",
        "taskType",
    }
)
"""Fields whose strings come from a closed list or are ids; all other strings are hashed."""


def work_tree(
    account: Account,
    kind: Kind,
    model: str,
    source: Source,
    *,
    request: Mapping[str, Json],
    run_id: str | None,
    extra_body: Mapping[str, Json],
    dest: str | None = None,
) -> dict[str, Json]:
    """What the work depends on, only what the user set, each prompt-bearing part by its own sha256."""
    parts: dict[str, Json] = {
        **account_parts(account),
        "kind": str(kind),
        "model": model,
        "source": _source_tree(source),
        "dest": dest,
        "request": _redacted(request, ""),
        "runId": run_id,
        "extraBody": _hashed(extra_body) if extra_body else None,
    }
    return {name: part for name, part in parts.items() if part not in ("", None, {})}


def _source_tree(source: Source) -> Json:
    """Rows in the manifest and the same rows in a file are the same work."""
    if isinstance(source, InlineRows):
        hasher = RowsHasher()
        for row in source.rows:
            hasher.add(row)
        return {"rows": len(source.rows), "sha256": hasher.hexdigest()}
    if isinstance(source, LocalFile):
        return {"rows": source.rows, "sha256": source.sha256}
    if isinstance(source, UploadedFile):
        return {"fileName": source.name}
    if isinstance(source, UnknownSource):
        return None
    assert isinstance(source, RemoteSource)
    return {"uris": list(source.uris)}


def _hashed(value: Json) -> Json:
    return {"sha256": sha256_json(value)}


def _redacted(value: Json, field: str) -> Json:
    if field in _HASHED_WHOLE:
        return _hashed(value)
    if isinstance(value, Mapping):
        return {key: _redacted(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_redacted(item, field) for item in value]
    if isinstance(value, str) and field not in _READABLE:
        return _hashed(value)
    return value
