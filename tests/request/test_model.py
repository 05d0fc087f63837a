"""The model of requests against what others say of them: Vertex's discovery document and Google's own SDK.

A new release of either shows here what the model lacks. What is left out on purpose is listed with its reason.
"""

from __future__ import annotations

import enum
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import googleapiclient
import pytest
from google.genai import models, types

from batchctl.model.keys import Api
from batchctl.model.request.catalogue import ANY, MESSAGES, WHOLE
from batchctl.model.request.fields import Choice, Each, Field, Named, Of, Value

PREFIX = "GoogleCloudAiplatformV1beta1"
DISCOVERY_NAMES = {
    "AutoRouting": "GenerationConfigRoutingConfigAutoRoutingMode",
    "DataStoreSpec": "VertexAISearchDataStoreSpec",
    "ElasticSearch": "ExternalApiElasticSearchParams",
    "GroundingTypes": "GoogleMapsGroundingTypes",
    "HybridSearch": "RagRetrievalConfigHybridSearch",
    "ImageOutputOptions": "ImageConfigImageOutputOptions",
    "LanguageHints": "AudioTranscriptionConfigLanguageHints",
    "ManualRouting": "GenerationConfigRoutingConfigManualRoutingMode",
    "ModelConfig": "GenerationConfigModelConfig",
    "OutputConfig": "GenerateContentRequestOutputConfig",
    "ExaSearch": "ToolExaAiSearch",
    "ParallelSearch": "ToolParallelAiSearch",
    "RagFilter": "RagRetrievalConfigFilter",
    "RagResource": "VertexRagStoreRagResource",
    "Ranker": "RagRetrievalConfigRankingLlmRanker",
    "Ranking": "RagRetrievalConfigRanking",
    "RoutingConfig": "GenerationConfigRoutingConfig",
    "SearchTypes": "ToolGoogleSearchSearchTypes",
    "SystemInstruction": "Content",
    "ThinkingConfig": "GenerationConfigThinkingConfig",
    "TranscribedWord": "AudioTranscriptionWordInfo",
    "GoogleSearch": "ToolGoogleSearch",
    "ComputerUse": "ToolComputerUse",
    "VertexAiSearch": "VertexAISearch",
}
"""The discovery document's name of a message, where it is another one."""
GEMINI_ONLY = {
    "AudioMetadata",
    "DocumentMetadata",
    "EmbedContentRequest",
    "FileSearch",
    "Interval",
    "McpServer",
    "McpTransport",
    "SpreadsheetMetadata",
    "ToolCall",
    "ToolResponse",
}
"""Messages that Vertex's discovery document does not have."""
ELSEWHERE = {
    "EmbedContentConfig": "a member of EmbedContentRequest there, with other names",
    "LatLng": "GoogleTypeLatLng",
}
BEYOND_VERTEX = {("GenerateContentRequest", "model"): "rows made for the Developer API have it, and Vertex ignores it"}
NOT_IN_BATCHES = {
    ("GenerateContentRequest", "cachedContent"): "Vertex has no explicit caching in batch jobs (chapter 7)"
}


@cache
def discovery() -> Mapping[str, Any]:
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    schemas: Mapping[str, Any] = json.loads((folder / "aiplatform.v1beta1.json").read_text())["schemas"]
    return schemas


def described(name: str) -> Mapping[str, Any] | None:
    if name in ELSEWHERE or name in GEMINI_ONLY:
        return None
    properties: Mapping[str, Any] = discovery()[PREFIX + DISCOVERY_NAMES.get(name, name)].get("properties", {})
    return properties


TYPES = [name for name in MESSAGES if name != ANY.name]
VERTEX_MESSAGES = [name for name in TYPES if name not in ELSEWHERE and name not in GEMINI_ONLY]


def values_of(value: Value) -> set[str]:
    match value:
        case Choice(values):
            return set(values)
        case Each(item) | Named(item):
            return values_of(item)
        case _:
            return set()


def enum_of(schema: Mapping[str, Any]) -> set[str]:
    found: list[str] = schema.get("enum") or schema.get("items", {}).get("enum") or []
    return set(found)


@pytest.mark.parametrize("name", VERTEX_MESSAGES)
def test_every_member_that_vertex_documents_is_known(name: str) -> None:
    properties = described(name)
    assert properties is not None
    known = {
        field.name
        for field in MESSAGES[name].fields
        if field.is_on(Api.VERTEX) and field.undocumented_on is not Api.VERTEX
    }
    left = {member for member in properties.keys() - known if (name, member) not in NOT_IN_BATCHES}
    assert sorted(left) == []
    extra = {member for member in known - properties.keys() if (name, member) not in BEYOND_VERTEX}
    assert sorted(extra) == []


@pytest.mark.parametrize("name", VERTEX_MESSAGES)
def test_what_vertex_requires_is_required(name: str) -> None:
    properties = described(name)
    assert properties is not None
    documented = {
        member for member, schema in properties.items() if schema.get("description", "").startswith("Required.")
    }
    needed = {field.name for field in MESSAGES[name].fields if field.is_needed(Api.VERTEX)}
    assert sorted(documented - needed) == []


@pytest.mark.parametrize("name", VERTEX_MESSAGES)
def test_every_value_that_vertex_documents_is_known(name: str) -> None:
    properties = described(name)
    assert properties is not None
    for field in MESSAGES[name].fields:
        if field.is_on(Api.VERTEX) and field.name in properties:
            documented = enum_of(properties[field.name])
            if documented:
                assert sorted(documented - values_of(field.value)) == [], field.name


def test_every_message_is_used_and_every_reference_leads_somewhere() -> None:
    used = {"GenerateContentRequest", "EmbedContentRequest"}
    for message in MESSAGES.values():
        for field in message.fields:
            used |= set(references(field.value))
    assert used == set(TYPES)


def references(value: Value) -> Iterator[str]:
    match value:
        case Of(name):
            yield name
        case Each(item) | Named(item):
            yield from references(item)
        case _:
            return


SDK_NAMES = {
    "AudioTranscription": "Transcription",
    "GroundingTypes": "GoogleMapsGroundingTypes",
    "ImageOutputOptions": "ImageConfigImageOutputOptions",
    "McpTransport": "StreamableHttpTransport",
    "ModelConfig": "ModelSelectionConfig",
    "ExaSearch": "ToolExaAiSearch",
    "ParallelSearch": "ToolParallelAiSearch",
    "TranscribedWord": "WordInfo",
    "OutputConfig": "GenerationOutputConfig",
    "VertexAiSearch": "VertexAISearch",
    "RagResource": "VertexRagStoreRagResource",
    "RagFilter": "RagRetrievalConfigFilter",
    "HybridSearch": "RagRetrievalConfigHybridSearch",
    "Ranking": "RagRetrievalConfigRanking",
    "Ranker": "RagRetrievalConfigRankingLlmRanker",
    "DataStoreSpec": "VertexAISearchDataStoreSpec",
    "ElasticSearch": "ExternalApiElasticSearchParams",
    "RoutingConfig": "GenerationConfigRoutingConfig",
    "AutoRouting": "GenerationConfigRoutingConfigAutoRoutingMode",
    "ManualRouting": "GenerationConfigRoutingConfigManualRoutingMode",
    "SystemInstruction": "Content",
}
NOT_IN_THE_SDK = {
    "GenerateContentRequest": "the SDK spreads a config over it: see the test below",
    "EmbedContentRequest": "the same",
    "LanguageHints": "an inner type there",
}
SDK_ONLY = {
    ("EmbedContentConfig", "httpOptions"): "a setting of the SDK",
    ("GenerationConfig", "modelSelectionConfig"): "goes to modelConfig",
    ("ImageConfig", "outputMimeType"): "goes to imageOutputOptions.mimeType",
    ("ImageConfig", "outputCompressionQuality"): "goes to imageOutputOptions.compressionQuality",
}


def aliases(kind: Any) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


@pytest.mark.parametrize("name", [name for name in TYPES if name not in NOT_IN_THE_SDK])
def test_every_member_that_the_sdk_sends_is_known(name: str) -> None:
    kind = getattr(types, SDK_NAMES.get(name, name), None)
    if kind is None:
        pytest.fail(f"the SDK has no {name}: name its type, or say why there is none")
    known = {field.name for field in MESSAGES[name].fields}
    left = {member for member in aliases(kind) - known if (name, member) not in SDK_ONLY}
    assert sorted(left) == []


SPREAD = {
    "httpOptions": "a setting of the SDK",
    "shouldReturnHttpResponse": "a setting of the SDK",
    "automaticFunctionCalling": "a setting of the SDK",
    "automaticContinuation": "a setting of the SDK",
    "modelSelectionConfig": "modelConfig on the wire",
    "generationOutputConfig": "outputConfig on the wire",
}


def test_every_member_of_the_sdks_config_is_known() -> None:
    known = {field.name for name in ("GenerateContentRequest", "GenerationConfig") for field in MESSAGES[name].fields}
    assert sorted(aliases(types.GenerateContentConfig) - known - SPREAD.keys()) == []


def member(message: str, name: str) -> Field:
    return next(field for field in MESSAGES[message].fields if field.name == name)


BEYOND_THE_WIRE = {
    "ImageConfig.personGeneration": {"DONT_ALLOW"},  # the SDK's enum is that of another method
    "VideoResponseFormat.aspectRatio": values_of(member("ImageResponseFormat", "aspectRatio").value),
}
"""Values of the SDK's enums that the field does not take: one enum there serves several fields."""


def enums_of(annotation: Any) -> Iterator[type[enum.Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        yield annotation
    for inner in get_args(annotation):
        yield from enums_of(inner)


def enum_fields() -> Iterator[tuple[str, Field]]:
    for name in TYPES:
        for field in MESSAGES[name].fields:
            if values_of(field.value):
                yield name, field


@pytest.mark.parametrize(("name", "field"), [pytest.param(n, f, id=f"{n}.{f.name}") for n, f in enum_fields()])
def test_every_value_that_the_sdk_has_is_known(name: str, field: Field) -> None:
    kind = getattr(types, SDK_NAMES.get(name, name), types.GenerateContentConfig)
    for attribute, sdk in kind.model_fields.items():
        if (sdk.alias or attribute) == field.name:
            for found in enums_of(sdk.annotation):
                left = {str(member.value) for member in found} - values_of(field.value)
                left -= BEYOND_THE_WIRE.get(f"{name}.{field.name}", set())
                assert sorted(left) == []


def sent_to_vertex() -> Iterator[tuple[str, str]]:
    """The members that google-genai puts into requests to Vertex, message by message."""
    for name in VERTEX_MESSAGES:
        sdk = "GenerateContentConfig" if name == "GenerateContentRequest" else SDK_NAMES.get(name, name)
        converter = getattr(models, f"_{sdk}_to_vertex", None)
        if converter is None:
            yield from ((name, member) for member in aliases(getattr(types, sdk, types.Content)))
        else:
            yield from (
                (name, member) for member in re.findall(r"setv\([^[]*\['(\w+)'\]", inspect.getsource(converter))
            )


REFUSED_THERE = {
    ("GoogleSearch", "timeRangeFilter"): "the SDK's own description says that Vertex does not support it",
    ("Tool", "mcpServers"): "the SDK refuses every member of a server for Vertex",
}
"""Members that the SDK has a way to send to Vertex, and that are an error there nevertheless."""


def test_a_member_that_the_sdk_sends_and_vertex_does_not_document_is_known_as_such() -> None:
    modelled = {(name, field.name): field for name in VERTEX_MESSAGES for field in MESSAGES[name].fields}
    sent = {place for place in sent_to_vertex() if place in modelled and place not in REFUSED_THERE}
    lacking = {(name, member) for name, member in sent if member not in (described(name) or {})}
    known = {place for place, field in modelled.items() if field.undocumented_on is Api.VERTEX}
    assert sorted(lacking) == sorted(known)


def test_schemas_are_merged_as_one_value() -> None:
    assert {"responseSchema", "responseJsonSchema"} == WHOLE


BEYOND_THE_SDK = {
    ("EmbedContentConfig", "mimeType"): "its batches refuse it for the Developer API",
    ("GoogleMaps", "authConfig"): "Vertex's discovery document has no such member",
    ("ImageConfig", "personGeneration"): "its batches refuse it for the Developer API",
}


def said_of_apis(description: str | None) -> Api | None:
    words = " ".join((description or "").split())
    if "not supported in Gemini API" in words:
        return Api.VERTEX
    return (
        Api.GEMINI if "not supported in Vertex AI" in words or "not supported in Gemini Enterprise" in words else None
    )


@pytest.mark.parametrize("name", [name for name in TYPES if name not in NOT_IN_THE_SDK])
def test_a_member_is_for_vertex_only_where_the_sdk_says_so(name: str) -> None:
    kind = getattr(types, SDK_NAMES.get(name, name))
    said = {field.alias or member: said_of_apis(field.description) for member, field in kind.model_fields.items()}
    kept = {field.name: field.only for field in MESSAGES[name].fields if field.name in said}
    # What Vertex lacks is in its discovery document; what the Developer API lacks, only the SDK says.
    left = {member for member, only in kept.items() if (only is Api.VERTEX) != (said[member] is Api.VERTEX)}
    assert sorted(member for member in left if (name, member) not in BEYOND_THE_SDK) == []
