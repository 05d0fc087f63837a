"""Errors inside and outside `-f`, and warnings beside errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import MOST_FAULTS, Faults
from batchctl.model.errors import ManifestError
from batchctl.model.locations import Location
from batchctl.rows.reader import RowFiles
from tests.support.manifest_files import STACK, lines, load_in, with_spec, write

ROWS = '{"key": "a", "request": {"contents": [{"role": "USER", "parts": [{"text": "x"}]}]}}\n'
BAD_ROW = '{"key": "b", "request": {"contents": [{"parts": [{"text": "x"}]}], "temperature": 1}}\n'


def only(*paths: str) -> Faults:
    return Faults(lambda path: path in paths, only_asked=True)


def errors_of(folder: Path, faults: Faults) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load_in(folder, faults=faults, rows=RowFiles())
    return [f"{Path(item.location.file).name} {item.code}" for item in caught.value.diagnostics]


def test_errors_outside_are_counted_and_not_reported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "good.yaml": with_spec("src: {file: good.jsonl}", name="good"),
            "good.jsonl": ROWS,
            "field.yaml": with_spec("modell: x", name="field"),
            "rows.yaml": with_spec("src: {file: rows.jsonl}", name="rows"),
            "rows.jsonl": ROWS + BAD_ROW,
            "syntax.yaml": "a: [",
            "needs.yaml": with_spec("dependsOn: [nothing]", name="needs"),
        },
    )
    faults = only("good.yaml")
    desired = load_in(tmp_path, faults=faults, rows=RowFiles())
    assert [job.name for job in desired.jobs] == ["good", "needs"]
    assert [(item.code, item.location.line) for item in desired.warnings] == [("UnknownValue", 1)]
    assert faults.outside == 4
    assert errors_of(tmp_path, only("rows.yaml")) == ["rows.jsonl UnknownField"]
    assert errors_of(tmp_path, only("needs.yaml")) == ["needs.yaml UnknownJob"]
    assert errors_of(tmp_path, only("syntax.yaml")) == ["syntax.yaml InvalidYaml"]


def test_errors_of_the_stack_file_are_always_reported(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK + "  other: 1\n", "a.yaml": with_spec("modell: x", name="a")})
    assert errors_of(tmp_path, only("b.yaml")) == ["batchctl.yaml UnknownField"]


@pytest.mark.parametrize("asked", ["a.yaml", "b.yaml"])
def test_an_error_about_two_manifests_is_reported_for_each(tmp_path: Path, asked: str) -> None:
    adopt = "adopt: batches/x\nprovider: gemini"
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": with_spec("", name="a"), "b.yaml": with_spec("", name="a")})
    assert errors_of(tmp_path, only(asked)) == ["b.yaml DuplicateName"]
    write(tmp_path, {"a.yaml": with_spec(adopt, name="a"), "b.yaml": with_spec(adopt, name="b")})
    assert errors_of(tmp_path, only(asked)) == ["b.yaml DuplicateName"]
    load_in(tmp_path, faults=only("c.yaml"), rows=RowFiles())


def test_without_only_asked_all_errors_are_reported_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": with_spec("modell: x", name="a")})
    with pytest.raises(ManifestError) as outside:
        load_in(tmp_path, faults=Faults(lambda path: path == "b.yaml"))
    assert [item.code for item in outside.value.diagnostics] == ["UnknownField"]
    assert "would look like a removed job" in outside.value.hint
    with pytest.raises(ManifestError) as inside:
        load_in(tmp_path, faults=Faults(lambda path: path == "a.yaml"))
    assert inside.value.hint == ""


def test_errors_outside_are_counted_up_to_a_limit() -> None:
    faults = only("a.yaml")
    with faults.of_manifest("b.yaml", "b.yaml"):
        for line in range(MOST_FAULTS + 1):
            faults.add(Location("b.yaml", line + 1), Code.INVALID_ROW, "x")
            faults.warn(Location("b.yaml", line + 1), Code.UNKNOWN_VALUE, "x")
    faults.raise_if_any()
    assert (faults.outside, faults.warnings) == (MOST_FAULTS, ())


def test_warnings_come_with_the_errors(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"batchctl.yaml": STACK, "a.yaml": with_spec("src: {file: a.jsonl}", name="a"), "a.jsonl": ROWS + BAD_ROW},
    )
    with pytest.raises(ManifestError) as caught:
        load_in(tmp_path, rows=RowFiles())
    assert [(item.code, item.location.line) for item in caught.value.diagnostics] == [("UnknownField", 2)]
    assert [(item.code, item.location.line) for item in caught.value.warnings] == [("UnknownValue", 1)]


@pytest.mark.parametrize(
    ("src", "places"),
    [
        ("src: {file: gone.jsonl}", ["5:3: UnknownField", "6:15: FileNotFound"]),
        ("src: {file: ../x.jsonl}", ["5:3: UnknownField", "6:15: OutsideStack"]),
        ("src: {file: 7}", ["5:3: UnknownField", "6:15: WrongType"]),
        ("src: files/x", ["5:3: UnknownField"]),
    ],
)
def test_a_missing_file_is_reported_beside_other_errors(tmp_path: Path, src: str, places: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(f"modell: x\n{src}")})
    assert [" ".join(line.split()[:2]).removeprefix("job.yaml:") for line in lines(tmp_path)] == places
