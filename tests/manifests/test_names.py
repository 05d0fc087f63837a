"""Names and labels of all manifests, for completions: sound or not, without their rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.names import LARGEST_FILE, names_and_labels
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.stack import read_stack, read_target_names
from batchctl.manifests.trust import Trust
from tests.support.manifest_files import STACK, write

STACK_WITH_VARIABLE = STACK.replace("spec:", "spec:\n  variables: {lang: {default: fr}}")

MATRIX = """\
metadata: {name: 'to-${matrix.lang}', labels: {lang: '${matrix.lang}'}}
spec: {matrix: {axes: {lang: [fr, it]}}}
"""


def found(folder: Path, *filenames: str) -> dict[str, dict[str, str]]:
    trust = Trust()
    reading = read_stack(folder / "batchctl.yaml", overrides=Overrides(), env={}, trust=trust, faults=Faults())
    return {name: dict(labels) for name, labels in names_and_labels(reading, filenames, trust)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metadata: {name: a, labels: {team: search, tier: 1}}", {"a": {"team": "search", "tier": "1"}}),
        ("metadata: {name: a}\n---\nmetadata: {name: b, labels: [x]}", {"a": {}, "b": {}}),
        ("metadata: {name: 'to-${var.lang}', labels: {lang: '${var.lang}'}}", {"to-fr": {"lang": "fr"}}),
        ("metadata: {name: a}\nspec: {unknown: ['${var.none}']}", {"a": {}}),
        ("kind: List\nitems: [{metadata: {name: a}}, {metadata: {name: b}}]", {"a": {}, "b": {}}),
        (MATRIX, {"to-fr": {"lang": "fr"}, "to-it": {"lang": "it"}}),
        ("metadata: {name: 7}", {}),
        ("metadata: [a]", {}),
        ("just text", {}),
        ("a: [", {}),
        ("metadata: {name: a}\n#" + "x" * LARGEST_FILE, {}),
    ],
    ids=["labels", "two", "variable", "invalid", "list", "matrix", "number", "sequence", "text", "broken", "large"],
)
def test_names_of_a_file(tmp_path: Path, text: str, expected: dict[str, dict[str, str]]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK_WITH_VARIABLE, "job.yaml": text})
    assert found(tmp_path) == expected


def test_names_of_files_outside_of_the_stacks_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack = STACK.replace("spec:", "spec:\n  manifests: [jobs]")
    files = {"batchctl.yaml": stack, "jobs/a.yaml": "metadata: {name: a}", "more/b.yaml": "metadata: {name: b}"}
    write(tmp_path, files)
    assert set(found(tmp_path)) == {"a"}
    assert set(found(tmp_path, "more")) == {"a", "b"}


def test_names_of_targets_need_no_choice(tmp_path: Path) -> None:
    write(
        tmp_path, {"batchctl.yaml": STACK.replace("spec:", "spec:\n  targets: {prod: {}, dev: {}}"), "none.yaml": STACK}
    )
    assert read_target_names(tmp_path / "batchctl.yaml", Trust()) == ["dev", "prod"]
    assert read_target_names(tmp_path / "none.yaml", Trust()) == []
