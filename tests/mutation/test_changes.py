"""The tool that changes each branch once: which changes it makes, and that it tells a noticed one from another."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.mutation.changes import changes_of

HERE = Path(__file__).resolve().parent


def words(body: str) -> list[str]:
    source = f"def subject(a, b, c):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    return [change.words.replace("  →  ", " > ") for change in changes_of(source)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if a:\n    b()", ["a > not a"]),
        ("if not a:\n    b()", ["not a > a"]),
        ("if a == b:\n    c()", ["a == b > a != b"]),
        ("if a in b:\n    c()", ["a in b > a not in b"]),
        ("if a is None:\n    c()", ["a is None > a is not None"]),
        ("while a:\n    b()", ["a > not a"]),
        ("c(a if b else c)", ["b > not b"]),
        ("c([x for x in a if x])", ["x > not x"]),
        ("c(a < b)", ["a < b > a <= b"]),
        ("c(a < b >= c)", ["a < b >= c > a <= b >= c", "a < b >= c > a < b > c"]),
        ("c(a and b)", ["a and b > a or b"]),
        ("c(any(a))", ["any(a) > all(a)"]),
        ("return a", ["a > None"]),
        ("return True", ["True > False"]),
        ("return", []),
        ("return None", []),
        ("assert a == b", []),
        ("c('a == b')", []),
    ],
)
def test_what_is_changed(body: str, expected: list[str]) -> None:
    assert words(body) == expected


def test_a_case_never_matches_but_the_last_one() -> None:
    assert words("match a:\n    case 1:\n        b()\n    case _:\n        c()") == ["1 > False"]
    assert words("match a:\n    case 1 if b:\n        b()\n    case _:\n        c()") == ["b > not b", "b > False"]


def test_only_functions_are_changed_and_named_from_outside() -> None:
    source = """
    FLAG = 1 == 2
    class Door:
        is_open = not FLAG
        def word(self, name=not FLAG):
            def inner(text):
                return text
            return inner
    """
    changes = list(changes_of(textwrap.dedent(source)))
    assert [(change.function, change.line, change.before) for change in changes] == [
        ("Door.word", 7, "text"),
        ("Door.word", 8, "inner"),
    ]


DOOR = """
def is_open(hour):
    return 9 <= hour < 17


def words(hours):
    return ["open" if is_open(hour) else "closed" for hour in hours]


def unused(hour):
    return hour
"""
LOOSE = """
from door import is_open, words


def test_words():
    assert words([10, 20]) == ["open", "closed"]


def test_hours():
    assert is_open(12)
    assert not is_open(8)
"""
STRICT = """
from door import is_open, unused


def test_bounds():
    assert [hour for hour in (8, 9, 16, 17) if is_open(hour)] == [9, 16]
    assert unused(1) == 1
"""


EARLY = """
import pytest
from door import is_open, unused


@pytest.mark.parametrize("found", [is_open(9), not is_open(17), is_open(16), unused(True)])
def test_early(found):
    assert found
"""


def run(folder: Path, *options: str, **tests: str) -> subprocess.CompletedProcess[str]:
    (folder / "door.py").write_text(DOOR)
    for name, text in tests.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, HERE / "run.py", folder / "door.py", *options, "--tests", folder]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(folder)}
    )


def test_what_no_test_notices_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, loose=LOOSE)
    found = [line.partition("door.py")[2] for line in done.stdout.splitlines() if "not noticed by" in line]
    assert found == [
        ":3: not noticed by 2 tests: 9 <= hour < 17  →  9 < hour < 17",
        ":3: not noticed by 2 tests: 9 <= hour < 17  →  9 <= hour <= 17",
        ":11: not noticed by 0 tests: hour  →  None",
    ]
    assert "3 not noticed" in done.stdout
    assert done.returncode == 1


def test_all_is_well_when_each_change_is_noticed(tmp_path: Path) -> None:
    done = run(tmp_path, loose=LOOSE, strict=STRICT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 changes: 6 noticed, 0 noticed by its time, 0 not noticed, 0 not tried" in done.stdout


def test_a_test_that_runs_the_code_while_it_is_collected_counts(tmp_path: Path) -> None:
    done = run(tmp_path, early=EARLY)
    found = [line.partition("door.py")[2] for line in done.stdout.splitlines() if "not noticed by" in line]
    assert [place.split(":")[1] for place in found] == ["7", "7"]


def test_a_share_is_a_part_of_the_changes(tmp_path: Path) -> None:
    done = run(tmp_path, "--share", "2/3", strict=STRICT)
    assert "2 changes: " in done.stdout


def test_tests_that_fail_by_themselves_prove_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, loose=LOOSE.replace('"closed"]', '"shut"]'))
    assert done.returncode != 0
    assert "fail without a change" in done.stdout + done.stderr
