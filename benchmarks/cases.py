"""The cases: what is measured, each with its peers. All cases of rows have the same rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proofs import all_of, counted, has_lines, prints, wrote
from scene import AGAIN, OURS, Outcome, Scene, peer
from start_cases import START_CASES
from timing import Measure, NotDoneError, Proof, Run, run_once
from world import DEFAULTS, JOB, control, make_stack

_WAITS = {"pending": "0s", "running": "24h"}
_ENDED = "25h"
_ENDS = {"pending": "0s", "running": "0s"}
_PEERS = {
    "json loop": "json",
    "jsonschema": "jsonschema",
    "google.genai.types": "sdk",
    "google.genai.types, from JSON": "pydantic",
}
"""The peers of each case, and the ends of their names in `peers.py`."""
SDK_PEERS = frozenset({"google.genai.types", "google.genai.types, from JSON"})
ALL_PEERS = frozenset(_PEERS)
_CREATED = frozenset({0, 7})
"""The exit codes of `apply` after a create."""
_INVALID = 65
"""The exit code of `validate` for a broken row."""


def _peers(case: str, arguments: Callable[[], Sequence[str]], proof: Proof) -> Iterator[Measure]:
    for shown, end in _PEERS.items():
        yield Measure(shown, partial(_command, f"{case}_{end}", arguments), proof)


def _command(name: str, arguments: Callable[[], Sequence[str]], _round: int) -> Sequence[str]:
    return peer(name, *arguments())


def validate(scene: Scene) -> Outcome:
    """`batchctl validate`, for the first time and again, and the check of each line by three libraries."""
    rows = str(scene.rows)
    _refuse_broken_end(scene)

    def ours(number: int) -> Sequence[str]:
        return scene.stack(f"validate-{number}").command("validate")

    def again(number: int) -> Sequence[str]:
        command = scene.with_cache(scene.stack(f"again-{number}").command("validate"))
        if number == 0:
            run_once(command)
        return command

    measures = [
        Measure(OURS, ours, prints("ok: 1 job in")),
        Measure(AGAIN, again, prints("ok: 1 job in")),
        *_peers("validate", lambda: (rows,), counted(scene.row_count)),
    ]
    return Outcome(scene.rows.stat().st_size, list(scene.run(measures)))


def _refuse_broken_end(scene: Scene) -> None:
    """See that `validate` reads to the last line, because it does not say how many it has read.

    Raises NotDoneError if a file is accepted whose last line is broken.
    """
    broken = scene.folder / "broken.jsonl"
    shutil.copy(scene.rows, broken)
    with broken.open("a", encoding="utf-8") as stream:
        stream.write('{"key": "last", "request": {"contents": 1}}\n')
    run = run_once(make_stack(scene.folder / "broken", broken, scene.url).command("validate"), frozenset({_INVALID}))
    if f"rows.jsonl:{scene.row_count + 1}:" not in run.errors:
        raise NotDoneError(f"validate did not name the last line: {run.errors}")
    broken.unlink()


def upload(scene: Scene) -> Outcome:
    """`batchctl apply`: check, merge, encode, upload, create; and the same by a plain loop."""
    control(scene.url, "rules", [_WAITS])
    proof = _Uploaded(scene)

    def ours(number: int) -> Sequence[str]:
        return scene.stack(f"upload-{number}").command("apply", "--yes")

    measures = [
        Measure(OURS, ours, all_of(prints("Apply: 1 done."), proof), _CREATED),
        *_peers("upload", lambda: (str(scene.rows), scene.url, json.dumps(DEFAULTS)), proof),
    ]
    return Outcome(scene.rows.stat().st_size, list(scene.run(measures)))


class _Created:
    """Each run has created one job at the emulator, which found all rows in its input."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._jobs = len(_remote_jobs(scene))

    def __call__(self, _: Run) -> str:
        """What is wrong."""
        jobs = _remote_jobs(self._scene)
        created, self._jobs = len(jobs) - self._jobs, len(jobs)
        if created != 1:
            return f"{created} jobs were created"
        found = jobs[-1]["rows"]
        return "" if found == self._scene.row_count else f"the job has {found} rows, not {self._scene.row_count}"


class _Uploaded(_Created):
    """The same, and each run has uploaded the input of its job: a file of an earlier run was not used again."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._uploads = _calls(scene, "files.create")

    def __call__(self, run: Run) -> str:
        """What is wrong."""
        uploads = _calls(self._scene, "files.create")
        made, self._uploads = uploads - self._uploads, uploads
        return super().__call__(run) or ("" if made == 1 else f"{made} files were uploaded")


def _calls(scene: Scene, method: str) -> int:
    """The calls of a method that the emulator has had."""
    answer = control(scene.url, "requests")
    assert isinstance(answer, Mapping)
    calls: Mapping[str, int] = answer["byMethod"]
    return calls.get(method, 0)


def _remote_jobs(scene: Scene) -> Sequence[Mapping[str, Any]]:
    answer = control(scene.url, "jobs")
    assert isinstance(answer, Mapping)
    jobs: Sequence[Mapping[str, Any]] = answer["jobs"]
    return jobs


def collect(scene: Scene) -> Outcome:
    """`batchctl apply` on a job that has ended: read the results, judge them, sort and keep them.

    The summary of the input is in the cache, since the apply that created the job. That one must not collect, too,
    however long it takes, so the job ends by the emulator's clock.
    """
    control(scene.url, "rules", [_WAITS])
    remote: list[str] = []
    stacks: list[Path] = []

    def ours(number: int) -> Sequence[str]:
        stack = scene.stack(f"collect-{number}")
        created = Measure(OURS, lambda _: scene.with_cache(stack.command("apply", "--yes")), _Created(scene), _CREATED)
        created.run(number)
        control(scene.url, "clock", {"advance": _ENDED})
        remote[:], stacks[:] = [_remote_jobs(scene)[-1]["name"]], [stack.folder]
        return scene.with_cache(stack.command("apply", "--yes"))

    def theirs() -> Sequence[str]:
        kept_by_peer.unlink(missing_ok=True)
        return str(scene.rows), scene.url, remote[0]

    kept_by_peer = scene.rows.with_suffix(".results")
    kept = wrote(lambda: _results(stacks[0]), scene.row_count)
    measures = [
        Measure(OURS, ours, all_of(prints("Apply: 1 done."), kept), frozenset({0, 4})),
        *_peers("collect", theirs, wrote(lambda: kept_by_peer, scene.row_count)),
    ]
    measures = list(scene.run(measures))
    return Outcome(_results(stacks[0]).stat().st_size, measures)


def results(scene: Scene) -> Outcome:
    """`batchctl results`: print the collected rows."""
    control(scene.url, "rules", [_ENDS])
    stack = scene.stack("results")
    for _ in range(2):
        run_once(scene.with_cache(stack.command("apply", "--yes")), frozenset({0, 4, 7}))
    collected = _results(stack.folder)
    proof = has_lines(scene.row_count, '{"key":')
    measures = [
        Measure(OURS, lambda _: scene.with_cache(stack.command("results", JOB)), proof),
        *_peers("results", lambda: (str(collected),), proof),
    ]
    return Outcome(collected.stat().st_size, list(scene.run(measures)))


def _results(folder: Path) -> Path:
    """The collected rows of a stack's job."""
    found = list(folder.glob(f"results/{JOB}/current/results.jsonl"))
    if len(found) != 1:
        raise NotDoneError(f"{folder.name} has no results")
    return found[0]


ROW_CASES: Mapping[str, Callable[[Scene], Outcome]] = {
    "validate": validate,
    "upload": upload,
    "collect": collect,
    "results": results,
}
CASES: Mapping[str, Callable[[Scene], Outcome]] = {**ROW_CASES, **START_CASES}
