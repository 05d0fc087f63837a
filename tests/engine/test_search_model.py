"""The model of the engine that `tests/search` searches with does what the real engine does.

The same stories are played twice: in the model, and through the real engine, state file, provider, results folder and
emulator. After each pass both have the same record, and the same jobs are at the service.
"""

from __future__ import annotations

import pytest

from tests.search.scenes import GEMINI, STRICT, Scene
from tests.support.engine import World, job
from tests.support.search_stories import (
    AFTER_CREATE,
    APPLY_ONCE,
    BEFORE_CREATE,
    CANCEL,
    FOR_NOW,
    LATER,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED,
    RUN,
    SUCCEED,
    Ask,
    InModel,
    InReality,
    Pass,
    play_twice,
)

SCENE = Scene("one job", (("a", GEMINI),), STRICT)

STORIES = {
    "created and collected": [APPLY_ONCE, RUN, APPLY_ONCE, SUCCEED, APPLY_ONCE, APPLY_ONCE],
    "refused for good": [REFUSED, APPLY_ONCE],
    "refused for now": [FOR_NOW, APPLY_ONCE],
    "a reply that is lost": [LOST_AFTER, APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE],
    "a call that is lost": [LOST_BEFORE, APPLY_ONCE, LATER, APPLY_ONCE, RUN, APPLY_ONCE],
    "death before the create call": [Pass(BEFORE_CREATE, dies="before create"), APPLY_ONCE, LATER, APPLY_ONCE],
    "death after the create call": [Pass(AFTER_CREATE, dies="after create"), APPLY_ONCE],
    "removed while it runs": [APPLY_ONCE, RUN, Ask(""), APPLY_ONCE, LATER, APPLY_ONCE, APPLY_ONCE],
    "removed after its success": [APPLY_ONCE, RUN, SUCCEED, Ask(""), APPLY_ONCE, APPLY_ONCE],
    "removed and wanted again": [APPLY_ONCE, RUN, Ask(""), APPLY_ONCE, Ask("1"), APPLY_ONCE, APPLY_ONCE],
    "replaced while it runs": [APPLY_ONCE, RUN, Ask("2"), APPLY_ONCE, LATER, APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE],
    "changed back to known work": [
        *(APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE, Ask("2"), APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE),
        *(Ask("1"), APPLY_ONCE, APPLY_ONCE),
    ],
    "a cancel whose reply is lost": [
        *(APPLY_ONCE, RUN, Ask("")),
        Pass(
            {"the cancel call": "gets through, its reply is lost"},
            {"method": CANCEL, "kind": "cut", "when": "after", "count": 9},
        ),
        *(LATER, APPLY_ONCE),
    ],
    "death before the cancel call": [
        *(APPLY_ONCE, RUN, Ask(""), Pass({"before the cancel call": "dies"}, dies="before cancel")),
        *(APPLY_ONCE, LATER, APPLY_ONCE, LATER, APPLY_ONCE),
    ],
    "death before the delete call": [
        *(APPLY_ONCE, RUN, SUCCEED, Ask(""), Pass({"before the delete call": "dies"}, dies="before delete")),
        APPLY_ONCE,
    ],
    "death after the delete call": [
        *(APPLY_ONCE, RUN, SUCCEED, Ask("")),
        Pass({"before the answer to the delete call": "dies"}, dies="after delete"),
        *(APPLY_ONCE, LATER, APPLY_ONCE),
    ],
    "death between results and record": [
        *(APPLY_ONCE, RUN, SUCCEED, Pass({"before the collection is written down": "dies"}, dies="after collect")),
        APPLY_ONCE,
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_model_and_engine_write_down_the_same(world: World, story: list[object]) -> None:
    play_twice(story, InModel(SCENE), InReality(world, lambda work: job("a", run_id=work)))
