"""Finds settings of a request that stand beside it in a row, where nothing sends them.

Members beside a request are the user's own, but for these: nobody has data of their own under `generationConfig`.
Names of one word, such as `title`, `labels` and `model`, may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.quoting import shown
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.fields import Of
from batchctl.model.request.problems import Fault, Problem
from batchctl.model.request.spelling import snake_case, spellings

_CONFIGS: Mapping[Kind, tuple[str, ...]] = {
    Kind.BATCH_JOB: ("generationConfig", "thinkingConfig"),
    Kind.EMBEDDINGS_BATCH_JOB: ("embedContentConfig",),
}
"""The messages whose members are settings, by the steps to them."""
_OF_FILES = frozenset({"mimeType"})
"""Settings that also are an usual name of the user's own data."""
_TOOLS = "tools"
_SDK_CONFIG = "config"


def misplaced(members: Mapping[str, Json], kind: Kind) -> Iterator[Problem]:
    """The problems of the members beside a request."""
    places = _places(kind)
    for name, value in members.items():
        place = places.get(name)
        if place is None and name == _TOOLS and isinstance(value, list) and kind is Kind.BATCH_JOB:
            place = _TOOLS
        if place is not None:
            yield _problem(name, f"its place in a request is {place}; spec.request sets it for all rows")
        elif name == _SDK_CONFIG and isinstance(value, Mapping) and not places.keys().isdisjoint(value):
            yield _problem(name, "config is for rows with contents; write the members of a request in REST form")


def _problem(name: str, hint: str) -> Problem:
    text = f"{shown(name)} is beside the request of the row, where it is not sent"
    return Problem((), Fault.UNKNOWN_FIELD, text, hint)


@cache
def _places(kind: Kind) -> Mapping[str, str]:
    """The names of settings, in both spellings, each with its place in a request."""
    message, above = ROOTS[kind].name, ""
    found: dict[str, str] = {}
    for step in ("", *_CONFIGS[kind]):
        if step:
            inner = spellings(message)[step].value
            assert isinstance(inner, Of), "a setting of several members is a message"
            message, above = inner.message, f"{above}{step}."
        for name, field in spellings(message).items():
            if snake_case(field.name) != field.name and field.name not in _OF_FILES:
                found.setdefault(name, above + field.name)
    return found
