"""Decisions of real runs, kept as bundles: this version decides as the one that made them, or a person has agreed.

A rule that changes on purpose changes plans here, too: read `batchctl replay tests/corpus/bundles/*`, then let
`pytest tests/engine/test_bundle_corpus.py --update-golden` write the new plans, and say in CHANGELOG.md what is new.
A new bundle comes from `--record`; its name says what it shows.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.engine.bundles.bundle import from_bundle, replay
from batchctl.engine.bundles.typed_json import to_plain
from batchctl.model.actions import Action
from tests.support.command_line import check_schema

BUNDLES = sorted((Path(__file__).parents[1] / "corpus" / "bundles").glob("*.bundle.json"))


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.name.removesuffix(".bundle.json"))
def test_a_decision_of_a_real_run_is_made_again(path: Path, request: pytest.FixtureRequest) -> None:
    content = path.read_bytes()
    bundle = from_bundle(content, path.name)
    if request.config.getoption("--update-golden"):
        # The input stays as it was recorded; only the plan is the present one.
        document = json.loads(content)
        document["plan"] = to_plain(bundle.question.answer())
        path.write_text(json.dumps(document, ensure_ascii=True, indent=1) + "\n")
        bundle = from_bundle(path.read_bytes(), path.name)
    check_schema("bundle", json.loads(content))
    assert replay(bundle) == (), f"batchctl replay {path} shows the difference"


def test_the_corpus_has_most_actions_and_no_secret() -> None:
    texts = [path.read_text() for path in BUNDLES]
    actions = {job["decision"]["action"] for text in texts for job in json.loads(text)["plan"]["jobs"]}
    assert actions >= {*map(str, Action)} - {"reuse", "update", "forget"}
    assert not any("a secret" in text or "hello" in text for text in texts)
