"""The documents of one matrix: which there are, their names, and their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache

from msgspec.structs import replace

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import LONGEST_LIST, Faults, did_you_mean
from batchctl.manifests.matrix import Expanded
from batchctl.manifests.matrix_cells import Cell, CellReader, name_part, text_of
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar, changed, find
from batchctl.manifests.schema import read_schema
from batchctl.manifests.schema_check import Checker
from batchctl.model.desired import Expansion
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut, shown

LONGEST_NAME = 40
_REFERENCE = Pattern(r"\$\$\{|\$\{matrix\.([^}]*)(\}?)")
"""A reference `${matrix.name}`, or an escaped `${`, which is read later."""


def cells_of(matrix: Node, faults: Faults) -> list[Cell]:
    """The combinations of a matrix; none after an error."""
    if not _checker().check(Members(matrix.location, {"matrix": Member(matrix.location, matrix)}), faults):
        return []
    assert isinstance(matrix, Members), "the schema requires it"
    return CellReader(matrix, faults).cells()


def without_matrix(root: Node) -> Node:
    """A document without its matrix."""
    return changed(root, ("spec",), _without_matrix)


def documents_of(plain: Node, cells: list[Cell], faults: Faults) -> list[Expanded]:
    """The documents of these combinations, given the one without its matrix."""
    names = _Names(plain, faults)
    named = names.of(cells)
    known = frozenset(name for cell in cells for name in cell.values)
    documents = [_Values(cell, known, faults).put_into(_with_name(plain, name)) for cell, name in named]
    base = find(plain, "metadata", "name")
    text = base.text if isinstance(base, Scalar) else ""
    return [
        Expanded(
            document,
            Expansion(
                text,
                {key: _plain(one) for key, one in cell.axes.items()},
                plain.location.line,
                names.siblings(cell),
            ),
            len(named),
        )
        for document, (cell, _) in zip(documents, named, strict=True)
    ]


@cache
def _checker() -> Checker:
    """Checks a mapping with the one member `matrix`."""
    definitions = read_schema("batchjob")["definitions"]
    properties = {"matrix": {"$ref": "#/definitions/matrix"}}
    return Checker({"type": "object", "properties": properties, "definitions": definitions})


def _without_matrix(spec: Node) -> Node:
    assert isinstance(spec, Members), "it has a matrix"
    return Members(spec.location, {key: member for key, member in spec.entries.items() if key != "matrix"})


def _with_name(root: Node, name: str | None) -> Node:
    if name is None:
        return root
    return changed(root, ("metadata", "name"), lambda node: Scalar(node.location, name, name))


def _plain(node: Scalar) -> bool | int | float | str:
    assert node.value is not None, "the schema allows no null"
    return node.value


class _Names:
    """Makes the names of jobs from axis values, never from positions: a value that is added renames no other job."""

    def __init__(self, root: Node, faults: Faults) -> None:
        node = find(root, "metadata", "name")
        self._node = node if isinstance(node, Scalar) and isinstance(node.value, str) else None
        self._faults = faults

    def of(self, cells: list[Cell]) -> list[tuple[Cell, str | None]]:
        """The cells with their names; without those whose name is an error."""
        if self._node is None:
            return [(cell, None) for cell in cells]  # the schema check reports the name
        named: dict[str, Cell] = {}
        too_long: list[str] = []
        for cell in cells:
            name = self._name(self._node, cell)
            if name is None:
                continue
            if len(name) > LONGEST_NAME and "${" not in name:
                too_long.append(name)
                continue
            first = named.setdefault(name, cell)
            if first is not cell:
                one, other = _difference(first, cell)
                message = f"two jobs of the matrix have the name {shown(name)}: {first} and {cell}"
                self._faults.add(other.location, Code.DUPLICATE_NAME, message, f"first at {one.location}")
        if too_long:
            message = (
                f"names of jobs are longer than {LONGEST_NAME} characters: {cut(', '.join(too_long), LONGEST_LIST)}"
            )
            hint = "shorten metadata.name or values, or write the name with references such as ${matrix.NAME}"
            self._faults.add(self._node.location, Code.INVALID_VALUE, message, hint)
        return [(cell, name) for name, cell in named.items()]

    def _name(self, node: Scalar, cell: Cell) -> str | None:
        empty = [value for value in cell.axes.values() if not name_part(value)]
        for value in empty:
            message = f"the axis value {shown(text_of(value))} has no letter or digit for a name"
            self._faults.add(value.location, Code.INVALID_VALUE, message, "names have only a-z, 0-9 and dashes")
        if empty:
            return None
        return self._text(node, cell, {key: name_part(value) for key, value in cell.values.items()}, self._faults)

    def siblings(self, cell: Cell) -> tuple[str, ...]:
        """See `Expansion.siblings`. An axis that is not in the name has none."""
        if self._node is None:
            return ()
        parts = {key: name_part(value) for key, value in cell.values.items()}
        quiet = Faults()
        found = (self._text(self._node, cell, {**parts, axis: "*"}, quiet) for axis in cell.axes)
        return tuple(name for name in found if name.count("*") == 1)

    @staticmethod
    def _text(node: Scalar, cell: Cell, parts: Mapping[str, str], faults: Faults) -> str:
        """The name with these parts: in place of its references, or else at its end."""
        own = {key: replace(value, value=parts[key]) for key, value in cell.values.items()}
        text = str(node.value)
        name = _Values(Cell(own, {}), own.keys(), faults).text(text, node)
        return "-".join([text, *(parts[axis] for axis in cell.axes)]) if name == text else name


def _difference(one: Cell, other: Cell) -> tuple[Scalar, Scalar]:
    """The places of the first axis value in which two cells differ; of the last one if they are equal."""
    pairs = list(zip(one.axes.values(), other.axes.values(), strict=True))
    return next((pair for pair in pairs if pair[0].location != pair[1].location), pairs[-1])


class _Values:
    """Puts the values of one cell into a tree."""

    def __init__(self, cell: Cell, names: Collection[str], faults: Faults) -> None:
        """`names` are those that any cell of the matrix has a value for."""
        self._cell = cell
        self._names = names
        self._known: Mapping[str, Scalar] = cell.values
        self._faults = faults

    def put_into(self, node: Node) -> Node:
        """The tree with the references to the matrix replaced; those to variables stay."""
        if isinstance(node, Items):
            values = tuple(self.put_into(item) for item in node.values)
            same = all(new is old for new, old in zip(values, node.values, strict=True))
            return node if same else Items(node.location, values)
        if isinstance(node, Members):
            changes = {
                key: Member(member.key_location, value)
                for key, member in node.entries.items()
                if (value := self.put_into(member.node)) is not member.node
            }
            return Members(node.location, {**node.entries, **changes}) if changes else node
        if isinstance(node.value, str) and "${matrix." in node.value:
            return self._scalar(node, node.value)
        return node

    def _scalar(self, node: Scalar, text: str) -> Scalar:
        whole = _REFERENCE.fullmatch(text)
        if whole is not None and whole[1] is not None and whole[1] in self._known and whole[2]:
            found = self._known[whole[1]]
            value = _escaped(found.value) if isinstance(found.value, str) else found.value
            return Scalar(node.location, value, text_of(found))
        return replace(node, value=self.text(text, node))

    def text(self, text: str, node: Scalar) -> str:
        """A text with the references replaced."""

        def replacement(match: re.Match[str]) -> str:
            return match[0] if match[1] is None else self._value(match, node)

        return _REFERENCE.sub(replacement, text)

    def _value(self, match: re.Match[str], node: Scalar) -> str:
        name = match[1]
        if not match[2]:
            hint = "write $${ for a plain ${"
            self._faults.add(node.location, Code.INVALID_VALUE, "a ${matrix.…} reference is not closed", hint)
        elif name not in self._known:
            message, hint = f"the matrix has no axis {shown(name)}", did_you_mean(name, self._names)
            if name in self._names:
                message = f"the matrix has no value {shown(name)} for the job with {self._cell}"
                hint = "give it one in include: an entry without axis values is for all jobs"
            self._faults.add(node.location, Code.UNKNOWN_VARIABLE, message, hint)
        else:
            return _escaped(text_of(self._known[name]))
        # Never used, but lets the checks find more errors.
        return _escaped(match[0])


def _escaped(text: str) -> str:
    """A value whose `${` stay texts when variables are replaced."""
    return text.replace("${", "$${")
