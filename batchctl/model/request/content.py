"""Contents of a conversation and the parts that they are made of."""

from __future__ import annotations

from batchctl.model.request.fields import (
    BASE64,
    BOOLEAN,
    DURATION,
    OBJECT,
    TEXT,
    Choice,
    Each,
    Integer,
    Message,
    Number,
    Of,
    Text,
    both,
    choice,
    example,
    gemini,
    message,
    needed_on_vertex,
    required,
    undocumented_on_vertex,
    vertex,
)

_INSTRUCTION = "write systemInstruction: {parts: [{text: …}]} beside contents"
_ROLE = Choice(
    ("user", "model", "function"),
    is_closed=True,
    instead=(
        ("assistant", "write model"),
        ("system", _INSTRUCTION),
        ("developer", _INSTRUCTION),
        ("tool", "write user, with a part {functionResponse: …}"),
    ),
)
"""Who speaks in a content. A row with any other role fails (reference 8.2)."""
MEDIA_RESOLUTIONS = (
    "MEDIA_RESOLUTION_UNSPECIFIED",
    "MEDIA_RESOLUTION_LOW",
    "MEDIA_RESOLUTION_MEDIUM",
    "MEDIA_RESOLUTION_HIGH",
)
_PROCESSING = choice("MEDIA_PROCESSING_UNSPECIFIED", "STATIC", "AGENTIC")
_TOOL_TYPES = choice(
    "TOOL_TYPE_UNSPECIFIED",
    "GOOGLE_SEARCH_WEB",
    "GOOGLE_SEARCH_IMAGE",
    "URL_CONTEXT",
    "GOOGLE_MAPS",
    "FILE_SEARCH",
    "MEDIA_PROCESSING",
)
_DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
"""The members of a part that are its data."""
_MIME = "The data's media type."
_MEDIA_TYPE = Text(r"^([^/\s]+/[^/\s]\S*( ?;.*)?)?$", "must be a media type such as image/png")
"""Empty where the API finds out itself, as for a video at YouTube."""
_SHOWN_NAME = "A name for the data, shown to the model."

MESSAGES: tuple[Message, ...] = (
    message(
        "Content",
        "A content in REST form.",
        both("role", _ROLE, "The role of the speaker."),
        required("parts", Each(Of("Part"), least=1, one_is_enough=True), "What is said."),
    ),
    message(
        "SystemInstruction",
        "Instructions for the model, as a content in REST form.",
        both("role", TEXT, "Counts for nothing here."),
        required("parts", Each(Of("Part"), least=1, one_is_enough=True), "The instructions."),
    ),
    message(
        "Part",
        "One part of a content; give one of the members.",
        both("text", TEXT, "Text."),
        both("inlineData", Of("Blob"), "Data in the request itself."),
        both("fileData", Of("FileData"), "A file at the Files API or in Cloud Storage."),
        both("functionCall", Of("FunctionCall"), "A function that the model called."),
        both("functionResponse", Of("FunctionResponse"), "What a called function gave."),
        both("executableCode", Of("ExecutableCode"), "Code that the model wrote."),
        both("codeExecutionResult", Of("CodeExecutionResult"), "What the model's code gave."),
        both("thought", BOOLEAN, "Whether the part is a thought of the model."),
        both("thoughtSignature", BASE64, "The signature that came with a thought, to be sent back unchanged."),
        both("videoMetadata", Of("VideoMetadata"), "Which part of a video is read, and how often a second."),
        both("mediaResolution", Of("PartMediaResolution"), "How finely this part is read."),
        both("mediaProcessing", _PROCESSING, "How media are processed."),
        both("audioTranscription", Of("AudioTranscription"), "A transcription of audio."),
        both("speechMetadata", Of("SpeechMetadata"), "Who speaks, and how."),
        undocumented_on_vertex("audioMetadata", Of("AudioMetadata"), "Which part of the audio is read."),
        undocumented_on_vertex("documentMetadata", Of("DocumentMetadata"), "Which pages of a document are read."),
        undocumented_on_vertex(
            "spreadsheetMetadata", Of("SpreadsheetMetadata"), "Which cells of a spreadsheet are read."
        ),
        gemini("partMetadata", OBJECT, "Data of your own beside the part."),
        gemini("toolCall", Of("ToolCall"), "A server-side tool that the model called."),
        gemini("toolResponse", Of("ToolResponse"), "What a server-side tool gave."),
        exactly_one=True,
        alternatives=_DATA,
    ),
    message(
        "Blob",
        "Data in the request itself.",
        required("mimeType", _MEDIA_TYPE, _MIME),
        required("data", BASE64, "The data, in base64."),
        both("displayName", TEXT, _SHOWN_NAME),
    ),
    message(
        "FileData",
        "A file that the API reads.",
        required("fileUri", TEXT, "The file's URI."),
        needed_on_vertex("mimeType", _MEDIA_TYPE, "The file's media type."),
        both("displayName", TEXT, _SHOWN_NAME),
    ),
    message(
        "FunctionCall",
        "A call of a function.",
        both("id", TEXT, "Names the call."),
        both("name", TEXT, "The function's name."),
        both("args", OBJECT, "The arguments."),
        vertex("partialArgs", Each(Of("PartialArg")), "Arguments that came piece by piece."),
        vertex("willContinue", BOOLEAN, "Whether more pieces follow."),
    ),
    message(
        "PartialArg",
        "A piece of an argument.",
        required("jsonPath", TEXT, "Which argument."),
        both("stringValue", TEXT, "The value, where it is a string."),
        both("numberValue", Number(), "The value, where it is a number."),
        both("boolValue", BOOLEAN, "The value, where it is true or false."),
        both("nullValue", choice("NULL_VALUE"), "The value, where it is null."),
        both("willContinue", BOOLEAN, "Whether more pieces follow."),
    ),
    message(
        "FunctionResponse",
        "What a called function gave.",
        both("id", TEXT, "The call that it answers."),
        required("name", TEXT, "The function's name."),
        required("response", OBJECT, "What the function gave."),
        both("parts", Each(Of("FunctionResponsePart")), "Media that the function gave."),
        both("scheduling", choice("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"), "When it is used."),
        gemini("willContinue", BOOLEAN, "Whether more responses follow."),
    ),
    message(
        "FunctionResponsePart",
        "Media that a function gave.",
        both("inlineData", Of("Blob"), "Data in the request itself."),
        both("fileData", Of("FileData"), "A file that the API reads."),
        gemini("mediaProcessing", _PROCESSING, "How media are processed."),
        undocumented_on_vertex("mediaResolution", Of("PartMediaResolution"), "How finely this part is read."),
        undocumented_on_vertex("videoMetadata", Of("VideoMetadata"), "Which part of a video is read."),
        undocumented_on_vertex("documentMetadata", Of("DocumentMetadata"), "Which pages of a document are read."),
        undocumented_on_vertex(
            "spreadsheetMetadata", Of("SpreadsheetMetadata"), "Which cells of a spreadsheet are read."
        ),
        undocumented_on_vertex("audioMetadata", Of("AudioMetadata"), "Which part of the audio is read."),
    ),
    message(
        "ExecutableCode",
        "Code that the model wrote.",
        both("id", TEXT, "Names the code."),
        required("language", choice("LANGUAGE_UNSPECIFIED", "PYTHON"), "The programming language."),
        required("code", TEXT, "The code."),
    ),
    message(
        "CodeExecutionResult",
        "What code gave.",
        both("id", TEXT, "The code that it belongs to."),
        required(
            "outcome",
            choice("OUTCOME_UNSPECIFIED", "OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"),
            "How it ended.",
        ),
        both("output", TEXT, "What it printed, or why it failed."),
    ),
    message(
        "VideoMetadata",
        "Which part of a video is read.",
        example("startOffset", DURATION, "Where reading starts.", "1.5s"),
        example("endOffset", DURATION, "Where reading ends.", "30s"),
        both("fps", Number(0, 24), "How many frames a second are read."),
        undocumented_on_vertex(
            "contentLayers",
            Each(choice("CONTENT_LAYER_UNSPECIFIED", "FRAMES", "AUDIO", "TRANSCRIPT")),
            "Which layers of the video are read.",
        ),
    ),
    message(
        "PartMediaResolution",
        "How finely one part is read.",
        both("level", choice(*MEDIA_RESOLUTIONS, "MEDIA_RESOLUTION_ULTRA_HIGH"), "The resolution."),
        undocumented_on_vertex("numTokens", Integer(1), "How many tokens the part may take."),
    ),
    message(
        "AudioTranscription",
        "A transcription of audio.",
        needed_on_vertex("text", TEXT, "The words."),
        both("speakerLabel", TEXT, "The role of the speaker."),
        both("words", Each(Of("TranscribedWord")), "The words with their times."),
        undocumented_on_vertex("finished", BOOLEAN, "Whether the transcription is whole."),
        undocumented_on_vertex("languageCode", TEXT, "A BCP 47 language tag."),
        undocumented_on_vertex("startOffset", DURATION, "Where it begins."),
        undocumented_on_vertex("endOffset", DURATION, "Where it ends."),
    ),
    message(
        "TranscribedWord",
        "One word with its time.",
        needed_on_vertex("word", TEXT, "The word."),
        both("startOffset", DURATION, "Where it begins."),
        both("endOffset", DURATION, "Where it ends."),
    ),
    message(
        "SpeechMetadata",
        "Who speaks, and how.",
        both("speaker", TEXT, "The speaker."),
        both("style", TEXT, "The style."),
    ),
    message(
        "AudioMetadata",
        "Which part of the audio is read.",
        both("startOffset", DURATION, "Where reading starts."),
        both("endOffset", DURATION, "Where reading ends."),
    ),
    message(
        "DocumentMetadata",
        "Which pages of a document are read.",
        both("startPage", Integer(), "The first page."),
        both("endPage", Integer(), "The last page."),
        both("contentLayers", Each(TEXT), "Which layers of the document are read."),
    ),
    message(
        "SpreadsheetMetadata",
        "Which cells of a spreadsheet are read.",
        both("visibleCells", TEXT, "The cells."),
        both("sheetIndex", Integer(), "The sheet."),
        both("contentLayers", Each(TEXT), "Which layers of the spreadsheet are read."),
    ),
    message(
        "ToolCall",
        "A server-side tool that the model called.",
        both("id", TEXT, "Names the call."),
        both("toolType", _TOOL_TYPES, "The tool."),
        both("args", OBJECT, "The arguments."),
    ),
    message(
        "ToolResponse",
        "What a server-side tool gave.",
        both("id", TEXT, "The call that it answers."),
        both("toolType", _TOOL_TYPES, "The tool."),
        both("response", OBJECT, "What the tool gave."),
    ),
)
