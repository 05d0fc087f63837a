"""Runs each case of the benchmarks with programs that do nothing, and prints what the case says, as JSON.

    python idle_competitors.py FOLDER batchctl|peers

Both end at once, print nothing and succeed, as a broken one might.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import cases
import creates
import start_cases
from scene import Scene
from timing import NotDoneError
from world import serve_emulator, write_rows

_NOTHING = [sys.executable, "-S", "-c", "pass"]
_WITHOUT_PEERS = frozenset({"version", "help", "completion", "status"})
"""Their peers have nothing to do."""
_ROWS, _JOBS = 3, 2


def no_batchctl() -> None:
    """Let `true` take the place of batchctl."""
    cases.make_stack = lambda *_: Idle()  # type: ignore[attr-defined]
    Scene.stack = lambda *_: Idle()  # type: ignore[assignment, method-assign, return-value]
    start_cases.PROGRAM = ("env", *_NOTHING)  # type: ignore[attr-defined, assignment]
    start_cases.offline = lambda *_: _NOTHING
    creates.PROGRAM = ("env", *_NOTHING)  # type: ignore[attr-defined, assignment]


def no_peers() -> None:
    """Let it take the place of each peer."""
    for module in (cases, creates, start_cases):
        module.peer = lambda *_: _NOTHING  # type: ignore[attr-defined]


class Idle:
    """A stack whose commands do nothing."""

    folder = Path("/nonexistent")

    def command(self, *_: str) -> list[str]:
        """Nothing."""
        return _NOTHING


def said(case: Callable[[], object]) -> str:
    """What a case says about its runs."""
    try:
        case()
    except NotDoneError as error:
        return str(error)
    return ""


def all_cases(
    folder: Path, url: str, chosen: Mapping[str, Callable[[Scene], object]]
) -> Mapping[str, Callable[[], object]]:
    """These cases and the one of creates, ready to run."""
    rows = folder / "rows.jsonl"
    write_rows(rows, _ROWS, 300)
    scenes = {name: Scene(folder / name, rows, _ROWS, url, 1, jobs=_JOBS) for name in chosen}
    for scene in scenes.values():
        scene.folder.mkdir()
    found = {name: lambda case=case, name=name: case(scenes[name]) for name, case in chosen.items()}
    skipped = frozenset({creates.NODE})
    return {**found, "creates": lambda: creates.create_all(_JOBS, 0.0, 1, skipped, folder=folder)}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if sys.argv[2] == "peers":
        no_peers()
        wanted = {name: case for name, case in cases.CASES.items() if name not in _WITHOUT_PEERS}
    else:
        no_batchctl()
        wanted = dict(cases.CASES)
    with serve_emulator(place / "emulator", 0) as served:
        print(json.dumps({name: said(case) for name, case in all_cases(place, served, wanted).items()}))
