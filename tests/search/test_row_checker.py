"""The search of rows itself: mistakes that are put into the decisions about rows and shards are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.recorded import JobRow
from batchctl.model.row_settings import Canary, MaxFailedRows
from batchctl.model.row_work import RowChoice, RowsToSend
from batchctl.model.steps import Create, Merge
from batchctl.reconcile.decide import canary, each_shard, ended, follow_ups, shards
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.rules import row_choice
from batchctl.reconcile.view import found_results
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject
from tests.search.decisions import JobDecision, Planner
from tests.search.explore import Finding, Search
from tests.search.row_calls import RowCalls
from tests.search.row_scenes import FOUR, row_scenes
from tests.search.scenes import GEMINI, MINUTE, VERTEX, RowRules
from tests.search.state import Op
from tests.support.values import replace

Patch = pytest.MonkeyPatch
SCENES = {scene.name: scene for scene in row_scenes(GEMINI, VERTEX)}
SMALL: dict[str, Any] = {"ends": ("SUCCEEDED",), "spans": (4 * MINUTE,)}
SCENES["shards and changes"] = replace(
    SCENES["shards"], events=frozenset({"edit"}), rows=RowRules(FOUR, per_shard=2), **SMALL
)
PROBED = RowRules(FOUR, canary=Canary(2, MaxFailedRows("0")), outcomes=("one row is bad",))
SCENES["bad canary"] = replace(SCENES["canary"], rows=PROBED, **SMALL)
MOST_STATES = 40


def find(name: str, depth: int, planner: Planner | None = None) -> Finding | None:
    return Search(SCENES[name], planner or Planner()).run(depth, most_states=MOST_STATES, seconds=60)


def sending_all(job: JobDecision) -> JobDecision:
    """Each new attempt sends every row, whatever was answered."""

    def changed(op: Op) -> Op:
        return op._replace(step=replace(op.step, rows=RowChoice(RowsToSend.ALL))) if isinstance(op.step, Create) else op

    return job._replace(ops=tuple(map(changed, job.ops)))


def never_merging(job: JobDecision) -> JobDecision:
    return job._replace(ops=tuple(op for op in job.ops if not isinstance(op.step, Merge)))


def not_waiting_for_all_shards(patch: Patch) -> None:
    """Rows are sent again as soon as one shard is collected."""
    follow = each_shard.follow_each_shard

    def hasty(subject: Subject, view: AttemptView, context: Context) -> Decision:
        is_begun = {part.attempt.results is None for part in view.parts} == {True, False}
        return ended._create_again(subject, context) if is_begun else follow(subject, view, context)

    patch.setattr(each_shard, "follow_each_shard", hasty)


def following_the_first_shard(patch: Patch) -> None:
    combine = shards.combine_decisions
    patch.setattr(shards, "combine_decisions", lambda subject, view, decisions: combine(subject, view, decisions[:1]))


def without_canary(patch: Patch) -> None:
    patch.setattr(row_choice, "size_of_canary", lambda subject, context: None)


def forgetting_the_verdict(patch: Patch) -> None:
    patch.setattr(canary, "_faults", lambda sent, settings, desired: iter(()))


def taking_a_shard_for_the_work(patch: Patch) -> None:
    patch.setattr(found_results, "is_shard", lambda attempt: False)


def without_follow_up(patch: Patch, name: str) -> None:
    patch.setattr(follow_ups, "FOLLOW_UPS", tuple(one for one in follow_ups.FOLLOW_UPS if one.id != name))


def forgetting_missing_shards(patch: Patch) -> None:
    without_follow_up(patch, "shards-left")


def forgetting_gone_shards(patch: Patch) -> None:
    without_follow_up(patch, "shards-missing")


def giving_up_nothing(patch: Patch) -> None:
    patch.setattr(each_shard, "give_up_unsent", lambda subject, view, context: (subject, view, ()))


def without_row_retries(patch: Patch) -> None:
    without_follow_up(patch, "row-retry")


def keeping_orders(patch: Patch) -> None:
    patch.setattr(JobRow, "without_retry", lambda row: row)


def forgetting_lists(patch: Patch) -> None:
    """A process that sends a shard again chooses its rows anew."""
    choose = RowCalls.choose

    def careless(calls: RowCalls, step: Create, attempt: RecordedAttempt) -> tuple[RecordedAttempt, ...]:
        if not attempt.key.shard:
            return choose(calls, step, attempt)
        calls._working.lists = ()
        return (replace(choose(calls, step, attempt)[0], key=attempt.key),)

    patch.setattr(RowCalls, "choose", careless)


@pytest.mark.parametrize(
    ("change", "scene", "depth", "problem"),
    [
        (sending_all, "row retry and fallback", 3, "has a good answer already"),
        (never_merging, "shards", 1, "no rest after"),
    ],
)
def test_mistakes_in_the_steps_are_found(
    change: Callable[[JobDecision], JobDecision], scene: str, depth: int, problem: str
) -> None:
    found = find(scene, depth, Planner(change=change))
    assert found is not None
    assert problem in found.problem


@pytest.mark.parametrize(
    ("mistake", "scene", "depth", "problem"),
    [
        (not_waiting_for_all_shards, "shards", 2, "which works"),
        (following_the_first_shard, "shards", 2, "at rest"),
        (without_canary, "canary", 1, "before a canary has passed"),
        (forgetting_the_verdict, "bad canary", 1, "before a canary has passed"),
        (taking_a_shard_for_the_work, "shards and changes", 3, "have 2 of 4 rows"),
        (forgetting_missing_shards, "shards, lost state", 4, "2 of 4 rows"),
        (forgetting_gone_shards, "shards and strangers", 3, "was never sent"),
        (giving_up_nothing, "shards in a full account", 2, "after `batchctl cancel`"),
        (without_row_retries, "shards", 3, "may pass, and is not sent again"),
        (keeping_orders, "row retry and fallback", 1, "no rest after"),
        (forgetting_lists, "shards in a full account", 1, "without a list of its rows"),
    ],
)
def test_mistakes_in_the_decisions_are_found(
    mistake: Callable[[Patch], None], scene: str, depth: int, problem: str, monkeypatch: Patch
) -> None:
    mistake(monkeypatch)
    found = find(scene, depth)
    assert found is not None
    assert problem in found.problem
