"""All that can happen in a small world keeps the promises of the design, and comes to rest.

In the gate every scene is searched along a few states of each level that a seed draws; of each of them everything is
tried that may come next. The long run goes level by level in full until a level is too large, then along many drawn states:

    BATCHCTL_LONG=1 python -m pytest tests/search/test_search.py -q -rP

`BATCHCTL_SEARCH_SECONDS` is how long each scene may take (300), `BATCHCTL_SEARCH_STATES` how many states of a level are
followed (4,000), `BATCHCTL_SEED` the seed (1).
"""

from __future__ import annotations

import os

import pytest

from tests.search.explore import Search
from tests.search.scenes import GEMINI, VERTEX, Scene, scenes
from tests.support.long_mode import effort

SCENES = [(scene, api.api) for api, other in ((GEMINI, VERTEX), (VERTEX, GEMINI)) for scene in scenes(api, other)]
DEPTH = effort(6, 30)
STATES = int(os.environ.get("BATCHCTL_SEARCH_STATES", effort("3", "4000")))
SECONDS = float(os.environ.get("BATCHCTL_SEARCH_SECONDS", effort("60", "300")))
SEED = int(os.environ.get("BATCHCTL_SEED", "1"))


@pytest.mark.parametrize("scene", [scene for scene, _ in SCENES], ids=[f"{scene.name}, {api}" for scene, api in SCENES])
def test_whatever_happens_the_promises_hold_and_rest_follows(scene: Scene) -> None:
    search = Search(scene, seed=SEED)
    finding = search.run(DEPTH, most_states=STATES, seconds=SECONDS)
    print(search.figures)
    assert finding is None, str(finding)
