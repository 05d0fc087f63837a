"""The body of the create call. Source: reference 3.1, 3.2, 6.2; design section 6 (the mark)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, assert_never

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest
from batchctl.model.json_value import Json
from batchctl.model.keys import OWN_LABELS
from batchctl.model.ports.providers import CreateRequest
from batchctl.model.sources import InlineRows, RemoteSource, UploadedFile
from batchctl.providers.create_bodies import encode_json, merge_patch
from batchctl.providers.vertex.mark_labels import mark_labels, own_folder
from batchctl.providers.vertex.resource_names import full_model

_DATASET = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+")


def create_body(request: CreateRequest, display_name_limit: int) -> bytes:
    """The JSON to send. Raises BadRequest (nothing was sent) for anything that this API does not support.

    `extra_body` is merged into the job (RFC 7396), except for the mark's labels: without its mark, batchctl would not
    find the job and would create it again.
    """
    job: dict[str, Any] = {
        "displayName": job_name(request, display_name_limit),
        "model": full_model(request.model),
        "inputConfig": _input(request),
        "outputConfig": _output(request),
        "labels": dict(request.labels),
    }
    merged = merge_patch(job, request.extra_body)
    labels = merged.get("labels")
    given = labels if isinstance(labels, Mapping) else {}
    others = {name: value for name, value in given.items() if not name.startswith(OWN_LABELS)}
    return encode_json({**merged, "labels": {**others, **mark_labels(request.mark)}})


def job_name(request: CreateRequest, limit: int) -> str:
    """The display name to send; the mark is in the labels."""
    return (request.display_name or request.mark.key.job)[:limit]


def _input(request: CreateRequest) -> dict[str, Json]:
    match request.source:
        case UploadedFile(name):
            return _source((name,))
        case RemoteSource(uris):
            return _source(uris)
        case InlineRows():
            raise _unusable(
                f"Vertex AI does not accept the inline rows of {request.mark.key.job}",
                "put the rows into a JSONL file beside the manifest and name it: src: {file: rows.jsonl}",
            )
        case _:
            assert_never(request.source)


def _source(uris: tuple[str, ...]) -> dict[str, Json]:
    if uris and all(uri.startswith("gs://") for uri in uris):
        return {"instancesFormat": "jsonl", "gcsSource": {"uris": list(uris)}}
    match uris:
        case (uri,) if uri.startswith("bq://"):
            return {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": uri}}
        case (name,) if _DATASET.fullmatch(name):
            return {"instancesFormat": "vertex-dataset", "vertexMultimodalDatasetSource": {"datasetName": name}}
        case _:
            raise _unusable(
                f"Vertex AI does not read {', '.join(uris)[:200] or 'nothing'}",
                "a source is gs://… (one or several), one bq://…, or one projects/…/locations/…/datasets/…",
            )


def _output(request: CreateRequest) -> dict[str, Json]:
    dest = request.dest or ""
    if dest.startswith("gs://"):
        folder = f"{dest if dest.endswith('/') else f'{dest}/'}{own_folder(request.mark)}/"
        return {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": folder}}
    if dest.startswith("bq://"):
        return {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": dest}}
    raise _unusable(
        f"{request.mark.key.job} has no destination for its results on Vertex AI",
        "give it a dest: gs://bucket/prefix/ or bq://project.dataset",
    )


def _unusable(message: str, hint: str) -> BadRequest:
    return BadRequest(message, http=400, code=ErrorCode.INVALID_INPUT, hint=hint)
