"""Shared by the tests of manifests: a small reader of rows, and stacks written to a folder."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.known_files import KnownFiles
from batchctl.manifests.load import Asked, load
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.seen_files import SeenFiles
from batchctl.manifests.trust import Trust
from batchctl.model.canonical import RowsHasher
from batchctl.model.chain import Obstacle
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import ManifestError, RowsError
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.locations import Diagnostic, RowProblem
from batchctl.model.ports.row_reader import MadeRows, OutputLimit, RowReader, RowRules, RowsForm, RowsOrder, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.model.sources import RequestRow
from batchctl.rows.reader import RowFiles

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EXAMPLES = REPOSITORY / "specs" / "examples"


class PlainRows:
    """A minimal implementation of the row reader for these tests."""

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        if not isinstance(value, dict) or not isinstance(value.get("key"), str):
            raise ValueError("the row has no key")  # noqa: TRY004 - the port asks for it
        if "text" in value:
            part = {"parts": [{"text": value["text"]}]}
            request = (
                {"content": part} if kind is Kind.EMBEDDINGS_BATCH_JOB else {"contents": [{"role": "user", **part}]}
            )
            return RequestRow(value["key"], request)
        if not isinstance(value.get("request"), dict):
            raise ValueError("the row has neither text nor request")  # noqa: TRY004 - the port asks for it
        return RequestRow(value["key"], value["request"])

    def form(self, rows: Sequence[Json], kind: Kind) -> RowsForm | None:
        return RowFiles().form(rows, kind)

    def make(self, results: Path, order: RowsOrder, *, afresh: bool = False) -> MadeRows | Obstacle | None:
        return RowFiles().make(results, order, afresh=afresh)

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        return RowFiles().check(rows, kind, rules)

    def output_limit(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> OutputLimit:
        return RowFiles().output_limit(rows, kind, rules)

    def fingerprint(self, path: Path, kind: Kind, line_bytes: int = 0, rules: RowRules | None = None) -> RowsSummary:
        hasher, rows, problems, members = RowsHasher(), 0, [], Counter()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = self.parse(json.loads(line), kind)
                hasher.add(row)
                members.update(row.request.keys())
                rows += 1
            except ValueError as error:
                problems.append(RowProblem(number, str(error)))
        if problems:
            raise RowsError(problems)
        return RowsSummary(hasher.hexdigest(), rows, members)


STACK = """\
apiVersion: batchctl.dev/v1
kind: Stack
metadata: {name: shop, uid: k3v9q2}
spec:
  providers: {gemini: {type: gemini}}
"""
JOB = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: classify}
spec:
  model: gemini-2.5-flash
  src: [{key: a, text: hello}]
"""


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


def load_in(
    folder: Path,
    *filenames: str,
    set_values: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    trust: Trust | None = None,
    state: str | None = None,
    target: str | None = None,
    rows: RowReader | None = None,
    faults: Faults | None = None,
    known: KnownFiles | None = None,
    seen: SeenFiles | None = None,
) -> DesiredStack:
    return load(
        folder / "batchctl.yaml",
        Asked(filenames, None if stdin is None else io.BytesIO(stdin), known, seen),
        overrides=Overrides(set_values, state, target),
        env=env or {},
        rows=rows or PlainRows(),
        trust=trust or Trust(),
        faults=faults,
    )


def faults_in(folder: Path, *filenames: str, **options: object) -> list[Diagnostic]:
    """The errors of an invalid stack; each file by its path inside the folder."""
    try:
        load_in(folder, *filenames, **options)
    except ManifestError as error:
        return list(error.diagnostics)
    raise AssertionError("the stack has no faults")


def lines(folder: Path, *filenames: str, **options: object) -> list[str]:
    """The errors as text, without the folder's own path."""
    return [str(fault).replace(f"{folder}/", "") for fault in faults_in(folder, *filenames, **options)]


def with_spec(spec: str, kind: str = "BatchJob", name: str = "classify") -> str:
    """A manifest with the given lines in its spec (dedented); `model` and `src` unless they are given."""
    text = dedent(spec).rstrip("\n") + "\n"
    given = {line.split(":")[0] for line in text.splitlines()}
    text += "" if "model" in given else "model: gemini-2.5-flash\n"
    text += "" if "src" in given else "src: [{key: a, text: hello}]\n"
    body = "".join(f"  {line}\n" for line in text.splitlines() if line)
    return f"apiVersion: batchctl.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{body}"


def with_stack(spec: str) -> str:
    """A stack file with the given lines in its spec (dedented); one Gemini provider unless some are given."""
    text = dedent(spec).rstrip("\n") + "\n"
    text += "" if "providers:" in text else "providers: {gemini: {type: gemini}}\n"
    body = "".join(f"  {line}\n" for line in text.splitlines() if line)
    return f"apiVersion: batchctl.dev/v1\nkind: Stack\nmetadata: {{name: shop, uid: k3v9q2}}\nspec:\n{body}"


def the_job(folder: Path, job: str, stack: str = STACK, **options: object) -> DesiredJob:
    """The one job of a stack that is written to the folder."""
    write(folder, {"batchctl.yaml": stack, "job.yaml": job})
    (found,) = load_in(folder, **options).jobs
    return found
