"""What shows that a run did its work. A run that did not has no figure.

A proof gets the run, and gives a sentence about what is wrong, or an empty one. Every measure has one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from timing import Proof, Run

_PIECE = 2**20


def prints_nothing(run: Run) -> str:
    """The run printed nothing: a program without any work."""
    return f"it printed {run.lines} lines" if run.lines else ""


def prints(text: str) -> Proof:
    """The run printed this text, near the start or the end of its output."""
    return lambda run: "" if text in run.start or text in run.end else f"it did not print {text!r}"


def prints_lines(count: int, beginning: str) -> Proof:
    """A short output has so many lines that begin with this text, each another one."""

    def check(run: Run) -> str:
        found = {line for line in run.start.splitlines() if line.startswith(beginning)}
        return "" if len(found) == count else f"{len(found)} of its lines begin with {beginning!r}, not {count}"

    return check


def has_at_least(count: int) -> Proof:
    """The output has at least so many lines."""
    return lambda run: "" if run.lines >= count else f"it printed {run.lines} lines, fewer than {count}"


def has_lines(count: int, beginning: str) -> Proof:
    """A long output has so many lines; the first and the last begin with this text."""

    def check(run: Run) -> str:
        if run.lines != count:
            return f"it printed {run.lines} lines, not {count}"
        ends = (run.start.partition("\n")[0], run.end.rstrip("\n").rpartition("\n")[2])
        return "" if all(line.startswith(beginning) for line in ends) else f"a line does not begin with {beginning!r}"

    return check


def counted(count: int) -> Proof:
    """A peer says at its end how much it has done: `{"done": count}`."""

    def check(run: Run) -> str:
        last = run.end.rstrip("\n").rpartition("\n")[2]
        done = json.loads(last).get("done") if last.startswith("{") else None
        return "" if done == count else f"it did {done} of {count}"

    return check


def wrote(find: Callable[[], Path], lines: int) -> Proof:
    """A file has so many lines."""

    def check(_: Run) -> str:
        path = find()
        found = count_lines(path) if path.exists() else 0
        return "" if found == lines else f"{path.name} has {found} lines, not {lines}"

    return check


def count_lines(path: Path) -> int:
    """The lines of a file."""
    with path.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(_PIECE), b""))


def all_of(*proofs: Proof) -> Proof:
    """Each of these."""
    return lambda run: next(filter(None, (proof(run) for proof in proofs)), "")
