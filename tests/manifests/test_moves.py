"""`moved` in the stack file: how it is read, and errors that need no state."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.stack import Moved
from tests.support.manifest_files import JOB, STACK, lines, load_in, with_stack, write


def test_moved_is_read_with_its_places(tmp_path: Path) -> None:
    write(
        tmp_path, {"batchctl.yaml": with_stack("moved:\n- {from: a, to: b}\n- {from: b, to: classify}"), "a.yaml": JOB}
    )

    first, second = load_in(tmp_path).stack.moved

    assert (first.before, first.after, first.location.line, first.location.column) == ("a", "b", 6, 5)
    assert second == Moved("b", "classify", second.location)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param("{from: old, to: classify}", id="a rename"),
        pytest.param("{from: a, to: b}, {from: b, to: classify}", id="a chain of two"),
        pytest.param("{from: b, to: classify}, {from: a, to: b}", id="in any order"),
    ],
)
def test_valid_moves(tmp_path: Path, entries: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"moved: [{entries}]"), "a.yaml": JOB})

    assert len(load_in(tmp_path).stack.moved) == entries.count("from")


@pytest.mark.parametrize("spec", ["moved: []", "moved: null", "suspend: false"])
def test_nothing_was_moved(tmp_path: Path, spec: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(spec)})

    assert load_in(tmp_path).stack.moved == ()


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        pytest.param(
            "{from: classify, to: classify}",
            [
                '"classify" is moved back to itself',
                '"classify" was moved, but is still the name of a job (remove the entry, or the manifest with the former name)',
            ],
            id="to itself",
        ),
        pytest.param(
            "{from: a, to: b}",
            ['"moved" names "b", and there is no such job (one of: classify)'],
            id="to a name that no job has",
        ),
        pytest.param(
            "{from: a, to: b}, {from: b, to: a}, {from: c, to: a}",
            ['"a" is moved back to itself', '"b" is moved back to itself', '"to: a" appears twice'],
            id="a circle, and one that leads into it",
        ),
    ],
)
def test_invalid_moves(tmp_path: Path, entries: str, found: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"moved: [{entries}]"), "a.yaml": JOB})

    told = [line for line in lines(tmp_path) if "first at" not in line]

    assert [line.split(" ", 2)[2] for line in told] == [words for words in found if "twice" not in words]
    assert len(lines(tmp_path)) == len(found)


def test_without_a_job_the_hint_is_to_remove_the_entry(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("moved: [{from: a, to: b}]")})

    (line,) = lines(tmp_path)

    assert line.endswith("(if the job was removed later, remove the entry too)")


def test_a_job_with_errors_counts_as_a_job(tmp_path: Path) -> None:
    broken = JOB.replace("gemini-2.5-flash", "1.5")
    write(tmp_path, {"batchctl.yaml": with_stack("moved: [{from: old, to: classify}]"), "a.yaml": broken})

    assert [line for line in lines(tmp_path) if "moved" in line] == []
    assert lines(tmp_path) != []


def test_an_invalid_stack_file_has_no_moves(tmp_path: Path) -> None:
    write(
        tmp_path, {"batchctl.yaml": STACK.replace("{type: gemini}", "{type: other}") + "  moved: [{from: a, to: b}]\n"}
    )

    assert [line for line in lines(tmp_path) if "moved" in line] == []
