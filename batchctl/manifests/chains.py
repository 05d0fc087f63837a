"""Reads `src: {fromJob: NAME, template: …}`: rows made from the good answers of another job.

The template is checked at once, with an example of an answer. The rows exist only after the other job has results; what
is wrong with them then concerns this job alone, and is no error in its manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Members, Node, find, key_place, value_of
from batchctl.manifests.purpose import Purpose
from batchctl.manifests.request_defaults import CODES, tell
from batchctl.manifests.template_reader import TemplateReader
from batchctl.model.chain import Chain, Obstacle
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import OnChange
from batchctl.model.locations import Location
from batchctl.model.ports.row_reader import MadeRows, RowReader, RowsOrder
from batchctl.model.quoting import shown
from batchctl.model.request.problems import Problem
from batchctl.model.row_template import Answer, Field, Lookup, Placeholder, RowTemplate
from batchctl.model.sources import AwaitedRows, ChainedFile, LocalFile
from batchctl.model.stack import SharedPlace

ReadFile: TypeAlias = Callable[[Path, Location, Purpose, Faults], LocalFile | None]
"""Reads a file of rows: its path, its place in the manifest, its job, and where its errors go."""

_JSON_EXAMPLES: tuple[Json, ...] = ("example", 1, True, ["example"], {"example": "example"})
_EXAMPLE = Answer("example", "Example answer.")


class ChainReader(Struct, frozen=True):
    """Reads the chains of one stack."""

    rows: RowReader
    results: Path | SharedPlace
    templates: TemplateReader
    faults: Faults
    line_bytes: int
    jobs: Mapping[str, DesiredJob]
    """The jobs that are read already. Each job is read after the one whose answers it needs."""

    def read(self, src: Members, purpose: Purpose, read_file: ReadFile) -> ChainedFile | AwaitedRows | None:
        """The rows, or None after an error in the manifest."""
        node = find(src, "template")
        assert isinstance(node, Members), "the schema requires it"
        template = self.templates.read(node)
        upstream = self.jobs.get(value_of(src, "fromJob"))
        if template is None or not (self._fits(src, upstream) & self._has_no_key(node)):
            return None
        if not self._check(template, node, purpose):
            return None
        chain = Chain(value_of(src, "fromJob"), template.sha256)
        if upstream is None:
            return AwaitedRows(chain)
        order = RowsOrder(
            purpose.job,
            upstream.name,
            None if upstream.lifecycle.on_change is OnChange.KEEP else upstream.digest,
            upstream.row_settings.accept,
            template,
            purpose.rows,
            purpose.rules,
            self.line_bytes,
        )
        return self._made(chain, order, key_place(src, "fromJob"), purpose, read_file)

    def _fits(self, src: Members, upstream: DesiredJob | None) -> bool:
        """Whether the other job gives answers with text."""
        if upstream is None or upstream.row_kind is not Kind.EMBEDDINGS_BATCH_JOB:
            return True
        message = f'"fromJob" names {shown(upstream.name)}, which makes embeddings, and they have no text'
        place = src.entries["fromJob"].node.location
        self.faults.add(place, Code.INVALID_VALUE, message, "name a job that generates text")
        return False

    def _has_no_key(self, template: Members) -> bool:
        if "key" not in template.entries:
            return True
        hint = "each row has the key of the row whose answer it is made from"
        self.faults.add(key_place(template, "key"), Code.INVALID_VALUE, 'a template cannot have a "key"', hint)
        return False

    def _check(self, template: RowTemplate, node: Members, purpose: Purpose) -> bool:
        """Whether the API accepts the request that the template makes of an example.

        The type of a JSON value is not known, so what is wrong with values of one type only is no error.
        """
        examples = _JSON_EXAMPLES if template.has_json_values else _JSON_EXAMPLES[:1]
        found = [self._problems(template, example, purpose) for example in examples]
        words = [{_words(one) for one in problems if _is_error(one)} for problems in found]
        common = set.intersection(*words)
        for problem in found[0]:
            if not _is_error(problem) or _words(problem) in common:
                self._tell(problem, node)
        return not common

    def _problems(self, template: RowTemplate, example: Json, purpose: Purpose) -> list[Problem | str]:
        try:
            row = self.rows.parse({"key": _EXAMPLE.key, **template.fill(_lookup(example))}, purpose.rows)
        except ValueError as error:
            return [str(error)]
        return [problem for _, problem in self.rows.check([row], purpose.rows, purpose.rules)]

    def _tell(self, problem: Problem | str, node: Node) -> None:
        if isinstance(problem, str):
            self.faults.add(node.location, Code.INVALID_ROW, problem, "a template is a row without its key")
        else:
            tell(problem, find(node, "request") or node, self.faults)

    def _made(
        self, chain: Chain, order: RowsOrder, place: Location, purpose: Purpose, read_file: ReadFile
    ) -> ChainedFile | AwaitedRows:
        """The rows as a file. One that is damaged is made again."""
        problem = ""
        for afresh in (False, True):
            made = self.rows.make(self.results, order, afresh=afresh)
            if not isinstance(made, MadeRows):
                return AwaitedRows(chain, made)
            faults = Faults()
            file = read_file(made.path, place, purpose, faults)
            if file is not None and file.sha256 == made.sha256:
                self._pass_on(faults, place)
                return _chained(file, chain, made)
            problem = _first_error(faults)
        return AwaitedRows(chain, Obstacle(f"the rows cannot be read back: {problem}", is_lasting=False))

    def _pass_on(self, faults: Faults, place: Location) -> None:
        """Warn of what concerns the whole input. What concerns the request was found with the example."""
        for warning in faults.warnings:
            if warning.location == place:
                self.faults.warn(place, CODES[warning.code], warning.message, warning.hint)


def _lookup(json_value: Json) -> Lookup:
    """The values of the example; the one of JSON placeholders is given."""

    def value_of(placeholder: Placeholder) -> Json:
        return json_value if placeholder.field is Field.JSON else _EXAMPLE.value_of(placeholder)

    return value_of


def _is_error(problem: Problem | str) -> bool:
    return isinstance(problem, str) or not problem.is_warning


def _words(problem: Problem | str) -> tuple[object, ...]:
    """A value that is the same for the same problem of two examples."""
    return (problem,) if isinstance(problem, str) else (problem.path, problem.message)


def _chained(file: LocalFile, chain: Chain, made: MadeRows) -> ChainedFile:
    facts = (file.path, file.sha256, file.rows, file.size, file.row_hashes, file.output_tokens)
    return ChainedFile(*facts, chain=chain, count=made.count)


def _first_error(faults: Faults) -> str:
    try:
        faults.raise_if_any()
    except ManifestError as error:
        return error.diagnostics[0].message
    return "they are not the ones that were made"
