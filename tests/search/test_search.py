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
from tests.search.row_scenes import row_scenes
from tests.search.scenes import GEMINI, VERTEX, Scene, scenes
from tests.support.long_mode import effort

APIS = ((GEMINI, VERTEX), (VERTEX, GEMINI))
SCENES = [(scene, api.api) for api, other in APIS for scene in scenes(api, other)]
ROW_SCENES = [(scene, api.api) for api, other in APIS[: effort(1, 2)] for scene in row_scenes(api, other)]
"""In the gate on one API: of rows the two differ in the way of a cancel alone."""
ALL = [*SCENES, *ROW_SCENES]
DEPTH, ROWS_DEPTH = effort(6, 30), effort(4, 30)
STATES = int(os.environ.get("BATCHCTL_SEARCH_STATES", effort("3", "4000")))
"""In the gate one less where rows are a part of the world."""
SECONDS = float(os.environ.get("BATCHCTL_SEARCH_SECONDS", effort("60", "300")))
SEED = int(os.environ.get("BATCHCTL_SEED", "1"))


@pytest.mark.parametrize("scene", [scene for scene, _ in ALL], ids=[f"{scene.name}, {api}" for scene, api in ALL])
def test_whatever_happens_the_promises_hold_and_rest_follows(scene: Scene) -> None:
    search = Search(scene, seed=SEED)
    depth, states = (DEPTH, STATES) if scene.rows is None else (ROWS_DEPTH, STATES - effort(1, 0))
    finding = search.run(depth, most_states=states, seconds=SECONDS)
    print(search.figures)
    assert finding is None, str(finding)
