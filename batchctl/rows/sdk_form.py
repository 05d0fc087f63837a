"""A request as the SDKs write it, `{contents, config}`, in the API's REST form.

Owns where each member of `config` goes: a few stand beside `generationConfig`, all others in it. Source: reference
chapter 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.pattern import Pattern
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.spelling import spellings

_NOT_OF_CONFIG = frozenset({"contents", "generationConfig", "model"})
_BESIDE = frozenset(field.name for field in ROOTS[Kind.BATCH_JOB].fields) - _NOT_OF_CONFIG
"""Members of `config` that the REST form has beside `generationConfig`."""
_LOCAL = frozenset({"httpOptions", "abortSignal", "shouldReturnHttpResponse", "automaticFunctionCalling"})
"""Settings of an SDK's calls, which are never sent."""
_PART = "Part"
_SNAKE = Pattern(r"_([a-z0-9])")


def request_of_sdk(request: Mapping[str, Json], config: Json) -> dict[str, Json]:
    """The request with its `config` spread over it. Raises ValueError for what has no place in REST."""
    found = {**request}
    if "contents" in found:
        found["contents"] = _contents(found["contents"])
    if config is None:
        return found
    if not isinstance(config, Mapping):
        raise ValueError("config has to be an object")  # noqa: TRY004 - one error to catch
    if "generationConfig" in found or "generation_config" in found:
        raise ValueError("both config and generationConfig are given: keep one")
    generation: dict[str, Json] = {}
    for name, value in config.items():
        camel = _SNAKE.sub(lambda letter: letter[1].upper(), name)
        if camel in _LOCAL:
            raise ValueError(f"config.{name} is for the SDK alone: remove it")
        if camel in _BESIDE:
            found[camel] = _content(value) if camel == "systemInstruction" else value
        else:
            generation[camel] = value
    return {**found, "generationConfig": generation} if generation else found


def _contents(value: Json) -> Json:
    """Texts and parts, which the SDKs take beside contents, as turns of the user; all else as it is."""
    if value == "":
        raise ValueError("contents has to be a string that is not empty")
    given = value if isinstance(value, list) else [value]
    if not any(_is_part(one) for one in given):
        return value
    turns: list[Json] = []
    for are_parts, group in groupby(given, _is_part):
        found = list(group)
        turns += [{"role": "user", "parts": _parts(found)}] if are_parts else found
    return turns


def _content(value: Json) -> Json:
    """A text, a part or a list of them as a content; all else as it is."""
    given = value if isinstance(value, list) else [value]
    return {"parts": _parts(given)} if given and all(_is_part(one) for one in given) else value


def _is_part(value: Json) -> bool:
    """Whether a value is a text, or has only members of a part."""
    if isinstance(value, Mapping):
        return bool(value) and value.keys() <= spellings(_PART).keys()
    return isinstance(value, str)


def _parts(given: Sequence[Json]) -> list[Json]:
    return [{"text": one} if isinstance(one, str) else one for one in given]
