"""Expands `spec.matrix`: one manifest becomes one for each combination of axis values.

It works on the tree of a document, before variables are replaced and jobs are built: the job of a combination is
exactly the one of the same manifest written out by hand. An expansion depends on the document and on the values of the
stack's variables, and on nothing else.
"""

from __future__ import annotations

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.merge import without_nulls
from batchctl.manifests.nodes import Node, Scalar, find, size
from batchctl.manifests.references import Replacer
from batchctl.model.desired import Expansion

MOST_VALUES = 2_000_000
MOST_CHARACTERS = 128 * 1024 * 1024
"""Limits for the documents of all matrices of a stack together: a small file can ask for a large tree often."""


class Expanded(Struct, frozen=True):
    """One document of a matrix."""

    root: Node
    expansion: Expansion | None = None
    """None for a document without a matrix."""
    jobs: int = 1
    """All of the matrix."""


class MatrixReader:
    """Expands the documents of one stack."""

    def __init__(self, replacer: Replacer, faults: Faults) -> None:
        self._replacer = replacer
        self._faults = faults
        self.values = 0
        """Of the jobs of all matrices so far."""
        self.characters = 0
        """Of these values."""

    def expanded(self, root: Node) -> list[Expanded]:
        """The documents of a matrix; the value itself without one. Errors go to the faults."""
        node = find(root, "spec", "matrix")
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return [Expanded(root)]
        from batchctl.manifests.matrix_jobs import cells_of, documents_of, without_matrix

        matrix = without_nulls(self._replacer.replaced(node))
        cells, plain = cells_of(matrix, self._faults), without_matrix(root)
        return documents_of(plain, cells, self._faults) if cells and self._counts(plain, len(cells), matrix) else []

    @staticmethod
    def allows(values: int, characters: int) -> bool:
        """Whether the jobs of all matrices together may have as many values and characters."""
        return values <= MOST_VALUES and characters <= MOST_CHARACTERS

    def _counts(self, root: Node, jobs: int, matrix: Node) -> bool:
        values, characters = size(root)
        self.values += values * jobs
        self.characters += characters * jobs
        if self.allows(self.values, self.characters):
            return True
        message = f"the jobs of all matrices have more than {MOST_VALUES:,} values together, or too much text"
        self._faults.add(matrix.location, Code.TOO_LARGE, message, "put rows into a JSONL file: src: {file: PATH}")
        return False
