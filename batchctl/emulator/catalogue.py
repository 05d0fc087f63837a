"""The models that lists show, and their life-cycle stages. The services decide which model names are valid.

Source: reference 10, 16. The limits are those of the models' public pages, which change often.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from batchctl.emulator.clock import parse_timestamp
from batchctl.emulator.settings import Settings
from batchctl.emulator.wire import JsonObject

_TABLE = """\
gemini-2.5-pro generate 1048576 65536 STABLE
gemini-2.5-flash generate 1048576 65536 STABLE
gemini-2.5-flash-lite generate 1048576 65536 STABLE
gemini-3-pro-preview generate 1048576 65536 PREVIEW
gemini-3-flash-preview generate 1048576 65536 PREVIEW
gemini-embedding-001 embed 2048 1 STABLE
gemini-embedding-2 embed 8192 1 STABLE
"""
_PREVIEW = "-preview"
_UNUSABLE = frozenset({"DEPRECATED", "RETIRED"})


class Model(Struct, frozen=True):
    """One model."""

    name: str
    """Without a prefix such as `models/`."""
    kind: str
    """`generate` or `embed`."""
    input_tokens: int
    output_tokens: int
    stage: str
    """By the names of the Developer API."""
    retires: int | None = None
    """Nanoseconds since 1970."""
    status: JsonObject | None = None
    """The `modelStatus` of the Developer API; None without one."""

    def is_retired(self, now: int) -> bool:
        """Whether the model is retired and no longer shown."""
        return self.stage == "RETIRED" or (self.retires is not None and now >= self.retires)

    def is_usable(self, now: int) -> bool:
        """Whether new jobs can use the model."""
        return self.stage not in _UNUSABLE and not self.is_retired(now)


def model_named(settings: Settings, name: str, kind: str) -> Model:
    """The model of this name, with its stage from the settings; a name that no list has gets default limits."""
    found = _KNOWN.get(name) or Model(
        name,
        kind,
        *((1048576, 65536) if kind == "generate" else (2048, 1)),
        "PREVIEW" if _PREVIEW in name else "STABLE",
    )
    given = settings.models.get(name)
    if given is None:
        return found
    retires = parse_timestamp(given["retirementTime"]) if "retirementTime" in given else None
    stage = given.get("stage", found.stage)
    status = {"modelStage": stage, **{key: given[key] for key in ("message", "retirementTime") if key in given}}
    return Model(name, kind, found.input_tokens, found.output_tokens, stage, retires, status)


def all_models(settings: Settings, now: int) -> Iterator[Model]:
    """The models that lists show, by name."""
    for name in sorted({*_KNOWN, *settings.models}):
        model = model_named(settings, name, _kind(name))
        if not model.is_retired(now):
            yield model


def _kind(name: str) -> str:
    return "embed" if "embedding" in name else "generate"


def _read(line: str) -> Model:
    name, kind, input_tokens, output_tokens, stage = line.split()
    return Model(name, kind, int(input_tokens), int(output_tokens), stage)


_KNOWN = {model.name: model for model in map(_read, _TABLE.splitlines())}
