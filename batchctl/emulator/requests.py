"""The requests that both services put into rows, field by field. Data only. Source: reference 1.3, 7."""

from __future__ import annotations

from batchctl.emulator.proto import Anything, Choice, Many, Message, Text, Whole

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
