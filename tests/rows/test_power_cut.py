"""A power cut or a kill at any moment of a collection: what POSIX may leave of it, and what the next pass makes of that.

The moments are those after each call that changes a name or makes something durable, and every state is tried that the
disk may have then (`tests.support.power_cut`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import CollectOptions
from batchctl.rows.kept import read_kept
from batchctl.rows.results import ResultsFolder
from tests.support.power_cut import PowerCut, World, build, read_world

DIGEST = "d1:" + "ab" * 32
ACCOUNT = Account(Api.GEMINI, "emulator")
MARKS = {"stack": "demo", "uid": "abc123", "token": "t" * 10}


class Scene(NamedTuple):
    """A collection. `before` is what was done before it, which is durable."""

    before: Callable[[Path], object]
    text: str
    attempt: int = 1
    is_current: bool = True

    def play(self, root: Path) -> None:
        collect(root, self.text, self.attempt, is_current=self.is_current)


def collect(root: Path, text: str, attempt: int = 1, *, is_current: bool = True) -> None:
    remote = RemoteJob(f"batches/{attempt}", ACCOUNT, "x", None, "JOB_STATE_SUCCEEDED")
    items = [ResultItem("a", None, response={"text": text})]
    options = CollectOptions(is_current=lambda _collected: is_current)
    ResultsFolder(root).collect(AttemptKey("job", attempt), DIGEST, remote, items, None, MARKS, options)


def leave_remains(root: Path) -> None:
    """What killed processes leave."""
    collect(root, "old")
    (root / "job" / ".abababab-2.part").mkdir()
    (root / "job" / ".abababab-2.part" / "results.jsonl").write_text("{")
    (root / "job" / ".current.new").symlink_to("abababab-2")


SCENES = {
    "the first results": Scene(lambda _root: None, "new"),
    "first results that are not good": Scene(lambda _root: None, "new", is_current=False),
    "those of the next attempt": Scene(lambda root: collect(root, "old"), "new", 2),
    "those of the next attempt, which are not good": Scene(
        lambda root: collect(root, "old"), "new", 2, is_current=False
    ),
    "the same attempt again": Scene(lambda root: collect(root, "old"), "new"),
    "after processes that were killed": Scene(leave_remains, "new", 2),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_it_leaves_old_or_new_results_and_the_next_pass_ends_as_without_it(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    scene.before(site / "results")
    old = current_text(site / "results")
    with monkeypatch.context() as patched:
        cut = PowerCut(site, patched)
        scene.play(site / "results")
        worlds, last = cut.worlds(), cut.last_worlds()
    whole = read_world(site)
    assert {without_remains(world) for world in last} == {whole}, "not durable when it says so"
    assert len(worlds) > 5
    for number, world in enumerate(sorted(worlds, key=repr)):
        place = tmp_path / f"cut-{number}"
        build(world, place)
        found = current_text(place / "results")
        assert found in (old, scene.text), "neither old nor new results"
        is_again = any(path.endswith("abababab-1") for path, _ in world) and scene.attempt == 1 and old is not None
        assert is_again or read_kept(place / "results").faults == ()
        scene.play(place / "results")
        assert read_world(place) == whole


def current_text(root: Path) -> str | None:
    """The answer that `current` leads to; None if it leads nowhere."""
    try:
        line = (root / "job" / "current" / "results.jsonl").read_bytes()
    except FileNotFoundError:
        return None
    return str(json.loads(line)["response"]["text"])


def without_remains(world: World) -> World:
    """Without what the next collection removes: it need not be durable that it is gone."""
    return frozenset(one for one in world if not any(part.startswith(".") for part in Path(one[0]).parts))
