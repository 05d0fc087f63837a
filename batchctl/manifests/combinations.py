"""Combinations of fields that cannot be, although each field is fine by itself.

Owns what an API does not have, and what this release does not have yet. Source: reference 6.1 and chapter 7.
"""

from __future__ import annotations

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import Faults
from batchctl.manifests.nodes import Items, Node, find, key_place, value_of
from batchctl.model.desired import Kind
from batchctl.model.keys import Api

_LATER = ("dependsOn", "notify", "moved")
_GEMINI_ONLY_LATER = ("webhookConfig", "priority")

_VERTEX_ONLY_REQUEST = (
    ("modelArmorConfig",),
    ("generationConfig", "audioTimestamp"),
    ("generationConfig", "routingConfig"),
    ("generationConfig", "modelSelectionConfig"),
    ("generationConfig", "imageConfig", "personGeneration"),
    ("generationConfig", "imageConfig", "prominentPeople"),
    ("generationConfig", "imageConfig", "outputMimeType"),
    ("generationConfig", "imageConfig", "outputCompressionQuality"),
    ("generationConfig", "imageConfig", "imageOutputOptions"),
)
_VERTEX_ONLY_IN_LIST = {
    "tools": ("retrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch"),
    "safetySettings": ("method",),
}
_LEAVE_OUT = "leave it out"


def check_combinations(spec: Node, kind: Kind, api: Api | None, faults: Faults) -> None:
    """Tell what cannot be on the provider's API (None: it is not known), and what is not supported yet."""
    if api is Api.GEMINI:
        _check_gemini(spec, faults)
    if api is Api.VERTEX and kind is Kind.EMBEDDINGS_BATCH_JOB:
        hint = "use a provider of type gemini, or a BatchJob with an embedding model"
        faults.add(spec.location, Code.WRONG_PROVIDER, "Vertex has no embeddings jobs", hint)
    _check_later(spec, api, faults)


def _check_gemini(spec: Node, faults: Faults) -> None:
    if find(spec, "dest") is not None:
        hint = "leave it out: Gemini keeps results itself, and batchctl collects them"
        faults.add(key_place(spec, "dest"), Code.WRONG_PROVIDER, '"dest" is for Vertex only', hint)
    request = find(spec, "request")
    for path in _VERTEX_ONLY_REQUEST:
        if request is not None and find(request, *path) is not None:
            message = f'"{path[-1]}" is for Vertex only'
            faults.add(key_place(request, *path), Code.WRONG_PROVIDER, message, _LEAVE_OUT)
    for name, fields in _VERTEX_ONLY_IN_LIST.items():
        items = find(request, name)
        for item in items.values if isinstance(items, Items) else ():
            for field in fields:
                if find(item, field) is not None:
                    message = f'"{field}" is for Vertex only'
                    faults.add(key_place(item, field), Code.WRONG_PROVIDER, message, _LEAVE_OUT)


def _check_later(spec: Node, api: Api | None, faults: Faults) -> None:
    for name in _LATER:
        _later(spec, faults, name)
    for name in _GEMINI_ONLY_LATER:
        if api is Api.VERTEX and find(spec, name) is not None:
            faults.add(key_place(spec, name), Code.WRONG_PROVIDER, f'"{name}" is for Gemini only', _LEAVE_OUT)
        else:
            _later(spec, faults, name)
    if api is not Api.GEMINI:
        _later(spec, faults, "dest")
    _later(spec, faults, "lifecycle", "maxFailedRows")
    retry_on = find(spec, "lifecycle", "retryOn")
    for item in retry_on.values if isinstance(retry_on, Items) else ():
        if value_of(item) == "ROWS":
            faults.add(item.location, Code.NOT_SUPPORTED_YET, '"retryOn: ROWS" is not supported yet', _LEAVE_OUT)


def _later(spec: Node, faults: Faults, *path: str) -> None:
    if find(spec, *path) is not None:
        message = f'"{path[-1]}" is not supported yet'
        faults.add(key_place(spec, *path), Code.NOT_SUPPORTED_YET, message, _LEAVE_OUT)
