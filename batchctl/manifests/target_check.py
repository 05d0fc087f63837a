"""Checks what the targets of a stack have together: their form, their names, their places.

Of a target that is not chosen, the values are not checked, because its variables may have no values now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.merge import without_nulls
from batchctl.manifests.nodes import Members, Node, find, value_of
from batchctl.manifests.references import Replacer
from batchctl.manifests.schema import read_schema
from batchctl.manifests.schema_check import Checker
from batchctl.manifests.state_and_results import DEFAULT_RESULTS, DEFAULT_STATE, is_address, shared_results
from batchctl.manifests.targets import StackKey, Target, key_of, overlaid, targets_of
from batchctl.manifests.trust import resolved
from batchctl.manifests.variables import Given, read_variables
from batchctl.model.json_value import Json
from batchctl.model.origins import Origin
from batchctl.model.stack import SharedPlace


@cache
def _checker() -> Checker:
    """Checks `targets` and `defaultTarget` alone; what lies over `spec` is checked there."""
    schema = read_schema("stack")
    spec = schema["properties"]["spec"]["properties"]
    target = schema["definitions"]["target"]
    checked = {"name", "variables"}
    members = {key: part if key in checked else {} for key, part in target["properties"].items()}
    definitions = {**schema["definitions"], "target": {**target, "properties": members}}
    properties = {key: spec[key] for key in ("targets", "defaultTarget")}
    return Checker({"type": "object", "properties": properties, "definitions": definitions})


def check_form(root: Node, faults: Faults) -> bool:
    """Whether the targets have the form of targets, whichever is chosen."""
    spec = find(root, "spec")
    return not isinstance(spec, Members) or _checker().check(without_nulls(spec), faults)


def check_names(root: Node, faults: Faults) -> None:
    """Report targets that have the same key: their jobs would mix."""
    first: dict[str, StackKey] = {}
    for target in all_targets(root):
        key = key_of(root, target, faults)
        other = first.setdefault(key.name, key)
        if other is not key:
            message = f"two targets have the name {key.name}"
            faults.add(key.place, Code.DUPLICATE_NAME, message, f"first at {other.place}", other=other.place)


def all_targets(root: Node) -> Iterator[Target]:
    """All targets of a stack file."""
    for name, member in targets_of(root).items():
        overlay = member.node if isinstance(member.node, Members) else Members(member.node.location, {})
        yield Target(name, member.key_location, Origin.file(member.key_location), overlay)


class Places(Struct, frozen=True):
    """Where a stack with one target keeps its state and its results: as the stack file says, and resolved."""

    target: str
    state: str
    """A path, resolved, or a URL."""
    results: Path | SharedPlace


def default_places(key: StackKey, target: Target | None) -> tuple[str, str]:
    """The places of state and results of a stack file that names none."""
    if target is None or key.is_own:
        return DEFAULT_STATE, DEFAULT_RESULTS
    return f".batchctl/{target.name}/state.db", f"{DEFAULT_RESULTS}/{target.name}"


def places_of(root: Node, target: Target, given: Given, folder: Path) -> Places:
    """The places of a target that is not chosen. Errors in them are of no interest before it is."""
    quiet = Faults()
    tree = without_nulls(overlaid(root, target, quiet))
    own = replace(given, target=target.variables, builtin=target.builtin)
    replacer = Replacer(read_variables(find(tree, "spec", "variables"), own, quiet), quiet)

    def place(field: str, default: str) -> str:
        node = find(tree, "spec", field)
        value: Json = None if node is None else value_of(replacer.replaced(node))
        return value if isinstance(value, str) else default

    state, results = default_places(key_of(root, target, quiet), target)
    state, results = place("state", state), place("results", results)
    return Places(
        target.name,
        state if is_address(state) else str(resolved(folder / state)),
        shared_results(results) if is_address(results) else resolved(folder / results),
    )


def folders_of(places: Iterable[Path | SharedPlace]) -> tuple[Path, ...]:
    """The folders among places of results, sorted."""
    return tuple(sorted({place for place in places if isinstance(place, Path)}))


def check_places(target: Target, own: Places, others: Mapping[str, Places], faults: Faults) -> None:
    """Report places that another target has, too."""
    for name, other in sorted(others.items()):
        hint = "write ${var.target} in its path, or set it in each target"
        if other.state == own.state:
            message = f"the targets {target.name} and {name} have the same state"
            faults.add(target.place, Code.INVALID_VALUE, message, hint)
        if _is_inside(other.results, own.results) or _is_inside(own.results, other.results):
            inside = "the same results folder" if own.results == other.results else "results folders inside each other"
            message = f"the targets {target.name} and {name} have {inside}"
            faults.add(target.place, Code.INVALID_VALUE, message, hint)


def _is_inside(one: Path | SharedPlace, other: Path | SharedPlace) -> bool:
    """Whether one place of results is inside another one, or the same."""
    if isinstance(one, Path) and isinstance(other, Path):
        return one.is_relative_to(other)
    return isinstance(one, SharedPlace) and isinstance(other, SharedPlace) and one.url.startswith(other.url)
