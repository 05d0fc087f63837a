"""The cases of the start and of plans: no row is read, and no service is called."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from many_jobs import job_name, make_many
from proofs import all_of, counted, has_at_least, prints, prints_lines, prints_nothing
from scene import AGAIN, OURS, Outcome, Scene, peer
from timing import Measure, Proof, run_once
from world import PROGRAM

_OFFLINE = Path(__file__).resolve().parent / "offline.py"
_PYTHON = (sys.executable, "-c", "pass")
_CLICK = (sys.executable, "-c", "import click")
_COMPLETE = ("env", "_BATCHCTL_COMPLETE=bash_complete", "COMP_WORDS=batchctl st", "COMP_CWORD=1")
CHANGED, C_LOADER, LOADER = "batchctl, one changed", "C loader alone", "loader + jsonschema"
C_CHECKED = "C loader + jsonschema"
FEW = 100
"""The jobs of the case `status`."""


def _against(scene: Scene, ours: Sequence[str], proof: Proof, name: str, peer_command: Sequence[str]) -> Outcome:
    measures = [Measure(OURS, lambda _: ours, proof), Measure(name, lambda _: peer_command, prints_nothing)]
    return Outcome(0, list(scene.run(measures)))


def version(scene: Scene) -> Outcome:
    """`batchctl --version`, and Python that does nothing."""
    return _against(scene, [*PROGRAM, "--version"], prints_lines(1, "batchctl "), "python", _PYTHON)


def helped(scene: Scene) -> Outcome:
    """`batchctl --help`, and Python that imports click."""
    shown = all_of(prints("Usage: batchctl"), prints("\n  apply "), prints("\n  watch "))
    return _against(scene, [*PROGRAM, "--help"], shown, "click", _CLICK)


def completion(scene: Scene) -> Outcome:
    """The completion of a command's name, and Python that imports click."""
    return _against(scene, [*_COMPLETE, *PROGRAM], prints("plain,status\n"), "click", _CLICK)


def status(scene: Scene) -> Outcome:
    """`batchctl status` of a hundred jobs, and Python that imports click."""
    folder = make_many(scene.folder / "status", FEW)
    return _against(scene, offline(folder, "status"), prints_lines(FEW, "job-"), "click", _CLICK)


def plan(scene: Scene) -> Outcome:
    """`batchctl plan` of unchanged jobs, and the steps that any such tool has to take.

    For the first time there is no cache. Again, and with one changed file, there is what an earlier plan has left.
    """
    folder = make_many(scene.folder / "plan", scene.jobs)
    manifests = str(folder / "jobs")
    edited = scene.folder / "edited"
    shutil.copytree(folder, edited)
    path = edited / "jobs" / f"{job_name(scene.jobs // 2)}.yaml"
    original = path.read_text()
    again, once_more = (scene.with_cache(offline(one, "plan")) for one in (folder, edited))
    for command in (again, once_more):
        run_once(command)

    def changed(number: int) -> Sequence[str]:
        path.write_text(original.replace("displayName: ", f"displayName: ({number}) ", 1))
        return once_more

    first = plan_alone(folder, scene.jobs)
    one_changed = all_of(prints(f"1 to update, {scene.jobs - 1} waiting."), has_at_least(scene.jobs))
    done = counted(scene.jobs)
    measures = [
        first,
        Measure(AGAIN, lambda _: again, first.proof),
        Measure(CHANGED, changed, one_changed),
        Measure(C_LOADER, lambda _: peer("parse_manifests", manifests), done),
        Measure(C_CHECKED, lambda _: peer("check_manifests", manifests, "CSafeLoader"), done),
        Measure(LOADER, lambda _: peer("check_manifests", manifests, "SafeLoader"), done),
    ]
    size = sum(path.stat().st_size for path in (folder / "jobs").iterdir())
    return Outcome(size, list(scene.run(measures)))


def plan_alone(folder: Path, jobs: int) -> Measure:
    """`batchctl plan` of unchanged jobs, without a cache and without peers."""
    unchanged = all_of(prints(f"{jobs} jobs waiting."), has_at_least(jobs))
    return Measure(OURS, lambda _: offline(folder, "plan"), unchanged)


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
