"""The cases: what is measured, each with its peers. All cases of rows have the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from scene import AGAIN, OURS, Outcome, Scene, peer
from start_cases import START_CASES
from timing import Measure, run_once
from world import DEFAULTS, JOB, control

_WAITS = {"pending": "0s", "running": "24h"}
_ENDED = "25h"
_ENDS = {"pending": "0s", "running": "0s"}
_PEERS = {
    "json loop": "json",
    "jsonschema": "jsonschema",
    "google.genai.types": "sdk",
    "the same, from JSON": "pydantic",
}
"""The peers of each case, and the ends of their names in `peers.py`."""
SDK_PEERS = frozenset({"google.genai.types", "the same, from JSON"})


def _peers(case: str, arguments: Callable[[], Sequence[str]]) -> Iterator[Measure]:
    for shown, end in _PEERS.items():
        yield Measure(shown, partial(_command, f"{case}_{end}", arguments))


def _command(name: str, arguments: Callable[[], Sequence[str]], _round: int) -> Sequence[str]:
    return peer(name, *arguments())


def validate(scene: Scene) -> Outcome:
    """`batchctl validate`, for the first time and again, and the check of each line by three libraries."""
    rows = str(scene.rows)

    def ours(number: int) -> Sequence[str]:
        return scene.stack(f"validate-{number}").command("validate")

    def again(number: int) -> Sequence[str]:
        command = scene.with_cache(scene.stack(f"again-{number}").command("validate"))
        if number == 0:
            run_once(command)
        return command

    measures = [
        Measure(OURS, ours),
        Measure(AGAIN, again),
        *_peers("validate", lambda: (rows,)),
    ]
    measures = list(scene.run(measures))
    return Outcome(scene.rows.stat().st_size, measures)


def upload(scene: Scene) -> Outcome:
    """`batchctl apply`: check, merge, encode, upload, create; and the same by a plain loop."""
    control(scene.url, "rules", [_WAITS])

    def ours(number: int) -> Sequence[str]:
        return scene.stack(f"upload-{number}").command("apply", "--yes")

    measures = [
        Measure(OURS, ours, frozenset({0, 7})),
        *_peers("upload", lambda: (str(scene.rows), scene.url, json.dumps(DEFAULTS))),
    ]
    measures = list(scene.run(measures))
    return Outcome(scene.rows.stat().st_size, measures)


def collect(scene: Scene) -> Outcome:
    """`batchctl apply` on a job that has ended: read the results, judge them, sort and keep them.

    The summary of the input is in the cache, since the apply that created the job. That one must not collect, too,
    however long it takes, so the job ends by the emulator's clock.
    """
    control(scene.url, "rules", [_WAITS])
    remote: list[str] = []

    def ours(number: int) -> Sequence[str]:
        stack = scene.stack(f"collect-{number}")
        run_once(scene.with_cache(stack.command("apply", "--yes")), frozenset({0, 7}))
        control(scene.url, "clock", {"advance": _ENDED})
        jobs = control(scene.url, "jobs")
        assert isinstance(jobs, Mapping)
        remote[:] = [jobs["jobs"][-1]["name"]]
        return scene.with_cache(stack.command("apply", "--yes"))

    measures = [
        Measure(OURS, ours, frozenset({0, 4})),
        *_peers("collect", lambda: (str(scene.rows), scene.url, remote[0])),
    ]
    measures = list(scene.run(measures))
    return Outcome(_results(scene.folder / "collect-0").stat().st_size, measures)


def results(scene: Scene) -> Outcome:
    """`batchctl results`: print the collected rows."""
    control(scene.url, "rules", [_ENDS])
    stack = scene.stack("results")
    for _ in range(2):
        run_once(scene.with_cache(stack.command("apply", "--yes")), frozenset({0, 4, 7}))
    collected = _results(stack.folder)
    measures = [
        Measure(OURS, lambda _: scene.with_cache(stack.command("results", JOB))),
        *_peers("results", lambda: (str(collected),)),
    ]
    measures = list(scene.run(measures))
    return Outcome(collected.stat().st_size, measures)


def _results(folder: Path) -> Path:
    """The collected rows of a stack's job."""
    (found,) = folder.glob(f"results/{JOB}/current/results.jsonl")
    return found


CASES: Mapping[str, Callable[[Scene], Outcome]] = {
    "validate": validate,
    "upload": upload,
    "collect": collect,
    "results": results,
    **START_CASES,
}
