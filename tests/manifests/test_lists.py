"""`kind: List`: several manifests in one document."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.manifest_files import JOB, STACK, lines, load_in, write

HEAD = "apiVersion: batchctl.dev/v1\nkind: List\n"
ITEM = "  - apiVersion: batchctl.dev/v1\n    kind: BatchJob\n    metadata: {name: NAME}\n    spec: {model: m, src: [{key: a, text: hello}]}\n"


def items(*names: str) -> str:
    return HEAD + "items:\n" + "".join(ITEM.replace("NAME", name) for name in names)


def test_each_item_counts_like_a_document_of_its_own(tmp_path: Path) -> None:
    text = f"{JOB}---\n{items('b', 'a')}---\n{HEAD}metadata: {{resourceVersion: ''}}\nitems: []\n"
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": text})
    found = {job.name: (job.path, job.location.line, job.location.column) for job in load_in(tmp_path).jobs}
    assert found == {
        "classify": ("jobs.yaml", 1, 1),
        "b": ("jobs.yaml", 11, 5),
        "a": ("jobs.yaml", 15, 5),
    }


def test_an_item_has_the_digest_of_the_same_document(tmp_path: Path) -> None:
    alone = "apiVersion: batchctl.dev/v1\nkind: BatchJob\nmetadata: {name: a}\nspec: {model: m, src: [{key: a, text: hello}]}\n"
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": items("a")})
    (item,) = load_in(tmp_path).jobs
    write(tmp_path, {"jobs.yaml": alone})
    (document,) = load_in(tmp_path).jobs
    assert item.digest == document.digest


def test_standard_input_may_be_a_list(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": items("a", "b")})
    found = load_in(tmp_path, "-", stdin=items("b", "c").encode()).jobs
    assert [(job.name, job.path) for job in found] == [("a", "jobs.yaml"), ("b", "-"), ("c", "-")]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (items("a", "a"), ['jobs.yaml:10:22: DuplicateName the name "a" is taken (first at jobs.yaml:6:22)']),
        (
            f"{items('a')}  - {{kind: List, items: [5]}}\n  -\n",
            [
                "jobs.yaml:8:12: UnknownKind a list cannot be inside a list (move its items into the outer list)",
                "jobs.yaml:9:4: WrongType a manifest is a mapping (apiVersion, kind, metadata and spec)",
            ],
        ),
        (
            items("a").replace("model: m", "modle: m"),
            [
                'jobs.yaml:7:12: UnknownField there is no field "modle" in "spec" (did you mean model?)',
            ],
        ),
        (
            f"{HEAD}item: []\n",
            [
                'jobs.yaml:3:1: UnknownField there is no field "item" here (did you mean items?)',
            ],
        ),
        (HEAD, ['jobs.yaml:1:1: MissingField the field "items" is missing (The manifests)']),
        (
            "apiVersion: v1\nkind: List\nitems: {}\n",
            [
                'jobs.yaml:1:13: InvalidValue "apiVersion" must be batchctl.dev/v1, not "v1"',
                'jobs.yaml:3:8: WrongType "items" must be a list, not a mapping',
            ],
        ),
        (
            JOB.replace("BatchJob", "Lists"),
            ['jobs.yaml:2:7: UnknownKind there is no kind "Lists" (did you mean List?)'],
        ),
    ],
)
def test_faults_have_their_lines(tmp_path: Path, text: str, faults: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": text})
    assert [line for line in lines(tmp_path) if '"src"' not in line] == faults
