"""The source of a job of a known form whose rows are not in its manifest: it is read as that of any other job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.destinations import read_dest
from batchctl.manifests.digest import source_tree
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.input_limits import input_bytes
from batchctl.manifests.nodes import Members, Node, Scalar, changed, find, value_of
from batchctl.manifests.purpose import Purpose
from batchctl.manifests.schema_decision import Decision, Schema, decision_at
from batchctl.manifests.sources import SourceReader
from batchctl.manifests.stack import StackReading
from batchctl.model.desired import DesiredJob
from batchctl.model.digests import digest_of
from batchctl.model.request.problems import Path as ValuePath
from batchctl.model.slim_tree import PART, SlimTree, encode_part
from batchctl.model.sources import InlineRows, LocalFile, RemoteSource, Source, UnknownSource

_FIELDS = ("src", "dest")


class SourceTexts(Struct, frozen=True, eq=False):
    """The source of a job, and the place of its results, as a template."""

    spec: Members
    """The manifest's own `src` and `dest`."""
    decisions: tuple[tuple[str, Decision], ...]
    gaps: tuple[tuple[tuple[str, ...], int], ...]
    """The places of texts below `spec`, each with its gap."""
    tree: SlimTree
    """The content of the digest."""
    purpose: Purpose
    sources: SourceReader

    def changes(self, job: DesiredJob, texts: Sequence[str], folder: Path) -> Mapping[str, Any] | None:
        """The fields that differ from the template; None if there is anything to report."""
        spec: Node = self.spec
        for path, gap in self.gaps:
            spec = changed(spec, path, partial(_with_text, texts[gap]))
        fields = {name: node for name in _FIELDS if (node := find(spec, name)) is not None}
        if not all(decide(fields[name]) for name, decide in self.decisions):
            return None
        faults = Faults()
        source = replace(self.sources, faults=faults).read(fields["src"], folder, self.purpose)
        dest = read_dest(spec, self.purpose.config, faults) if "dest" in fields else job.dest
        if source is None or faults.any() or faults.warnings or _kind(source) != _kind(job.source):
            return None
        part = encode_part(source_tree(source))
        tree = self.tree.with_part(part)
        if dest != job.dest:
            tree = SlimTree({**self.tree, PART: None, "dest": dest}, part)
        return {
            "source": source,
            "dest": dest,
            "tree": tree,
            "digest": digest_of(dict(tree)),
            "input_bytes": input_bytes(source, job.request),
            "row_hashes": source.row_hashes if isinstance(source, LocalFile) else None,
        }


def _with_text(text: str, node: Node) -> Node:
    return Scalar(node.location, text, text)


def _kind(source: Source) -> tuple[type[Source], bool]:
    """The facts that checks of other fields may depend on."""
    return type(source), isinstance(source, RemoteSource) and source.is_divisible


def written_source(root: Node, job: DesiredJob) -> Members | None:
    """The `src` and `dest` in the manifest itself, as a part of its spec; None if its rows are there, or unknown."""
    spec = find(root, "spec")
    if isinstance(job.source, InlineRows | UnknownSource):
        return None
    assert isinstance(spec, Members), "it has a source"
    given = {name: spec.entries[name] for name in _FIELDS if value_of(spec, name) is not None}
    return Members(spec.location, given)


def source_gaps(gaps: Sequence[ValuePath]) -> list[ValuePath]:
    """Those of the gaps of a manifest that are in its `src` and `dest`; not those in lists."""
    return [path for path in gaps if path[0] == "spec" and path[1] in _FIELDS and int not in map(type, path)]


def source_texts(
    spec: Members,
    job: DesiredJob,
    numbers: Mapping[ValuePath, int],
    schema: Schema,
    reading: StackReading,
    sources: SourceReader,
) -> SourceTexts:
    """The template of a job's source, see `written_source`. `numbers` are those of the gaps of the manifest."""
    assert isinstance(job.tree, SlimTree), "it has a source"
    config = reading.provider_of(job.provider)
    return SourceTexts(
        spec,
        tuple((name, decision_at(schema, ("spec", name))) for name in spec.entries),
        tuple((tuple(map(str, path[1:])), numbers[path]) for path in source_gaps(list(numbers))),
        job.tree,
        Purpose(job.name, config, job.model, job.row_kind, job.request),
        sources,
    )
