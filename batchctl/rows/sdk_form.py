"""A request as the SDKs write it, `{contents, config}`, in the API's REST form.

Owns where each member of `config` goes: a few stand beside `generationConfig`, all others in it. Source: reference
chapter 7.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.pattern import Pattern
from batchctl.model.request.catalogue import ROOTS

_NOT_OF_CONFIG = frozenset({"contents", "generationConfig", "model"})
_BESIDE = frozenset(field.name for field in ROOTS[Kind.BATCH_JOB].fields) - _NOT_OF_CONFIG
"""Members of `config` that the REST form has beside `generationConfig`."""
_LOCAL = frozenset({"httpOptions", "abortSignal", "shouldReturnHttpResponse", "automaticFunctionCalling"})
"""Settings of an SDK's calls, which are never sent."""
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
    """Texts, as the SDKs take them, as one turn of the user; all else as it is."""
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        return [{"role": "user", "parts": [{"text": text} for text in texts]}]
    return value


def _content(value: Json) -> Json:
    return {"parts": [{"text": value}]} if isinstance(value, str) else value
