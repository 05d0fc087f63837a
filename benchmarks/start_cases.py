"""The cases of the start and of plans: no row is read, and no service is called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from many_jobs import job_name, make_many
from scene import OURS, Outcome, Scene, peer
from timing import Measure
from world import PROGRAM

_OFFLINE = Path(__file__).resolve().parent / "offline.py"
_PYTHON = (sys.executable, "-c", "pass")
_CLICK = (sys.executable, "-c", "import click")
_COMPLETE = ("env", "_BATCHCTL_COMPLETE=bash_complete", "COMP_WORDS=batchctl st", "COMP_CWORD=1")
CHANGED, C_LOADER, LOADER = "batchctl, one changed", "C loader alone", "loader + jsonschema"
_FEW = 100
"""The jobs of the case `status`."""


def _against(scene: Scene, ours: Sequence[str], name: str, peer_command: Sequence[str]) -> Outcome:
    measures = [Measure(OURS, lambda _: ours), Measure(name, lambda _: peer_command)]
    return Outcome(0, list(scene.run(measures)))


def version(scene: Scene) -> Outcome:
    """`batchctl --version`, and Python that does nothing."""
    return _against(scene, [*PROGRAM, "--version"], "python", _PYTHON)


def helped(scene: Scene) -> Outcome:
    """`batchctl --help`, and Python that imports click."""
    return _against(scene, [*PROGRAM, "--help"], "click", _CLICK)


def completion(scene: Scene) -> Outcome:
    """The completion of a command's name, and Python that imports click."""
    return _against(scene, [*_COMPLETE, *PROGRAM], "click", _CLICK)


def status(scene: Scene) -> Outcome:
    """`batchctl status` of a hundred jobs, and Python that imports click."""
    folder = make_many(scene.folder / "status", _FEW)
    return _against(scene, offline(folder, "status"), "click", _CLICK)


def plan(scene: Scene) -> Outcome:
    """`batchctl plan` of unchanged jobs, and the steps that any such tool has to take."""
    folder = make_many(scene.folder / "plan", scene.jobs)
    manifests = str(folder / "jobs")

    def changed(number: int) -> Sequence[str]:
        path = folder / "jobs" / f"{job_name(scene.jobs // 2)}.yaml"
        path.write_text(path.read_text().replace("Translate part", f"Translate once more ({number}) part", 1))
        return offline(folder, "plan")

    measures = [
        Measure(OURS, lambda _: offline(folder, "plan")),
        Measure(CHANGED, changed),
        Measure(C_LOADER, lambda _: peer("parse_manifests", manifests)),
        Measure("C loader + jsonschema", lambda _: peer("check_manifests", manifests, "CSafeLoader")),
        Measure(LOADER, lambda _: peer("check_manifests", manifests, "SafeLoader")),
    ]
    size = sum(path.stat().st_size for path in (folder / "jobs").iterdir())
    return Outcome(size, list(scene.run(measures)))


def offline(folder: Path, command: str) -> list[str]:
    """A command line whose remote jobs are those of the state."""
    return [sys.executable, str(_OFFLINE), str(folder / ".batchctl" / "state.db"), command, "-C", str(folder)]


START_CASES: Mapping[str, Callable[[Scene], Outcome]] = {
    "version": version,
    "help": helped,
    "completion": completion,
    "status": status,
    "plan": plan,
}
