"""`batchctl retry --rows … --set …`: the rows of one attempt are sent with another model or other members."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NoReturn

from msgspec import Struct

from batchctl.model.capabilities import is_embedding_model, is_partner_model
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json
from batchctl.model.quoting import cut
from batchctl.model.request.check import check_defaults
from batchctl.model.request.merging import with_defaults
from batchctl.model.request.rules import check_together
from batchctl.model.sent_with import SentWith

_MODEL, _REQUEST = "model", "request."


class Settings(Struct, frozen=True):
    """The values of `--set`, sorted by what they set."""

    variables: tuple[str, ...]
    """Of the stack file."""
    change: SentWith | None
    """Of the rows of this attempt."""


def split_settings(settings: Sequence[str]) -> Settings:
    """Take `model=…` and `request.…=…` out of the values of `--set`. Raises UsageError."""
    others, model, request = list[str](), None, dict[str, Json]()
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not (name == _MODEL or name.startswith(_REQUEST)):
            others.append(setting)
        elif name == _MODEL:
            if not text:
                raise UsageError("--set model=: no model", hint="for example --set model=gemini-2.5-pro")
            model = text.removeprefix("models/")
        else:
            _put(request, name, _value(text))
    change = SentWith(model, request)
    return Settings(tuple(others), change if change.plain else None)


def check_change(job: DesiredJob, change: SentWith) -> None:
    """Check the requests of a job with a change as those of a manifest are checked. Raises UsageError."""
    model = change.model or job.model
    if any(kind(model) != kind(job.model) for kind in (is_embedding_model, is_partner_model)):
        words = f"--set model={cut(model)}: the rows of {job.name} are written for {job.model}, which takes other rows"
        raise UsageError(words, hint="name a model of the same kind")
    merged = with_defaults(job.request, change.request, job.row_kind)
    for place, message, hint in _problems(merged, job):
        way_out = hint or f"`batchctl schema {job.kind}` has all members"
        raise UsageError(f"--set request.{place}: {message}", hint=way_out)


def _problems(request: Json, job: DesiredJob) -> Iterator[tuple[str, str, str]]:
    found = list(check_defaults(request, job.row_kind, job.account.api)) or list(
        check_together(request, job.account.api)
    )
    yield from ((one.place, one.message, one.hint) for one in found if not one.is_warning)


def _put(request: dict[str, Json], path: str, value: Json) -> None:
    names = path.removeprefix(_REQUEST).split(".")
    if not all(names):
        raise UsageError(f"--set {cut(path)}: not a path", hint="for example request.generationConfig.maxOutputTokens")
    target = request
    for name in names[:-1]:
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--set {cut(path)}: {name} is set to a value already", hint="set one of the two")
        target = inner
    target[names[-1]] = value


def _value(text: str) -> Json:
    """A JSON value; other text is a string."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
