"""The names and labels of all manifests, sound or not, without reading their rows: for completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.lists import listed
from batchctl.manifests.load import Asked, files_of
from batchctl.manifests.matrix import MatrixReader
from batchctl.manifests.nodes import find, value_of
from batchctl.manifests.references import Replacer
from batchctl.manifests.stack import StackReading
from batchctl.manifests.trust import Trust

LARGEST_FILE = 1 << 20
"""Bytes of a file that is read for its names. Larger ones have many rows, and take seconds."""


def names_and_labels(
    reading: StackReading, filenames: Sequence[str], trust: Trust
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The name and the labels of each manifest that has a name, below the stack's paths and `filenames`.

    Raises ManifestError if there are too many errors.
    """
    faults = Faults()
    replacer = Replacer(reading.variables, faults)
    matrices = MatrixReader(replacer, faults)
    for file in files_of(reading, Asked(filenames), trust, faults):
        roots = () if len(file.data) > LARGEST_FILE else compose(file.data, file.shown, faults)
        for root in (
            job.root for document in roots for one in listed(document, faults) for job in matrices.expanded(one)
        ):
            metadata = find(root, "metadata")
            if metadata is None:
                continue
            found = replacer.replaced(metadata)
            name, labels = value_of(found, "name"), value_of(found, "labels")
            if isinstance(name, str):
                yield name, {key: str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
