"""The models that lists show, and how far each is in its life. What a name may be is told by the services.

Source: reference 10, 16; the limits are those of the models' public pages, and change often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Model:
    """One model."""

    name: str
    """Without what stands before it, such as `models/`."""
    kind: str
    """`generate` or `embed`."""
    input_tokens: int
    output_tokens: int
    stage: str
    """As the Developer API names it."""
    retires: int | None = None
    """Nanoseconds since 1970."""
    status: JsonObject | None = None
    """What the Developer API says of it in its `modelStatus`; None where there is nothing to say."""

    def is_gone(self, now: int) -> bool:
        """Whether it is not shown any more."""
        return self.stage == "RETIRED" or (self.retires is not None and now >= self.retires)

    def is_usable(self, now: int) -> bool:
        """Whether it takes jobs."""
        return self.stage not in _UNUSABLE and not self.is_gone(now)


def model_named(settings: Settings, name: str, kind: str) -> Model:
    """The model of that name, which the settings may put into another stage; one that no list has is a plain one."""
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
    """The models that a list shows, by name."""
    for name in sorted({*_KNOWN, *settings.models}):
        model = model_named(settings, name, _kind(name))
        if not model.is_gone(now):
            yield model


def _kind(name: str) -> str:
    return "embed" if "embedding" in name else "generate"


def _read(line: str) -> Model:
    name, kind, input_tokens, output_tokens, stage = line.split()
    return Model(name, kind, int(input_tokens), int(output_tokens), stage)


_KNOWN = {model.name: model for model in map(_read, _TABLE.splitlines())}
