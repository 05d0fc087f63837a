"""Targets: variants of one stack, such as dev and prod, that lie over its stack file.

A target is a part of the stack's key: each has its own name and uid in marks, its own state and its own results, so
jobs of two targets never mix. A target that has the stack's own name goes on with the jobs that the stack had before it
had targets.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import LONGEST_LIST, Faults
from batchctl.manifests.merge import merge
from batchctl.manifests.nodes import Member, Members, Node, Scalar, changed, find, key_place, value_of
from batchctl.manifests.request_defaults import respelled
from batchctl.model.errors import UsageError
from batchctl.model.locations import Location
from batchctl.model.origins import Origin
from batchctl.model.quoting import cut, shown
from batchctl.model.suggest import did_you_mean

TARGET_VARIABLE = "BATCHCTL_TARGET"
NAME_VARIABLE = "target"
"""The variable whose value is the name of the target."""
LONGEST_NAME = 32
"""The most characters of a stack's name."""
LAID_OVER = frozenset({"defaults", "limits", "notify", "providers", "results", "state", "suspend"})
"""The fields of a target that lie over `spec`. The schema check reports others once, at the target."""
_HOLD_TARGETS = ("targets", "defaultTarget")
_REQUEST = ("defaults", "request")


class Target(Struct, frozen=True):
    """The target of a command."""

    name: str
    place: Location
    """Of its name in the stack file."""
    origin: Origin
    """The place that chose it."""
    overlay: Members

    @property
    def variables(self) -> Members | None:
        """The values that it gives to variables."""
        found = find(self.overlay, "variables")
        return found if isinstance(found, Members) else None

    @property
    def builtin(self) -> dict[str, tuple[str, Origin]]:
        """The variable with its own name."""
        return {NAME_VARIABLE: (self.name, self.origin)}


def choose_target(root: Node, wanted: str | None, env: Mapping[str, str], faults: Faults) -> Target | None:
    """The target that the command line, the environment or the stack file chooses; None for a stack without targets.

    Raises UsageError if there is no such target, or if the stack has targets and none is chosen.
    """
    targets = targets_of(root)
    default = find(root, "spec", "defaultTarget")
    if wanted is not None:
        is_env = env.get(TARGET_VARIABLE) == wanted
        origin = Origin.environment(TARGET_VARIABLE) if is_env else Origin.option("--target")
        if not targets:
            hint = "leave it out, or declare targets under spec.targets of the stack file"
            raise UsageError(f"{origin} {wanted}: the stack has no targets", hint=hint)
        if wanted not in targets:
            raise UsageError(f"{origin} {wanted}: there is no such target", hint=_list(targets, wanted))
        return _target(wanted, targets[wanted], origin)
    if not targets:
        return None
    if default is None:
        hint = f"--target NAME, or {TARGET_VARIABLE}, or spec.defaultTarget in the stack file; {_list(targets)}"
        raise UsageError("this stack has targets, and none is chosen", hint=hint)
    name = value_of(default)
    if name not in targets:
        if isinstance(name, str):  # else the schema check reports it
            hint = _list(targets, name)
            faults.add(default.location, Code.INVALID_VALUE, f"there is no target {shown(name)}", hint)
        name = min(targets)
    return _target(name, targets[name], Origin.file(default.location))


def _target(name: str, member: Member, origin: Origin) -> Target:
    overlay = member.node if isinstance(member.node, Members) else Members(member.node.location, {})
    return Target(name, member.key_location, origin, overlay)


def _list(targets: Mapping[str, Member], word: str = "") -> str:
    """All targets, and the one that was meant, if there is a similar one."""
    every = f"one of: {cut(', '.join(sorted(targets)), LONGEST_LIST)}"
    meant = did_you_mean(word, sorted(targets), "")
    return f"{meant} {every}" if meant else every


def targets_of(root: Node) -> Mapping[str, Member]:
    """The targets of a stack file by name; those of a wrong type, which the schema check reports, included."""
    found = find(root, "spec", "targets")
    return found.entries if isinstance(found, Members) else {}


def overlaid(root: Node, target: Target | None, faults: Faults) -> Node:
    """The stack file with a target over its `spec`, merged like defaults: RFC 7396.

    The targets themselves are left out.
    """
    spec = find(root, "spec")
    if not isinstance(root, Members) or not isinstance(spec, Members):
        return root
    kept = {key: member for key, member in spec.entries.items() if key not in _HOLD_TARGETS}
    base: Node = Members(spec.location, kept)
    if target is not None:
        over = {key: member for key, member in target.overlay.entries.items() if key in LAID_OVER}
        # The two spellings of a member of `request` count as one.
        below, above = (
            changed(one, _REQUEST, lambda request: respelled(request, faults))
            for one in (base, Members(spec.location, over))
        )
        base = merge(below, above)
    return Members(root.location, {**root.entries, "spec": Member(root.entries["spec"].key_location, base)})


class StackKey(Struct, frozen=True):
    """The name and uid of a stack in marks and states."""

    name: str
    uid: str
    place: Location
    """Of the name."""
    is_own: bool
    """Whether they are those of the stack file: there is no target, or one that goes on with the stack's jobs."""


def key_of(root: Node, target: Target | None, faults: Faults) -> StackKey:
    """The key of a stack with this target. The stack file may have errors in it."""
    key = _key_of(root, target)
    if target is not None and len(key.name) > LONGEST_NAME:
        message = f"the name of the stack with this target, {cut(key.name)}, is longer than {LONGEST_NAME} characters"
        hint = f"set a shorter one: spec.targets.{target.name}.name"
        faults.add(key.place, Code.INVALID_VALUE, message, hint)
    return key


def _key_of(root: Node, target: Target | None) -> StackKey:
    stack, uid = str(value_of(root, "metadata", "name")), str(value_of(root, "metadata", "uid"))
    place = key_place(root, "metadata", "name")
    if target is None:
        return StackKey(stack, uid, place, is_own=True)
    node = find(target.overlay, "name")
    if isinstance(node, Scalar) and isinstance(node.value, str):
        name, place = node.value, node.location
    else:
        name, place = f"{stack}-{target.name}", target.place
    return StackKey(name, uid if name == stack else f"{uid}.{name}", place, is_own=name == stack)
