"""Files of one form are read once: the manifests that one program writes differ in little but their texts.

A form is learned from a file that was read and checked in full, has one manifest, and resembles earlier files. It is
the file with gaps where other texts change nothing but the texts of the job. A file that equals it, character by
character but for the gaps, has the same verdict. All other files are read one by one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.manifests.builder import Document
from batchctl.manifests.known_files import KnownFile, KnownManifest, Sizes
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.nodes import Node, Scalar, changed, plain
from batchctl.manifests.sources import SourceReader
from batchctl.manifests.stack import StackReading
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern

if TYPE_CHECKING:  # loaded when the first form is learned: small stacks have none
    from batchctl.manifests.gapped_text import GappedText
    from batchctl.manifests.job_form import JobForm

LEAST_ALIKE = 4
"""Files that resemble each other before a form is learned from them: for fewer ones it takes longer than it saves."""
LONGEST = 2**16
"""Bytes of a file that has a form. Longer ones are mostly rows, and belong in a file of rows."""
MOST_FORMS = 64
_VARIED = (
    ("metadata", "name"),
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("spec", "displayName"),
    ("spec", "src"),
    ("spec", "dest"),
)
"""The fields that are not compared to see whether two manifests may have one form: no other text has a gap."""
_ODD = Pattern("[\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters beyond ASCII that end a line or are not allowed. No pattern of a gap excludes them."""
_REWRITTEN = Pattern(r"\r(?!\n)|\\u[dD][89abAB]")
"""Line ends that only YAML counts, and escapes that `compose` writes in another way."""


class FileForm(Struct, frozen=True, eq=False):
    """A form of files."""

    text: GappedText
    job: JobForm
    line: int
    column: int
    """Where the manifest begins."""
    name_begin: int
    """The characters of the name's scalar before its text, such as a quote."""
    sizes: Sizes

    def read(self, file: ManifestFile, text: str) -> KnownFile | None:
        """The result of a file of this form; None if it has another form, or has to be read as any other."""
        found = self.text.find(text)
        if found is None:
            return None
        job = self.job.job_with(found[0], file, Location(file.shown, self.line, self.column))
        if job is None:
            return None
        at = found[1] - self.name_begin
        place = Location(file.shown, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        return KnownFile((KnownManifest(job.name, place, job, ()),), (), self.sizes)


class FileForms:
    """The forms of the files of one stack."""

    def __init__(self, reading: StackReading, sources: SourceReader) -> None:
        self._reading = reading
        self._sources = sources
        self._forms: list[FileForm] = []
        self._met: Counter[int] = Counter()
        """How many manifests had to be read, by what files of one form have in common."""

    def find(self, file: ManifestFile) -> KnownFile | None:
        """The result of a file of a known form; None: it has to be read."""
        text = _text(file) if self._forms else None
        if text is None:
            return None
        for place, form in enumerate(self._forms):
            found = form.read(file, text)
            if found is not None:
                if place:
                    self._forms.insert(0, self._forms.pop(place))
                return found
        return None

    def learn(self, file: ManifestFile, document: Document, known: KnownFile) -> None:
        """Learn the form of a file with one manifest, unless no other file has it or it was not of use before.

        The file gives `known`.
        """
        text = _text(file)
        if text is None or known.warnings or not self._is_worth_it(document.root):
            return
        form = None if _is_rewritten(text) else self._form(text, document, known)
        # Whatever a form does not know about a manifest shows here at the latest.
        if form is not None and form.read(file, text) == known:
            self._forms = [form, *self._forms[: MOST_FORMS - 1]]

    def _is_worth_it(self, root: Node) -> bool:
        """Whether it is the first manifest after enough of its kind, or after twice as many, and so on."""
        for path in _VARIED:
            root = changed(root, path, lambda node: Scalar(node.location, None, ""))
        common = hash(repr(plain(root)))
        self._met[common] += 1
        times = self._met[common]
        return times >= LEAST_ALIKE and times & (times - 1) == 0

    def _form(self, text: str, document: Document, known: KnownFile) -> FileForm | None:
        from batchctl.manifests.gapped_text import GappedText
        from batchctl.manifests.job_form import job_form
        from batchctl.manifests.text_gaps import text_gaps

        (manifest,) = known.manifests
        if manifest.needs or manifest.job.expansion is not None:
            return None
        gaps = {gap.path: gap for gap in text_gaps(text, document.root, _VARIED)}
        job = job_form(
            document.root, manifest.job, {path: gap.read for path, gap in gaps.items()}, self._reading, self._sources
        )
        if job is None:
            return None
        used = [gaps[path] for path in job.paths]
        name = used[job.name]
        return FileForm(
            GappedText(text, used, job.name),
            job,
            document.root.location.line,
            document.root.location.column,
            name.start - name.before,
            known.sizes,
        )


def _text(file: ManifestFile) -> str | None:
    """The text of a file that may have a form."""
    if len(file.data) > LONGEST:
        return None
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isascii() or not _ODD.search(text) else None


def _is_rewritten(text: str) -> bool:
    return ("\r" in text or "\\u" in text) and _REWRITTEN.search(text) is not None
