"""The rows in a manifest of a known form: texts are put into the template of another manifest's rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from batchctl.manifests.input_limits import limits_of
from batchctl.manifests.nodes import Items, Node, find, plain, step_into
from batchctl.manifests.stack import StackReading
from batchctl.model.canonical import canonical_json
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.keys import DIGEST_SCHEME
from batchctl.model.ports.row_reader import RowReader, RowsForm
from batchctl.model.request.problems import Path
from batchctl.model.slim_tree import PART, SlimTree, encode_part
from batchctl.model.sources import InlineRows

_PLACES = (("spec", "src"), ("spec", "src", "inlinedRequests"))


class WrittenRows(Struct, frozen=True):
    """Rows in a manifest."""

    place: Path
    node: Items
    form: RowsForm

    @property
    def gaps(self) -> list[Path]:
        """The places of their texts in the manifest."""
        return [(*self.place, *gap) for gap in self.form.gaps]


def written_rows(root: Node, job: DesiredJob, rows: RowReader) -> WrittenRows | None:
    """The rows that are in the manifest itself; None if there are none or they have no form."""
    for place in _PLACES:
        node = find(root, *place)
        if isinstance(node, Items) and isinstance(job.source, InlineRows):
            form = rows.form(plain(node), job.row_kind)
            return None if form is None else WrittenRows(place, node, form)
    return None


class RowTexts(Struct, frozen=True, eq=False):
    """The rows of a job as a template."""

    form: RowsForm
    others: tuple[str, ...]
    """Texts of the form's gaps that are the same in all manifests."""
    order: tuple[int, ...]
    """The places of the form's texts among those of the manifest and these."""
    other_bytes: int
    """The bytes of the rows without the texts that are in requests."""
    most_bytes: int | None
    """See `ApiLimits.inline_bytes`."""
    tree: SlimTree
    """The content of the digest."""
    part: tuple[bytes, bytes]
    """The part of it for the rows, before and after their hash."""
    whole: tuple[bytes, bytes]
    """Its canonical JSON, likewise."""

    def changes(self, job: DesiredJob, texts: Sequence[str]) -> Mapping[str, Any] | None:
        """The fields that differ from the template; None if the rows have to be read one by one."""
        given = [*texts, *self.others]
        found = self.form.fill([given[place] for place in self.order])
        if found is None:
            return None
        size = self.other_bytes + found.text_bytes
        if self.most_bytes is not None and size > self.most_bytes:
            return None
        sha256 = found.sha256.encode()
        digest = hashlib.sha256(sha256.join(self.whole)).hexdigest()
        return {
            "source": InlineRows(found.rows, output_tokens=job.output_tokens),
            "tree": self.tree.with_part(sha256.join(self.part)),
            "digest": DIGEST_SCHEME + digest,
            "input_bytes": size,
            "row_hashes": found.row_hashes,
        }


def row_texts(rows: WrittenRows, job: DesiredJob, numbers: Mapping[Path, int], reading: StackReading) -> RowTexts:
    """The template of a job's rows. `numbers` are those of the gaps of the manifest."""
    written = [str(plain(step_into(rows.node, gap))) for gap in rows.form.gaps]
    filled = rows.form.fill(written)
    given = dict(numbers)
    others = []
    for place, text in zip(rows.gaps, written, strict=True):
        if place not in numbers:
            given[place] = len(given)
            others.append(text)
    assert isinstance(job.tree, SlimTree), "it has rows"
    source: Mapping[str, Json] = job.tree[PART]
    sha256 = str(source["sha256"]).encode()
    config = reading.provider_of(job.provider)
    return RowTexts(
        form=rows.form,
        others=tuple(others),
        order=tuple(given[place] for place in rows.gaps),
        other_bytes=(job.input_bytes or 0) - (0 if filled is None else filled.text_bytes),
        most_bytes=None if config is None else limits_of(config).inline_bytes,
        tree=job.tree,
        part=_around(sha256, encode_part(source)),
        whole=_around(sha256, canonical_json(dict(job.tree))),
    )


def _around(sha256: bytes, text: bytes) -> tuple[bytes, bytes]:
    before, _, after = text.rpartition(sha256)
    return before, after
