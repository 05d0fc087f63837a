"""Checks that a decision is made again from its bundle. For tests, as the black box of the engine's tools."""

from __future__ import annotations

from pathlib import Path

from batchctl.engine.bundles.bundle import Bundle, from_bundle, replay, to_bundle
from batchctl.engine.bundles.typed_json import to_plain
from batchctl.engine.warnings import Warnings
from batchctl.model.plan import Plan
from batchctl.reconcile import Question


def require_same(bundle: Bundle, name: str) -> None:
    """The version that made a decision makes it again in the same words, too."""
    assert to_plain(bundle.question.answer()) == bundle.plan, (name, replay(bundle))


class Replays:
    """Replays each decision at once."""

    def __init__(self) -> None:
        self.actions: list[str] = []
        self.words: list[str] = []

    def __call__(self, question: Question, plan: Plan | None, _warnings: Warnings | None = None) -> None:
        assert plan is not None
        content = to_bundle(question, plan)
        require_same(from_bundle(content, "this bundle"), "this bundle")
        self.actions += [job.action.value for job in plan.jobs]
        self.words.append(content.decode())


def replay_all(box: Path) -> None:
    """Replay the bundles that a process has left, and remove them: batchctl decides as it did."""
    if not box.is_dir():
        return
    for path in sorted(box.iterdir()):
        bundle = from_bundle(path.read_bytes(), path.name)
        assert bundle.plan is not None, path
        require_same(bundle, path.name)
        path.unlink()
    box.rmdir()
