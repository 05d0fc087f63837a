"""A bundle: the redacted input of one decision with its plan, as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from batchctl import __version__
from batchctl.engine.bundles.redaction import Redaction
from batchctl.engine.bundles.typed_json import CLASS, from_plain, to_plain
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import UsageError
from batchctl.model.inventory import Inventory
from batchctl.model.json_value import Json
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options, Question

BUNDLE_FORMAT: Final = "batchctl/bundle/v1"
_PARTS: Final[dict[str, Any]] = {
    "desired": DesiredStack,
    "recorded": Recorded,
    "observed": Observed,
    "now": datetime,
    "options": Options,
    "inventory": Inventory | None,
}
"""The members of a bundle that are the input, with their types."""
_ADDED = frozenset({"forecast"})
"""Members of a plan that older releases do not have, and that decide nothing."""
_WORDS: Final = {
    "Change": {"detail"},
    "Decision": {"reason"},
    "Drift": {"detail"},
    "Guard": {"message", "way_out"},
    "JobForecast": {"size", "unknown"},
    "RuleApplied": {"does"},
}
"""The members of a plan that say for people what others hold as codes and values. Releases word them differently."""
_HINT = "write one with `--record DIR` of plan, apply or watch"


class Bundle(Struct, frozen=True):
    """A bundle as it was read."""

    version: str
    """The version of batchctl that decided."""
    question: Question
    plan: Json
    """The plan that was made, as plain JSON; None if the decision failed."""


class Difference(Struct, frozen=True):
    """One place of a plan where it differs from the recorded one; None: the plan does not have the place."""

    path: str
    recorded: Json
    now: Json


def to_bundle(question: Question, plan: Plan | None) -> bytes:
    """The bundle of a decision, as JSON. None: the decision failed, by an error in batchctl."""
    redaction = Redaction()
    parts = {name: to_plain(redaction.of(getattr(question, name))) for name in _PARTS}
    versions = {"batchctl": __version__, "python": platform.python_version()}
    bundle = {"format": BUNDLE_FORMAT, "versions": versions, **parts, "plan": to_plain(redaction.of(plan))}
    return json.dumps(bundle, ensure_ascii=True, indent=1).encode() + b"\n"


def from_bundle(content: bytes, name: str) -> Bundle:
    """Read a bundle; `name` is for messages. Raises UsageError for what is none, or is damaged."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a bundle: it is not JSON", hint=_HINT) from error
    found = document.get("format") if isinstance(document, dict) else None
    if found != BUNDLE_FORMAT:
        why = f"its format is {found}" if isinstance(found, str) else "it has no format"
        raise UsageError(f"{name} is not a bundle: {why}", hint=_HINT)
    try:
        parts = {part: from_plain(document[part], hint) for part, hint in _PARTS.items()}
        version = from_plain(document["versions"], dict[str, str])["batchctl"]
        return Bundle(version, Question(**parts), document["plan"])
    except KeyError as error:
        raise UsageError(f"{name} is damaged or from another release: {error} is missing", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is damaged or from another release: {error}", hint=_HINT) from error


def replay(bundle: Bundle) -> tuple[Difference, ...]:
    """Decide again, and compare with the recorded plan. Words for people may differ.

    Raises what a decision that failed raises again.
    """
    return tuple(_differences("plan", bundle.plan, to_plain(bundle.question.answer())))


def _differences(path: str, recorded: Json, now: Json) -> Iterator[Difference]:
    match recorded, now:
        case dict(), dict():
            for name in dict.fromkeys([*recorded, *(one for one in now if one not in _ADDED)]):
                then, present = recorded.get(name), now.get(name)
                if not (_are_words(recorded, name, then) and _are_words(now, name, present)):
                    yield from _differences(f"{path}.{name}", then, present)
        case list(), list():
            yield from _differences(path, _by_name(recorded), _by_name(now))
        case _ if recorded != now or type(recorded) is not type(now):
            yield Difference(path, recorded, now)


def _are_words(owner: dict[str, Json], name: str, value: Json) -> bool:
    return isinstance(value, str) and name in _WORDS.get(str(owner.get(CLASS)), ())


def _by_name(items: list[Json]) -> dict[str, Json]:
    """The items by the job that they are about, else by their number."""
    names = [one["job"] if isinstance(one, dict) and "job" in one else None for one in items]
    if None in names or len({*map(str, names)}) < len(names):
        return {str(number): one for number, one in enumerate(items)}
    return {str(name): one for name, one in zip(names, items, strict=True)}
