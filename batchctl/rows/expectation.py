"""The answer that a request asks for: text, JSON that matches a schema, images, a vector of a length.

The request is the one that was sent, the job's defaults merged in. Where batchctl never saw it, the echoed request
counts, and where there is none, `ANYTHING`: then only the answer itself is judged. Source: reference chapters 7 and 16.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import BinaryIO

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.rows.answer_schema import AnswerSchema, compile_json_schema, compile_openapi_schema


class AnswerForm(StrEnum):
    """The kind of answer that a request gets."""

    GENERATED = "generated"
    EMBEDDED = "embedded"
    PARTNER = "partner"
    """Of another publisher's model, which has forms of its own."""
    UNKNOWN = "unknown"


class Expectation(Struct, frozen=True):
    """The answer that one request asks for."""

    form: AnswerForm = AnswerForm.UNKNOWN
    modalities: frozenset[str] = frozenset()
    """`responseModalities` in upper case; empty where the model's own hold."""
    may_call: bool = True
    """Whether the model may answer with a function call."""
    is_json: bool = False
    schema: AnswerSchema | None = None
    choices: frozenset[str] | None = None
    """The texts of which the answer has to be one (`text/x.enum`)."""
    dimensions: int | None = None
    """Length of the vector; None: any."""


ANYTHING = Expectation()
"""The expectation of a request that is not known."""

UNSEEN = -1
"""The place of the expectation of a request that is not known."""
_PLACES_KEPT = 4096
_COMPILED_KEPT = 256


class Expectations:
    """The expectations of the requests of one input, on disk. Each distinct one is stored and compiled once.

    `aside` is an empty file. If all rows differ, only the last expectations are in memory.
    """

    def __init__(self, aside: BinaryIO) -> None:
        self._aside = aside
        self._end = 0
        self._places: OrderedDict[bytes, int] = OrderedDict()
        self._compiled: OrderedDict[int, Expectation] = OrderedDict()
        self._last: Mapping[str, Json] | None = None
        """The last one that was stored: rows of one form have the same object."""
        self._last_place = UNSEEN

    def place(self, request: Mapping[str, Json] | None) -> int:
        """Store the expectation of a request; returns its place."""
        return UNSEEN if request is None else self.place_of(asked_of(request))

    def place_of(self, asked: Mapping[str, Json]) -> int:
        """Store what `asked_of` found; returns its place."""
        if asked is self._last:
            return self._last_place
        self._last, self._last_place = asked, self._place(asked)
        return self._last_place

    def _place(self, asked: Mapping[str, Json]) -> int:
        try:
            text = json.dumps(asked, separators=(",", ":")).encode("ascii")
        except (RecursionError, ValueError):
            return UNSEEN
        mark = hashlib.blake2b(text, digest_size=16).digest()
        if mark not in self._places:
            self._aside.seek(self._end)
            self._aside.write(text + b"\n")
            self._places[mark] = self._end
            self._end += len(text) + 1
            if len(self._places) > _PLACES_KEPT:
                self._places.popitem(last=False)
        return self._places[mark]

    def at(self, place: int) -> Expectation:
        """The expectation at a place."""
        if place == UNSEEN:
            return ANYTHING
        found = self._compiled.pop(place, None)
        if found is None:
            self._aside.seek(place)
            found = expectation_of(json.loads(self._aside.readline()))
        self._compiled[place] = found
        if len(self._compiled) > _COMPILED_KEPT:
            self._compiled.popitem(last=False)
        return found


def asked_of(request: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a request that says what its answer has to be, in one spelling."""
    form = _form(request)
    found: dict[str, Json] = {"form": form.value}
    if form is AnswerForm.EMBEDDED:
        settings = member(request, "embedContentConfig")
        inner = member(settings, "outputDimensionality") if isinstance(settings, Mapping) else None
        found["dimensions"] = member(request, "outputDimensionality") if inner is None else inner
    elif form is AnswerForm.GENERATED:
        found["calls"] = bool(request.get("tools") or member(request, "cachedContent"))
        config = member(request, "generationConfig")
        found |= dict(_settings(config)) if isinstance(config, Mapping) else {}
    return found


def expectation_of(asked: Mapping[str, Json]) -> Expectation:
    """The expectation behind what `asked_of` found."""
    form = AnswerForm(asked["form"])
    if form is AnswerForm.EMBEDDED:
        return Expectation(form, dimensions=_whole(asked["dimensions"]))
    if form is not AnswerForm.GENERATED:
        return Expectation(form)
    modalities = asked.get("responseModalities")
    names = modalities if isinstance(modalities, list) else [modalities]
    known = frozenset(name.upper() for name in names if isinstance(name, str)) - {"MODALITY_UNSPECIFIED"}
    media_type = str(asked.get("responseMimeType") or "").partition(";")[0].strip().lower()
    schema, choices = _schema_of(asked), None
    if media_type == "text/x.enum":
        choices, schema = _choices(asked.get("responseSchema")), None
    is_json = media_type in ("application/json", "application_json") or schema is not None
    return Expectation(form, known, bool(asked["calls"]), is_json, schema, choices)


def member(value: Mapping[str, Json], name: str) -> Json:
    """A member in either spelling: `finishReason` or `finish_reason`."""
    found = value.get(name)
    return value.get(_SNAKES[name]) if found is None else found


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


_SETTINGS = ("responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities")
_SNAKES = {
    name: _snake(name)
    for name in (
        *_SETTINGS,
        "blockReason",
        "blockReasonMessage",
        "cachedContent",
        "embedContentConfig",
        "finishMessage",
        "finishReason",
        "generationConfig",
        "mimeType",
        "outputDimensionality",
        "promptFeedback",
        "responseFormat",
    )
}
_PARTNER = ("messages", "prompt", "input", "body")


def _form(request: Mapping[str, Json]) -> AnswerForm:
    if "contents" in request:
        return AnswerForm.GENERATED
    if "content" in request:
        return AnswerForm.EMBEDDED
    return AnswerForm.PARTNER if any(name in request for name in _PARTNER) else AnswerForm.UNKNOWN


def _settings(config: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name in _SETTINGS:
        value = member(config, name)
        if value is not None:
            yield name, value
    # The name that the SDKs give it while it is in preview.
    if config.get("_responseJsonSchema") is not None:
        yield "responseJsonSchema", config["_responseJsonSchema"]
    text = member(config, "responseFormat")
    text = text.get("text") if isinstance(text, Mapping) else None
    if isinstance(text, Mapping):
        if member(text, "mimeType") is not None:
            yield "responseMimeType", member(text, "mimeType")
        if text.get("schema") is not None:
            yield "responseJsonSchema", text["schema"]


def _schema_of(asked: Mapping[str, Json]) -> AnswerSchema | None:
    if "responseJsonSchema" in asked:
        return compile_json_schema(asked["responseJsonSchema"])
    return compile_openapi_schema(asked.get("responseSchema"))


def _choices(schema: Json) -> frozenset[str] | None:
    values = schema.get("enum") if isinstance(schema, Mapping) else None
    return frozenset(map(str, values)) if isinstance(values, list) and values else None


def _whole(value: Json) -> int | None:
    try:
        found = int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0
    except (ValueError, OverflowError):
        return None
    return found if found > 0 else None
