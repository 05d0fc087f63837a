"""The requests themselves: what one row asks of a model."""

from __future__ import annotations

from batchctl.model.keys import Api
from batchctl.model.request.fields import (
    BASE64,
    BOOLEAN,
    TEXT,
    Each,
    Integer,
    Message,
    Named,
    Of,
    Text,
    both,
    choice,
    example,
    gemini,
    message,
    required,
    undocumented_on_vertex,
    vertex,
)

_TASKS = choice(
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
_DIMENSIONS = Integer(1, 65536)
_TITLE = Text(non_empty=True)
_CACHE = Text(r"^cachedContents/[A-Za-z0-9_-]+$", "must look like cachedContents/abc123")

GENERATE = "GenerateContentRequest"
EMBED = "EmbedContentRequest"

MESSAGES: tuple[Message, ...] = (
    message(
        GENERATE,
        "A request for content.",
        required("contents", Each(Of("Content"), least=1, one_is_enough=True), "The turns of the conversation."),
        both("systemInstruction", Of("SystemInstruction"), "Instructions for the model, before the user's turn."),
        both("generationConfig", Of("GenerationConfig"), "How answers are generated."),
        both("safetySettings", Each(Of("SafetySetting")), "How strictly harmful content is blocked."),
        both("tools", Each(Of("Tool")), "Tools that the model may use."),
        both("toolConfig", Of("ToolConfig"), "How tools are used."),
        example("cachedContent", _CACHE, "Cached content to build on.", "cachedContents/abc123", only=Api.GEMINI),
        both("labels", Named(TEXT), "Labels of the request."),
        undocumented_on_vertex(
            "serviceTier", choice("unspecified", "standard", "flex", "priority"), "The service tier."
        ),
        gemini("store", BOOLEAN, "Whether the API may keep the interaction."),
        both("continuationToken", BASE64, "Goes on from an earlier answer."),
        vertex("modelArmorConfig", Of("ModelArmorConfig"), "Templates of Model Armor."),
        vertex("outputConfig", Of("OutputConfig"), "Where generated media are written."),
        both("model", TEXT, "The model; the job's own decides."),
    ),
    message(
        "OutputConfig",
        "Where generated media are written.",
        example("outputUriPrefix", TEXT, "A folder at Cloud Storage.", "gs://bucket/media/"),
    ),
    message(
        EMBED,
        "A request for a vector.",
        required("content", Of("Content"), "What the vector is for."),
        both("embedContentConfig", Of("EmbedContentConfig"), "How the vector is made."),
        # Deprecated in the document of the API, and yet what its SDK sends: no reason to warn (reference 16).
        example("taskType", _TASKS, "The older place of embedContentConfig.taskType.", "RETRIEVAL_DOCUMENT"),
        both("title", _TITLE, "The older place of embedContentConfig.title."),
        example(
            "outputDimensionality", _DIMENSIONS, "The older place of embedContentConfig.outputDimensionality.", 768
        ),
        both("model", TEXT, "The model; the job's own decides."),
    ),
    message(
        "EmbedContentConfig",
        "How a vector is made.",
        example("taskType", _TASKS, "What the vector is for.", "RETRIEVAL_DOCUMENT"),
        both("title", _TITLE, "The document's title; only with taskType RETRIEVAL_DOCUMENT."),
        example("outputDimensionality", _DIMENSIONS, "How many numbers a vector has.", 768),
        both("autoTruncate", BOOLEAN, "Cut a text that is too long, in place of refusing it."),
        both("documentOcr", BOOLEAN, "Read the text in images of documents."),
        both("audioTrackExtraction", BOOLEAN, "Use the audio track of a video."),
        vertex("mimeType", TEXT, "The content's media type."),
    ),
)
