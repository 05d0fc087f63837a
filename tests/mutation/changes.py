"""All single changes to the branches of a module: what a test has to notice.

Each change is made within a function, to one node: a condition is negated, `and` and `or` change places, a `not` goes, a
comparison takes its neighbour's operator, a case never matches, and a function returns nothing in place of a value.
Messages, constants and `assert` statements are left alone: they decide nothing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOTH_WAYS = frozenset({ast.Lt, ast.LtE, ast.Gt, ast.GtE})
"""Whose negation is another change than their neighbour; all others are negated already where they are a condition."""
_Alternative: TypeAlias = tuple[str, int | None, ast.AST]
"""A field of a node, the place in its list, and the value that may stand there instead."""
_QUANTIFIERS = {"any": "all", "all": "any"}


@dataclass(frozen=True)
class Change:
    """One change to a function of a module."""

    function: str
    """The qualified name of the outermost function that it is in."""
    line: int
    last_line: int
    """The lines of the node; a test that runs one of them may notice the change."""
    before: str
    after: str
    tree: ast.Module
    """The whole module, changed."""

    @property
    def words(self) -> str:
        """What is changed into what, on one line."""
        return f"{self.before}  →  {self.after}"


@dataclass(frozen=True)
class _Place:
    """A node, and how to reach it in a copy of the tree: its number in the order of `ast.walk`."""

    number: int
    node: Any
    function: str


def changes_of(source: str) -> Iterator[Change]:
    """Every change to a module, in the order of its lines. Of two that come to the same only one is made."""
    tree = ast.parse(source)
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    seen: set[str] = set()
    places = [_Place(numbers[id(node)], node, name) for name, node in _inside_functions(tree)]
    for place in sorted(places, key=lambda place: (getattr(place.node, "lineno", 0), place.number)):
        for field, index, new in _alternatives(place.node):
            changed = copy.deepcopy(tree)
            target = next(node for number, node in enumerate(ast.walk(changed)) if number == place.number)
            old = _put(target, field, index, copy.deepcopy(new)) or place.node.pattern
            ast.fix_missing_locations(changed)
            text = ast.unparse(changed)
            if text in seen:
                continue
            seen.add(text)
            yield Change(place.function, old.lineno, old.end_lineno, _shown(old), _shown(new), changed)


def _inside_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The nodes in the bodies of functions, with the name of the outermost one. Signatures and assertions stay."""

    def within(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
        if not isinstance(node, ast.Assert):
            yield name, node
            for child in ast.iter_child_nodes(node):
                yield from within(child, name)

    def search(node: ast.AST, path: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                for statement in child.body:
                    yield from within(statement, f"{path}{child.name}")
            elif isinstance(child, ast.ClassDef):
                yield from search(child, f"{path}{child.name}.")

    return search(tree, "")


def _alternatives(node: ast.AST) -> Iterator[_Alternative]:
    """What may stand in the fields of a node instead."""
    yield from _other_branches(node)
    for field, index, child in _expressions(node):
        for new in _other_values(child):
            yield field, index, new
        if isinstance(node, ast.Return) and isinstance(child, ast.Constant) and isinstance(child.value, bool):
            yield field, index, ast.Constant(value=not child.value)


def _other_branches(node: ast.AST) -> Iterator[_Alternative]:
    """Another way through an `if`, a loop, a comprehension, a case or a `return`."""
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield "test", None, _negated(test)
        case ast.comprehension(ifs=conditions):
            for index, condition in enumerate(conditions):
                yield "ifs", index, _negated(condition)
        case ast.match_case(pattern=pattern, guard=guard):
            if guard is not None:
                yield "guard", None, _negated(guard)
            if not (isinstance(pattern, ast.MatchAs) and pattern.pattern is None):
                yield "guard", None, ast.Constant(value=False)
        case ast.Return(value=value) if value is not None and not _is_nothing_or_flag(value):
            yield "value", None, ast.Constant(value=None)


def _other_values(node: ast.AST) -> Iterator[ast.expr]:
    """What an expression may be instead, wherever it stands."""
    match node:
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Compare(ops=ops):
            for number, op in enumerate(ops):
                changed = copy.deepcopy(node)
                changed.ops[number] = _COMPARISONS[type(op)]()
                yield changed
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            changed_call = copy.deepcopy(node)
            changed_call.func = ast.Name(id=_QUANTIFIERS[name], ctx=ast.Load())
            yield changed_call


def _expressions(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The direct children of a node, with the field and the place in it."""
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            yield from ((field, index, item) for index, item in enumerate(value) if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST):
            yield field, None, value


def _negated(test: ast.expr) -> ast.expr:
    """The opposite of a condition, in the shortest form: so that no other change gives the same code again."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(ops=[op]) if type(op) not in _BOTH_WAYS:
            changed = copy.deepcopy(test)
            changed.ops[0] = _COMPARISONS[type(op)]()
            return changed
        case _:
            return ast.UnaryOp(op=ast.Not(), operand=test)


def _is_nothing_or_flag(node: ast.AST) -> bool:
    """Whether None in its place would be as empty, or the same as the other flag."""
    return isinstance(node, ast.Constant) and (node.value in {None, ""} or isinstance(node.value, bool))


def _put(target: ast.AST, field: str, index: int | None, new: ast.AST) -> ast.AST | None:
    """Put the new value in its place; gives what was there: nothing where a case had no guard."""
    old: Any = getattr(target, field)
    if index is None:
        setattr(target, field, new)
        return old
    was: ast.AST = old[index]
    old[index] = new
    return was


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:60]} … {text[-35:]}"
