"""The request messages of the Gemini Developer API, field by field. Data only. Source: reference 1.2, 1.3, 7."""

from __future__ import annotations

from batchctl.emulator.proto import Anything, Choice, Kind, Many, Message, Text, Whole

TASK_TYPES = frozenset({
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
})  # fmt: skip

_ANY = Anything()
_CONTENT = Message({"parts": Many(Message({"text": Text()}, open=True)), "role": Text()})
_GENERATION_CONFIG_VERBATIM = (
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "responseLogprobs", "logprobs",
    "presencePenalty", "frequencyPenalty", "seed", "responseSchema", "responseJsonSchema", "responseModalities",
    "mediaResolution", "speechConfig", "thinkingConfig", "imageConfig", "enableEnhancedCivicAnswers",
    "audioTranscriptionConfig",
)  # fmt: skip
_GENERATION_CONFIG = Message({
    **dict.fromkeys(_GENERATION_CONFIG_VERBATIM, _ANY),
    "candidateCount": Whole(),
    "responseMimeType": Text(),
})  # fmt: skip
_GENERATE_VERBATIM = ("safetySettings", "tools", "toolConfig", "labels", "serviceTier", "store", "continuationToken")

GENERATE_REQUEST = Message({
    **dict.fromkeys(_GENERATE_VERBATIM, _ANY),
    "model": Text(),
    "contents": Many(_CONTENT),
    "systemInstruction": _CONTENT,
    "generationConfig": _GENERATION_CONFIG,
    "cachedContent": Text(),
})  # fmt: skip

EMBED_REQUEST = Message({
    "model": Text(),
    "content": _CONTENT,
    "taskType": Choice(TASK_TYPES),
    "title": Text(),
    "outputDimensionality": Whole(),
})  # fmt: skip

REQUESTS = {"generate": GENERATE_REQUEST, "embed": EMBED_REQUEST}


def file_row(kind: str) -> Message:
    """One line of an input file. Source: reference 8.1."""
    return Message({"key": Text(), "request": REQUESTS[kind], "metadata": _ANY})


def batch(kind: str) -> Message:
    """The batch object; what only ever comes out is taken and ignored. Source: reference 1.2."""
    item = Message({"request": REQUESTS[kind], "metadata": _ANY})
    ignored: dict[str, Kind] = dict.fromkeys(
        ("name", "output", "createTime", "endTime", "updateTime", "batchStats", "state", "webhookConfig"), _ANY
    )
    return Message({
        **ignored,
        "model": Text(),
        "displayName": Text(),
        "inputConfig": Message({"fileName": Text(), "requests": Message({"requests": Many(item)})}),
        "priority": Whole(),
    })  # fmt: skip


FILE = Message({
    **dict.fromkeys(("createTime", "updateTime", "expirationTime", "sha256Hash", "uri", "downloadUri", "state"), _ANY),
    **dict.fromkeys(("source", "error", "videoMetadata"), _ANY),
    "name": Text(),
    "displayName": Text(),
    "mimeType": Text(),
    "sizeBytes": Whole(),
})  # fmt: skip
