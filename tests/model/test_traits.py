"""The traits of actions and steps."""

from __future__ import annotations

from typing import get_args

import pytest

from batchctl.model.actions import Action
from batchctl.model.steps import (
    Assemble,
    Cancel,
    Collect,
    Create,
    Delete,
    Forget,
    Merge,
    RecordAttempt,
    RecordJob,
    Reuse,
    Step,
    step_kind,
)

ACTIONS = {
    "is_quiet": "wait none",
    "is_harmless": "wait none collect",
    "buys": "create retry replace",
    "stops": "replace cancel delete",
    "follows_remote": "wait none collect cancel delete",
    "gains_remote": "create adopt retry replace",
}
STEPS = {
    "buys": {Create},
    "stops": {Cancel, Delete},
    "is_harmless": {RecordAttempt, Collect, Merge},
    "makes_attempt": {Create, Reuse, Assemble},
    "needs_complete_list": {Create, Cancel, Delete, Forget},
    "needs_results_folder": {Create, Delete},
}
KINDS = {RecordAttempt, RecordJob, Create, Reuse, Assemble, Merge, Cancel, Collect, Delete, Forget}


@pytest.mark.parametrize(("trait", "actions"), ACTIONS.items())
def test_the_actions_with_a_trait(trait: str, actions: str) -> None:
    assert {str(action) for action in Action if getattr(action, trait)} == set(actions.split())


@pytest.mark.parametrize(("trait", "kinds"), STEPS.items())
def test_the_steps_with_a_trait(trait: str, kinds: set[type]) -> None:
    assert {kind for kind in KINDS if getattr(kind, trait)} == kinds


def test_every_kind_of_step_is_in_the_table() -> None:
    assert set(get_args(Step)) == KINDS


def test_a_step_without_a_trait_is_refused() -> None:
    traits = {"buys": False, "stops": True, "is_harmless": False, "makes_attempt": False, "needs_complete_list": True}
    with pytest.raises(TypeError, match="needs_results_folder"):
        step_kind(**traits)  # type: ignore[call-arg]
