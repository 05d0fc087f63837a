"""Normalises and checks `request` of a job and of the stack's defaults.

`model.request` finds the problems; this module finds their places in the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar, plain
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from batchctl.model.request.catalogue import ANY, MESSAGES, ROOTS
from batchctl.model.request.check import check_defaults
from batchctl.model.request.fields import Each, Message, Of, Value
from batchctl.model.request.problems import Fault, Path, Problem
from batchctl.model.request.rules import check_together
from batchctl.model.request.spelling import snake_case, spellings

_CODES: Mapping[Fault, Code] = {
    Fault.UNKNOWN_FIELD: Code.UNKNOWN_FIELD,
    Fault.MISSING_FIELD: Code.MISSING_FIELD,
    Fault.WRONG_TYPE: Code.WRONG_TYPE,
    Fault.INVALID_VALUE: Code.INVALID_VALUE,
    Fault.WRONG_PROVIDER: Code.WRONG_PROVIDER,
    Fault.UNKNOWN_VALUE: Code.UNKNOWN_VALUE,
    Fault.DEPRECATED: Code.DEPRECATED,
    Fault.UNDOCUMENTED: Code.UNDOCUMENTED,
}
CODES: Mapping[str, Code] = {str(code): code for code in Code}
"""The codes by their names, which the problems of rows have."""
_OF_THE_KEY = frozenset({Fault.UNKNOWN_FIELD, Fault.WRONG_PROVIDER, Fault.DEPRECATED, Fault.UNDOCUMENTED})
"""Problems of a member's key, not of its value."""


def respelled(node: Node, faults: Faults, rows: Kind | None = None) -> Node:
    """A `request` with its known members in camelCase, so that defaults merge in either spelling."""
    return _respelled(node, ANY if rows is None else ROOTS[rows], faults)


def check_request(node: Node, rows: Kind | None, api: Api | None, faults: Faults) -> bool:
    """Whether the API accepts a `request`; errors and warnings go to `faults`."""
    request = plain(node)
    problems = list(check_defaults(request, rows, api))
    if not problems:
        problems += check_together(request, api)
    for problem in problems:
        tell(problem, node, faults)
    return all(problem.is_warning for problem in problems)


def tell(problem: Problem, root: Node, faults: Faults) -> None:
    """Report a problem of a request at its place in the file, or at the nearest parent's."""
    code, place = _CODES[problem.fault], _place(problem, root)
    if problem.is_warning:
        faults.warn(place, code, problem.message, problem.hint)
        return
    message, hint = problem.message, problem.hint
    node, is_there = _nearest(root, problem.path)
    if problem.wanted and is_there:
        # A YAML file has mappings, and its scalars can be quoted or not. Of a row in a short form, the value may be
        # elsewhere.
        field = message.partition(" must be ")[0]
        from batchctl.manifests.wrong_types import wrong_type

        message, found = wrong_type(node, field, *problem.wanted)
        # How to write a list depends on its items, which only the problem knows.
        hint = hint if "array" in problem.wanted else found or hint
    faults.add(place, code, message, hint)


def _place(problem: Problem, root: Node) -> Location:
    if problem.path and problem.fault in _OF_THE_KEY:
        parent, _ = _nearest(root, problem.path[:-1])
        member = _member(parent, problem.path[-1])
        return parent.location if member is None else member.key_location
    return _nearest(root, problem.path)[0].location


def _nearest(root: Node, path: Path) -> tuple[Node, bool]:
    """The node at a path and whether it is there; else the last one on the way: a row may have a short form."""
    node = root
    for step in path:
        member = _member(node, step)
        if member is not None:
            node = member.node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.values):
            node = node.values[step]
        else:
            return node, False
    return node, True


def _member(node: Node, step: str | int) -> Member | None:
    """A member of a mapping, in either spelling."""
    if not isinstance(node, Members) or not isinstance(step, str):
        return None
    return node.entries.get(step) or node.entries.get(snake_case(step))


def _respelled(node: Node, message: Message, faults: Faults) -> Node:
    if not isinstance(node, Members):
        return node
    known = spellings(message.name)
    entries: dict[str, Member] = {}
    for name, member in node.entries.items():
        field = known.get(name)
        if field is None:
            entries[name] = member
        elif field.name in entries or (name != field.name and field.name in node.entries):
            text = f"both {snake_case(field.name)} and {field.name} are given"
            faults.add(member.key_location, Code.DUPLICATE_KEY, text, "keep one")
        else:
            entries[field.name] = Member(member.key_location, _inside(member.node, field.value, faults))
    return Members(node.location, entries)


def _inside(node: Node, value: Value, faults: Faults) -> Node:
    match value:
        case Of(name):
            return _respelled(node, MESSAGES[name], faults)
        case Each(item) if isinstance(node, Items):
            return Items(node.location, tuple(_inside(one, item, faults) for one in node.values))
        case Each(item):
            return node if isinstance(node, Scalar) else _inside(node, item, faults)
        case _:
            # Names and data of the user keep their spelling.
            return node
