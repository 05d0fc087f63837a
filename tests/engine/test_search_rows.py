"""The model of rows, shards and a canary that `tests/search` searches with does what the real engine does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.desired import DesiredJob
from batchctl.model.row_work import ShardLimits
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.search.row_scenes import ACCEPT, ALL, FAILED, KEY, RETRY, row_scenes
from tests.search.scenes import GEMINI, VERTEX, Scene
from tests.support.engine import World, inline, job
from tests.support.long_mode import effort
from tests.support.search_stories import (
    AFTER_CREATE,
    APPLY_ONCE,
    BEFORE_CREATE,
    FOR_NOW,
    LATER,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED,
    RUN,
    SUCCEED,
    Advance,
    Ask,
    InModel,
    InReality,
    Pass,
    Work,
    play_twice,
)
from tests.support.values import replace

SCENES = {scene.name: scene for scene in row_scenes(GEMINI, VERTEX)}
SHARDS = SCENES["shards"]
CREATED = [APPLY_ONCE, APPLY_ONCE, RUN, APPLY_ONCE]
"""Two shards, which run."""
DONE = [RUN, SUCCEED, APPLY_ONCE, APPLY_ONCE]
ACCEPTED, TRIED = Pass(options=ACCEPT[1]), Pass(options=RETRY[1])
CANCEL_ALL = Pass(options=Options(cancel=True, allow_empty=True))


def ending(**others: tuple[str, str]) -> Advance:
    """All jobs succeed but these: `s1` is shard 1 of the first attempt."""
    return Advance("SUCCEEDED", SUCCEED.span, {f"a@1.{name[1]}": end for name, end in others.items()})


def rule(shard: int, **outcome: Any) -> dict[str, Any]:
    """How the emulator ends a shard of the first attempt."""
    return {"match": {"displayName": f"*/a@1.{shard} *"}, **outcome}


EXPIRE = rule(1, fate="expire", done=0.5)


def last_row(**outcome: Any) -> dict[str, Any]:
    """How the emulator answers the last row of the first attempt."""
    return {"match": {"displayName": "*/a@1.0 *", "row": "k4"}, "fate": "rows", "rowOutcomes": [outcome]}


BUSY = last_row(error={"code": 14, "message": "busy"})
CUT = last_row(finishReason="MAX_TOKENS")
RETRIED = SCENES["row retry and fallback"]
ENDED = [APPLY_ONCE, RUN, SUCCEED, APPLY_ONCE]

STORIES: dict[str, tuple[Scene, list[Mapping[str, Any]], list[object]]] = {
    "created, collected and merged": (SHARDS, [], [*CREATED, SUCCEED, APPLY_ONCE, APPLY_ONCE]),
    "one expires, and its rows are sent again": (
        SHARDS,
        [EXPIRE],
        [*CREATED, ending(s1=("EXPIRED", "")), APPLY_ONCE, LATER, APPLY_ONCE, *DONE],
    ),
    "refused for good": (SHARDS, [], [APPLY_ONCE, REFUSED, RUN, SUCCEED, APPLY_ONCE, LATER, APPLY_ONCE, *DONE]),
    "refused for now": (SHARDS, [], [APPLY_ONCE, FOR_NOW, APPLY_ONCE, *DONE]),
    "a reply that is lost": (SHARDS, [], [APPLY_ONCE, LOST_AFTER, APPLY_ONCE, *DONE]),
    "a call that is lost": (SHARDS, [], [APPLY_ONCE, RUN, LOST_BEFORE, APPLY_ONCE, LATER, APPLY_ONCE]),
    "death before the create call": (
        SHARDS,
        [],
        [APPLY_ONCE, RUN, Pass(BEFORE_CREATE, dies="before create"), APPLY_ONCE, LATER, APPLY_ONCE],
    ),
    "death after the create call": (SHARDS, [], [APPLY_ONCE, Pass(AFTER_CREATE, dies="after create"), *DONE]),
    "death between merge and record": (
        SHARDS,
        [],
        [*CREATED, SUCCEED, Pass({"before the merged results": "dies"}, dies="after assemble"), APPLY_ONCE, APPLY_ONCE],
    ),
    "changed while a shard is not created": (
        SHARDS,
        [],
        [APPLY_ONCE, RUN, Ask("2"), APPLY_ONCE, LATER, APPLY_ONCE, APPLY_ONCE, *DONE],
    ),
    "changed back": (
        SHARDS,
        [],
        [*CREATED, SUCCEED, APPLY_ONCE, Ask("2"), REFUSED, Ask("1"), APPLY_ONCE, APPLY_ONCE],
    ),
    "kept on change": (
        SCENES["shards, kept on change"],
        [],
        [
            APPLY_ONCE,
            RUN,
            Ask("2"),
            APPLY_ONCE,
            SUCCEED,
            APPLY_ONCE,
            APPLY_ONCE,
            Ask("1"),
            APPLY_ONCE,
            APPLY_ONCE,
            *DONE,
        ],
    ),
    "cancelled while a shard is not created": (
        SCENES["shards in a full account"],
        [],
        [APPLY_ONCE, APPLY_ONCE, RUN, APPLY_ONCE, CANCEL_ALL, LATER, APPLY_ONCE, APPLY_ONCE],
    ),
    "one after the other in a full account": (
        SCENES["shards in a full account"],
        [],
        [APPLY_ONCE, APPLY_ONCE, *DONE, *DONE],
    ),
    "a row that may pass": (
        RETRIED,
        [BUSY],
        [APPLY_ONCE, RUN, ending(s0=("SUCCEEDED", "one row may pass")), APPLY_ONCE, LATER, APPLY_ONCE, *DONE],
    ),
    "a row that is sent by a fallback": (
        RETRIED,
        [CUT],
        [APPLY_ONCE, RUN, ending(s0=("SUCCEEDED", "one row is cut")), APPLY_ONCE, LATER, APPLY_ONCE, *DONE],
    ),
    "rows by order": (RETRIED, [], [*ENDED, Pass(options=KEY[1]), APPLY_ONCE, *DONE]),
    "all rows by order": (RETRIED, [], [*ENDED, Pass(options=ALL[1]), APPLY_ONCE, *DONE]),
    "no rows by order": (RETRIED, [], [*ENDED, Pass(options=FAILED[1]), APPLY_ONCE]),
    "a bad canary that is accepted": (
        SCENES["canary"],
        [rule(0, rowOutcomes=[{"finishReason": "SAFETY"}])],
        [*CREATED, ending(s0=("SUCCEEDED", "one row is bad")), APPLY_ONCE, APPLY_ONCE, ACCEPTED, APPLY_ONCE, *DONE],
    ),
    "a bad canary that is tried again": (
        SCENES["canary"],
        [rule(0, rowOutcomes=[{"finishReason": "SAFETY"}])],
        [*CREATED, ending(s0=("SUCCEEDED", "one row is bad")), APPLY_ONCE, TRIED, APPLY_ONCE, *DONE],
    ),
    "a good canary": (SCENES["canary"], [], [*CREATED, SUCCEED, APPLY_ONCE, APPLY_ONCE, APPLY_ONCE, *DONE]),
}


def manifest(scene: Scene, work: str) -> DesiredJob:
    """The manifest of a scene for the real engine."""
    rules = scene.rows
    assert rules is not None
    made = job("a", inline(*(f"k{row}" for row in rules.rows_of(work))), run_id="1")
    return replace(
        made,
        lifecycle=scene.lifecycle,
        row_settings=rules.settings,
        canary=rules.canary,
        sharding=ShardLimits(rows=rules.per_shard),
    )


def reality_of(world: World, scene: Scene, *rules: Mapping[str, Any]) -> InReality:
    """The real engine with the manifests of a scene."""
    assert scene.rows is not None
    limits = Limits(admission=AdmissionLimits(active=scene.rows.at_once))
    return InReality(world, lambda work: manifest(scene, work), *rules, limits=limits)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_model_and_engine_do_the_same_with_rows(
    world: World, story: tuple[Scene, list[Mapping[str, Any]], list[object]]
) -> None:
    scene, rules, moves = story
    play_twice(moves, InModel(scene), reality_of(world, scene, *rules))


SEEDS = range(effort(4, 200))
MOVES = (
    *(APPLY_ONCE,) * 6,
    *(Work(timedelta(seconds=5)), Work(timedelta(minutes=4)), Work(timedelta(minutes=11))) * 2,
    *(
        REFUSED,
        FOR_NOW,
        LOST_AFTER,
        LOST_BEFORE,
        Ask("1"),
        Ask("2"),
        Ask(""),
        CANCEL_ALL,
        TRIED,
        Pass(options=KEY[1]),
        Pass(options=ALL[1]),
    ),
)
NAMES = ("shards", "shards in a full account", "shards, kept on change", "canary", "row retry and fallback")


@pytest.mark.parametrize("seed", SEEDS)
def test_model_and_engine_do_the_same_along_drawn_paths(world: World, seed: int) -> None:
    draw = Random(seed)
    scene = SCENES[NAMES[seed % len(NAMES)]]
    play_twice([APPLY_ONCE, *draw.choices(MOVES, k=24)], InModel(scene), reality_of(world, scene))
