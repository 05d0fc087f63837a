"""A saved plan: the document of `plan --out FILE`, which `apply FILE` carries out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.cli.given_file import read_given
from batchctl.cli.plan_options import PlanOptions
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json
from batchctl.model.plan_digest import PlanDigest
from batchctl.report.plan_document import PLAN_FORMAT

MOST_BYTES = 512 * 2**20
"""A plan of 100,000 jobs has about a tenth of it."""
_MANIFESTS = (".yaml", ".yml")
_NOT_A_PLAN = "write one with `batchctl plan --out FILE`"


class SavedPlan(Struct, frozen=True):
    """The parts of a saved plan that are compared with the present one."""

    path: str
    digest: PlanDigest
    stack: str
    uid: str
    lineage: str
    """Of the state; empty if that had no record."""
    terms: Mapping[str, Mapping[str, Json]]
    """`Terms.fields` by job name."""
    options: PlanOptions


def read_plan(path: str) -> SavedPlan:
    """Read a saved plan. Raises UsageError."""
    try:
        document = json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        raise _not_a_plan(path, "it is not JSON") from error
    found_format = document.get("format") if isinstance(document, dict) else None
    if found_format != PLAN_FORMAT:
        raise _not_a_plan(
            path, f"its format is {found_format}" if isinstance(found_format, str) else "it has no format"
        )
    try:
        return _read(path, document)
    except ValueError as error:
        raise UsageError(f"{path} is damaged or from another release: {error}", hint=_NOT_A_PLAN) from error


def _content(path: str) -> bytes:
    if not os.path.lexists(path):
        raise UsageError(f"there is no plan file {path}", hint=_not_there(path))
    if Path(path).is_dir():
        raise _manifests(path, "a folder")
    if path.lower().endswith(_MANIFESTS):
        raise _manifests(path, "a manifest")
    return read_given(path, "plan", MOST_BYTES, _NOT_A_PLAN)


def _not_there(path: str) -> str:
    if path.lower().endswith(_MANIFESTS):
        return "name manifests with -f"
    if os.path.dirname(path) or path.lower().endswith(".json"):  # noqa: PTH120  Path drops the folder of ./plan
        return _NOT_A_PLAN
    return f"{_NOT_A_PLAN}; the name of a job has only a-z, 0-9 and -"


def _manifests(path: str, kind: str) -> UsageError:
    return UsageError(f"{path} is {kind}, not a saved plan", hint=f"`batchctl apply -f {path}` applies manifests")


def _not_a_plan(path: str, why: str) -> UsageError:
    return UsageError(f"{path} is not a saved plan: {why}", hint=_NOT_A_PLAN)


def _read(path: str, document: Mapping[str, Json]) -> SavedPlan:
    stack, uid, lineage, digest = (_text(document, name) for name in ("stack", "uid", "lineage", "digest"))
    terms = dict(_terms(document.get("actions")))
    saved = SavedPlan(
        path, PlanDigest.parse(digest), stack, uid, lineage, terms, PlanOptions.read(document.get("options"))
    )
    if PlanDigest.of_terms(stack, uid, lineage, terms) != saved.digest:
        raise ValueError("its digest does not match its actions")
    return saved


def _text(document: Mapping[str, Json], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str):
        raise ValueError(f"{name} is missing")  # noqa: TRY004  a document with an error, not a wrong call
    return found


_MEMBERS = frozenset({"change", "consent", "guard", "manifest", "attempt", "digest", "phase", "observed"})


def _terms(actions: Json) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for action in actions if isinstance(actions, list) else [None]:
        if not isinstance(action, dict) or "terms" not in action:
            raise ValueError("an action has no terms")
        terms = action["terms"]
        if terms is None:
            continue
        if not isinstance(terms, dict) or terms.keys() != _MEMBERS or not isinstance(terms["consent"], bool):
            raise ValueError("the terms of an action are invalid")
        yield _text(action, "job"), terms
