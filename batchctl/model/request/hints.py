"""Hints for members that a request does not have."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cache

from batchctl.model.request.catalogue import MESSAGES
from batchctl.model.request.fields import Each, Message, Named, Of, Value
from batchctl.model.request.roots import GENERATE
from batchctl.model.request.spelling import spellings
from batchctl.model.suggest import closest

_LONGEST = 200
"""Characters of names in a hint."""
_DEEPEST = 3
"""Steps to the settings where a member is looked for."""
_GUESSED = 3
"""Characters of a name that a guess is made for."""
_CONFIG = "generationConfig"
_CONFIG_MESSAGE = "GenerationConfig"
_ONE_TURN = "write contents: [{role: user, parts: [{text: …}]}]"
_ONE_TEXT = "write parts: [{text: …}]"
_ONE_FUNCTION = "write functionDeclarations: [{name: …, description: …, parameters: {…}}]"
_ONE_FILE = "write fileData: {fileUri: …, mimeType: …}"
_OF_REQUESTS: Mapping[str, str] = {
    "config": "write its sampling settings under generationConfig, and systemInstruction, tools, toolConfig and"
    " safetySettings beside it",
    "messages": _ONE_TURN,
    "prompt": _ONE_TURN,
    "input": _ONE_TURN,
    "system": "write systemInstruction: {parts: [{text: …}]}",
    "systemprompt": "write systemInstruction: {parts: [{text: …}]}",
    "maxtokens": "write generationConfig.maxOutputTokens",
    "maxcompletiontokens": "write generationConfig.maxOutputTokens",
    "maxtokenstosample": "write generationConfig.maxOutputTokens",
    "stop": "write generationConfig.stopSequences",
    "n": "write generationConfig.candidateCount",
    "generationoutputconfig": "write outputConfig (Vertex only)",
    "modelselectionconfig": "write generationConfig.modelConfig (Vertex only)",
    "automaticfunctioncalling": "remove it: a batch job calls no functions",
    "httpoptions": "remove it: it is a setting of the SDK",
    "mimetypes": "write mimeType",
    "content": "write contents: [{parts: […]}]; content is for an EmbeddingsBatchJob",
    "functions": "write tools: [{functionDeclarations: […]}]",
    "functioncall": "write toolConfig.functionCallingConfig.mode",
    "toolchoice": "write toolConfig.functionCallingConfig.mode",
    "reasoningeffort": "write generationConfig.thinkingConfig.thinkingLevel",
}
_OF_CONTENTS: Mapping[str, str] = {"content": _ONE_TEXT, "text": _ONE_TEXT}
_OF_ROWS = "each row has its own, in src"
_OF_JOBS: Mapping[str, str] = {"model": "write spec.model"}
"""Members that defaults do not have, because the job or each of its rows has them."""
_FOREIGN: Mapping[str, Mapping[str, str]] = {
    GENERATE: _OF_REQUESTS,
    _CONFIG_MESSAGE: _OF_REQUESTS,
    "Content": _OF_CONTENTS,
    "SystemInstruction": _OF_CONTENTS,
    "Part": {
        "type": "remove it: the part's other member says what it is",
        "imageurl": _ONE_FILE,
        "fileuri": _ONE_FILE,
        "file": _ONE_FILE,
        "mimetype": "write it into fileData or inlineData",
        "data": "write inlineData: {mimeType: …, data: …}",
    },
    "Tool": dict.fromkeys(("type", "function", "name", "description", "parameters", "inputschema"), _ONE_FUNCTION),
    "ImageConfig": {
        "outputmimetype": "write imageOutputOptions.mimeType (Vertex only)",
        "outputcompressionquality": "write imageOutputOptions.compressionQuality (Vertex only)",
    },
}
"""Members of SDKs and of other APIs, in lower case without `_`, by the message that they are written into, each with
what the wire has in their place."""


def way_out(name: str, message: Message, hidden: Container[str] = ()) -> str:
    """The hint for a member that a message does not have; empty when there is no good guess.

    `hidden` are fields of the message that cannot be given where the member is.
    """
    own = spellings(message.name).get(name)
    if own is not None and own.name in hidden:
        return _OF_JOBS.get(own.name, _OF_ROWS)
    plain = name.replace("_", "").lower()
    known = {spelled: field for spelled, field in spellings(message.name).items() if field.name not in hidden}
    spelled = next((field.name for field in known.values() if field.name.lower() == plain), None)
    if spelled is not None:
        return f"write {spelled}"
    elsewhere = _elsewhere(name, message)
    if elsewhere:
        return elsewhere
    foreign = _FOREIGN.get(message.name, {})
    if plain in foreign:
        return foreign[plain]
    near = closest(name, known)
    if near is not None and len(name) >= _GUESSED:
        return f"did you mean {known[near].name}?"
    names = ", ".join(sorted({field.name for field in known.values()}))
    return f"one of: {names[:_LONGEST]}{'…' if len(names) > _LONGEST else ''}" if names else ""


def _elsewhere(name: str, message: Message) -> str:
    """Where the member belongs, if it is one of the request or of settings below the message."""
    root = MESSAGES[GENERATE]
    if message is not root and name in spellings(root.name) and message.name in _below(root):
        return f"it belongs beside {_CONFIG}, into the request itself: {spellings(root.name)[name].name}"
    above: list[tuple[str, Message]] = [("", message)]
    for _ in range(_DEEPEST):
        above = [
            (f"{place}{field.name}.", MESSAGES[field.value.message])
            for place, inner in above
            for field in inner.fields
            if isinstance(field.value, Of) and field.name.endswith("Config")
        ]
        found = [(place, spellings(inner.name)[name]) for place, inner in above if name in spellings(inner.name)]
        if len(found) == 1:
            ((place, field),) = found
            return f"it belongs into {place.split('.')[-2]}: {place}{field.name}"
    return ""


@cache
def _below(root: Message) -> frozenset[str]:
    """The messages inside the request, at any depth."""
    found: dict[str, None] = {}
    waiting = [root]
    for message in waiting:
        for field in message.fields:
            inner = _message_of(field.value)
            if inner is not None and inner not in found:
                found[inner] = None
                waiting.append(MESSAGES[inner])
    return frozenset(found)


def _message_of(value: Value) -> str | None:
    match value:
        case Of(name):
            return name
        case Each(item) | Named(item):
            return _message_of(item)
        case _:
            return None
