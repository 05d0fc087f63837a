"""Reads the stack file.

Owns what `batchctl.yaml` means. An invalid stack file is still read as far as possible, so that the same run checks
the manifests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.compose import compose
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.manifest_files import OUTSIDE_HINT, STACK_FILE, read_bounded
from batchctl.manifests.merge import without_nulls
from batchctl.manifests.moves import read_moved
from batchctl.manifests.nodes import Items, Members, Node, Scalar, changed, find, key_place, value_of
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.providers import ProviderReader
from batchctl.manifests.references import Replacer
from batchctl.manifests.request_defaults import check_request, respelled
from batchctl.manifests.schema import read_schema, with_part
from batchctl.manifests.schema_check import Checker
from batchctl.manifests.stack_limits import check_budget, read_limits
from batchctl.manifests.state_and_results import OwnPlaces, is_address
from batchctl.manifests.target_check import (
    Places,
    all_targets,
    check_form,
    check_names,
    check_places,
    default_places,
    folders_of,
    places_of,
)
from batchctl.manifests.targets import Target, choose_target, key_of, overlaid
from batchctl.manifests.trust import Trust, resolved
from batchctl.manifests.variables import Given, Variables, parse_settings, read_variables
from batchctl.model.cost.prices import Prices
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.notices import Hook
from batchctl.model.stack import Limits, Moved, ProviderConfig, SharedPlace, Stack


class StackReading(Struct, frozen=True):
    """The content of the stack file, as far as it is valid. Manifests are read with nothing else of it.

    Fields that concern no manifest are named in `reading_settings`; all others are a part of its hash.
    """

    stack: Stack | None
    """None if the stack file has errors."""
    file: Path
    folder: Path
    """Both resolved."""
    shown_folder: Path
    """The folder as the user named it."""
    results: Path | SharedPlace
    all_results: tuple[Path, ...]
    """The results folders of all targets, sorted."""
    providers: Mapping[str, ProviderConfig] | None
    """None if the file's errors hide them."""
    accounts: Mapping[str, Account]
    """By provider; one with errors has no account."""
    defaults: Node | None
    variables: Variables
    manifests: tuple[tuple[Path, Location], ...]
    moved: tuple[Moved, ...]
    price_list: Path | None
    """Resolved; None if the stack has none."""
    line_bytes: int
    """Longest line of a local file of rows."""
    root: Node
    """The tree of the stack file, with the target over it and without references to variables."""
    target: Target | None

    def provider_of(self, name: Json) -> ProviderConfig | None:
        """The provider by its name, or for None the stack's only one; None if that is unknown."""
        providers = self.providers or {}
        if name is None and len(providers) == 1:
            return next(iter(providers.values()))
        return providers.get(name) if isinstance(name, str) else None


def read_stack(
    stack_file: Path,
    *,
    overrides: Overrides,
    env: Mapping[str, str],
    trust: Trust,
    faults: Faults,
) -> StackReading:
    """Read the stack file with its target over it; its errors go to `faults`.

    Raises ManifestError if nothing in it can be used, and UsageError for a `--set` without `=`, and for a target that
    is missing or unknown.
    """
    raw = _read_root(stack_file, trust, faults)
    chosen = choose_target(raw, overrides.target, env, faults)
    given = Given(parse_settings(overrides.set_values), env)
    if chosen is not None:
        given = replace(given, target=chosen.variables, builtin=chosen.builtin)
    root = without_nulls(overlaid(raw, chosen, faults))
    declared = find(root, "spec", "variables")
    variables = read_variables(declared, given, faults)
    root = Replacer(variables, faults).replaced(root, keep=declared)
    reader = _StackReader(root, stack_file, trust, env, faults)
    return reader.read(variables, overrides.state, _Targets(raw, chosen, given))


def read_target_names(stack_file: Path, trust: Trust) -> list[str]:
    """The names of the targets, sorted. Raises ManifestError if nothing in the stack file can be used."""
    return sorted(target.name for target in all_targets(_read_root(stack_file, trust, Faults())))


class _Targets(Struct, frozen=True):
    """The targets of a stack file, and the chosen one."""

    raw: Node
    chosen: Target | None
    given: Given

    def others(self, folder: Path) -> dict[str, Places]:
        """The places of the others."""
        chosen = None if self.chosen is None else self.chosen.name
        others = (target for target in all_targets(self.raw) if target.name != chosen)
        return {target.name: places_of(self.raw, target, self.given, folder) for target in others}


@cache
def _checker() -> Checker:
    return Checker(_schema())


def _schema() -> Json:
    """The schema of stack files without `request` among the defaults, which is checked like the requests of rows."""
    place = ("definitions", "defaults", "properties", "request")
    return with_part(read_schema("stack"), place, {"type": ["object", "null"]})


def _read_root(stack_file: Path, trust: Trust, faults: Faults) -> Node:
    shown = str(stack_file)
    if not trust.allows_path(stack_file, resolved(stack_file.parent)):
        message = "the stack file is a link that leads out of its folder"
        raise ManifestError([Diagnostic(Location(shown), Code.OUTSIDE_STACK, message, OUTSIDE_HINT)])
    try:
        data = read_bounded(resolved(stack_file))
    except OSError as error:
        message = f"the stack file cannot be read: {error.strerror}"
        raise ManifestError([Diagnostic(Location(shown), Code.UNREADABLE_FILE, message)]) from error
    roots = compose(data, shown, faults)
    if len(roots) != 1 or not isinstance(roots[0], Members):
        place = roots[-1].location if roots else Location(shown)
        faults.raise_if_any()
        hint = f"apiVersion, kind: Stack, metadata and spec; `batchctl init` writes a {STACK_FILE}"
        raise ManifestError([Diagnostic(place, Code.WRONG_TYPE, "a stack file is one mapping", hint)])
    return roots[0]


class _StackReader:
    """Turns the tree of a stack file into values."""

    def __init__(self, root: Node, stack_file: Path, trust: Trust, env: Mapping[str, str], faults: Faults) -> None:
        self._root = root
        self._file = resolved(stack_file)
        self._shown_folder = stack_file.parent
        self._trust = trust
        self._env = env
        self._faults = faults
        self._own = OwnPlaces(self._file.parent, trust, faults)
        self._sound = False

    def read(self, variables: Variables, state_override: str | None, targets: _Targets) -> StackReading:
        sound = self._sound = check_form(targets.raw, self._faults) & self._check()
        key = key_of(targets.raw, targets.chosen, self._faults)
        default_state, default_results = default_places(key, targets.chosen)
        results = self._results(default_results)
        state = self._state(state_override, default_state)
        others = targets.others(self._file.parent) if sound else {}
        if targets.chosen is not None and sound:
            check_names(targets.raw, self._faults)
            own = Places(targets.chosen.name, "" if state_override else str(state), results)
            check_places(targets.chosen, own, others, self._faults)
        limits = read_limits(self._root, self._faults) if sound else Limits()
        moved = read_moved(self._root) if sound else ()
        price_list, prices = self._prices()
        check_budget(self._root, limits, prices, self._faults)
        notify = self._notify() if sound else ()
        reader = ProviderReader(self._root, self._trust, self._env, self._faults)
        providers = reader.providers() if sound else None
        accounts = reader.accounts(providers or {})
        stack = None
        if sound and not self._faults.any():
            stack = Stack(
                name=key.name,
                uid=key.uid,
                folder=self._file.parent,
                file=self._file,
                providers=providers or {},
                state=state,
                results=results,
                suspend=bool(self._value("suspend")),
                limits=limits,
                moved=moved,
                notify=notify,
                variables_given=variables.given,
                target=None if targets.chosen is None else targets.chosen.name,
                prices=prices,
            )
        defaults = find(self._root, "spec", "defaults")
        return StackReading(
            stack=stack,
            file=self._file,
            folder=self._file.parent,
            shown_folder=self._shown_folder,
            results=results,
            all_results=folders_of((results, *(other.results for other in others.values()))),
            providers=providers,
            accounts=accounts,
            defaults=defaults if isinstance(defaults, Members) else None,
            variables=variables,
            manifests=self._manifests(),
            moved=moved,
            price_list=price_list,
            line_bytes=limits.line_bytes,
            root=self._root,
            target=targets.chosen,
        )

    def _prices(self) -> tuple[Path | None, Prices | None]:
        """The price list, resolved, and its prices."""
        name = value_of(self._root, "spec", "prices")
        if not isinstance(name, str):
            return None, None
        from batchctl.manifests.price_file import read_price_list

        place = key_place(self._root, "spec", "prices")
        return read_price_list(name, place, self._file.parent, self._shown_folder, self._trust, self._faults)

    def _notify(self) -> tuple[Hook, ...]:
        """The hooks of a valid file."""
        if find(self._root, "spec", "notify") is None:
            return ()
        from batchctl.manifests.notify import read_notify

        return read_notify(self._root, self._trust, self._faults)

    def _check(self) -> bool:
        """Whether the file is valid."""
        place = ("spec", "defaults", "request")
        self._root = changed(self._root, place, lambda request: respelled(request, self._faults))
        sound = _checker().check(self._root, self._faults)
        request = find(self._root, *place)
        return sound and (not isinstance(request, Members) or check_request(request, None, None, self._faults))

    def _value(self, *keys: str) -> Json:
        return value_of(self._root, "spec", *keys)

    def _place(self, *keys: str) -> Location:
        return key_place(self._root, "spec", *keys)

    def _state(self, override: str | None, default: str) -> Path | SharedPlace:
        value = override if override is not None else self._value("state")
        place = Location.without_position("--state") if override is not None else self._place("state")
        if isinstance(value, str) and is_address(value):
            return self._own.shared_state(value, place)
        if override is not None and not self._is_inside(override):
            return resolved(Path(override))
        if override is not None and value is not None:
            value = os.path.abspath(value)  # noqa: PTH100 - resolve() would hide the links on the way
        return self._own.state(value if isinstance(value, str) else default, place)

    def _results(self, default: str) -> Path | SharedPlace:
        value = self._value("results") if self._sound else None
        return self._own.results(value if isinstance(value, str) else default, self._place("results"))

    def _is_inside(self, path: str) -> bool:
        """Whether the operator's path starts in the stack's folder, where links belong to the checkout."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - before links are followed
        return any(resolved(folder) == self._file.parent for folder in absolute.parents)

    def _manifests(self) -> tuple[tuple[Path, Location], ...]:
        node = find(self._root, "spec", "manifests")
        if not isinstance(node, Items):
            return ((self._file.parent, self._root.location),)
        named = [item for item in node.values if isinstance(item, Scalar) and isinstance(item.value, str)]
        return tuple((self._file.parent / str(item.value), item.location) for item in named)
