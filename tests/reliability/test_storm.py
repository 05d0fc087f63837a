"""A kill storm with real processes (see `storm`): in the gate a short one, by environment as many as wanted.

`BATCHCTL_SEED` is the first seed, `BATCHCTL_STORMS` the number of storms on each API, `BATCHCTL_STORM_STEPS` how much
happens in each.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.apis import APIS, GEMINI, ApiCase, RemoteJob
from tests.support.long_mode import effort
from tests.support.storm import Storm, serve_emulator
from tests.support.storm_stack import Wanted
from tests.support.storm_verdict import Figures, judge

SEED = int(os.environ.get("BATCHCTL_SEED", "1"))
STORMS = int(os.environ.get("BATCHCTL_STORMS", effort("1", "10")))
STEPS = int(os.environ.get("BATCHCTL_STORM_STEPS", effort("12", "100")))
ON = effort((GEMINI,), APIS)
if "BATCHCTL_STORMS" in os.environ:
    ON = APIS


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("api", ON, ids=lambda api: api.name)
def test_a_storm_of_signals_loses_nothing_and_buys_nothing_twice(tmp_path: Path, api: ApiCase) -> None:
    total = Figures()
    for seed in range(SEED, SEED + STORMS):
        folder = tmp_path / f"storm{seed}"
        folder.mkdir()
        (folder / "service").mkdir()
        with serve_emulator(folder / "service") as service:
            storm = Storm(folder, service, api, seed)
            try:
                storm.begin()
                storm.rage(STEPS)
                storm.come_to_rest()
                figures = storm.judge()
            finally:
                storm.close()
        print(f"{api.name}, seed {seed}: {figures}")
        assert figures.violations == [], f"seed {seed} in {folder}: {figures.violations}"
        total.add(figures)
    print(f"{api.name}, seeds {SEED} to {SEED + STORMS - 1}: {total}")


def remote(
    name: str, state: str = "SUCCEEDED", attempt: str | None = "a@1.0", digest: str = "d1", *, deleted: bool = False
):
    return RemoteJob(name, state, deleted, attempt, "" if attempt is None else attempt.partition("@")[0], "t", digest)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([remote("1")], []),
        ([remote("1", deleted=True)], []),
        ([remote("1"), remote("2", "CANCELLED", "a@2.0", "d2", deleted=True), remote("3", attempt=None)], []),
        ([remote("1"), remote("2", "CANCELLED")], ["a@1.0 was made 2 times"]),
        ([remote("1"), remote("4", attempt="a@2.0", deleted=True)], ["was done 2 times", "was done 2 times"]),
        ([remote("1"), remote("2", "RUNNING", "a@2.0", "d2")], ["works at rest"]),
        ([remote("1"), remote("2", attempt="b@1.0", digest="d2")], ["is left of a job that nobody wants"]),
        ([remote("1"), remote("2", "CANCELLED", None)], ["somebody else's job was touched"]),
        ([remote("1"), remote("2", attempt=None, deleted=True)], ["somebody else's job was touched"]),
        ([remote("1"), remote("2", attempt="b@1.0", digest="d2", deleted=True)], ["its results are nowhere"]),
    ],
)
def test_the_verdict_sees_what_breaks_the_rule(tmp_path: Path, found: list[RemoteJob], told: list[str]) -> None:
    keep_results(tmp_path, "1", "4")
    figures = Figures()
    judge(found, tmp_path, {"a": Wanted(7, {"a"})}, figures)
    assert len(figures.violations) == len(told), figures.violations
    for words, violation in zip(told, figures.violations, strict=True):
        assert words in violation


def test_the_verdict_misses_results_of_other_work(tmp_path: Path) -> None:
    keep_results(tmp_path, "1")
    figures = Figures()
    judge([remote("1")], tmp_path, {"a": Wanted(8, {"a"}), "b": Wanted(9, {"b"})}, figures)
    assert [text.partition(" ")[0] for text in figures.violations] == ["a", "b"]


def keep_results(results: Path, *remotes: str) -> None:
    """Collected results of these remote jobs; the last one's are `current`, and of version 7."""
    for name in remotes:
        folder = results / "a" / f"x-{name}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"remote": name}))
        rows = [{"key": f"v7-{row}", "response": {}} for row in "ab"]
        (folder / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (results / "a" / "current").symlink_to(f"x-{remotes[-1]}")
