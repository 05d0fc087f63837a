"""The digest: a tree of everything that the work depends on, without prompt text, and one hash of it.

Owns the content of a `d1:` digest, which must never change under that name: state files and marks keep digests for
years, and a changed digest would buy every job again. Lifecycle, labels and display name are not part of it, because a
change to them must never create a job.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.canonical import RowsHasher, sha256_json
from batchctl.model.digests import account_parts
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.kinds import Kind
from batchctl.model.sources import AwaitedRows, InlineRows, LocalFile, RemoteSource, Source, UnknownSource, UploadedFile

_HASHED_WHOLE = frozenset(
    {
        "systemInstruction",  # prompt text
        "tools",  # descriptions of functions are prompt text
        "toolConfig",  # names of functions
        "labels",  # free text
        "continuationToken",  # opaque
        "responseSchema",  # descriptions and names of fields are prompt text
        "responseJsonSchema",  # the same
        "stopSequences",  # free text
        "audioTranscriptionConfig",  # open: it may contain any text
        "title",  # text of the document
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
"""Fields whose strings are ids or from a closed list. All other strings are hashed."""


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
    """Everything that the work depends on and the user set; each part with prompt text as its sha256."""
    parts: dict[str, Json] = {
        **account_parts(account),
        "kind": str(kind),
        "model": model,
        "source": source_tree(source),
        "dest": dest,
        "request": _redacted(request, ""),
        "runId": run_id,
        "extraBody": _hashed(extra_body) if extra_body else None,
    }
    return {name: part for name, part in parts.items() if part not in ("", None, {})}


def source_tree(source: Source) -> Json:
    """The source's part. Rows in the manifest and the same rows in a file are the same work."""
    if isinstance(source, InlineRows):
        hasher = RowsHasher()
        for row in source.rows:
            hasher.add(row)
        return {"rows": len(source.rows), "sha256": hasher.hexdigest()}
    if isinstance(source, LocalFile):
        return {"rows": source.rows, "sha256": source.sha256}
    if isinstance(source, UploadedFile):
        return {"fileName": source.name}
    if isinstance(source, AwaitedRows):
        return {"fromJob": source.chain.job, "template": {"sha256": source.chain.template}}
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
