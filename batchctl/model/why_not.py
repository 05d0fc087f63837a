"""Why a job does not have an action: the course of its decision, and the changes that would lead to the action."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.decision import Guard, RuleApplied
from batchctl.model.reasons import Reason


class Cause(StrEnum):
    """Why a job does not have an action."""

    PLANNED = "planned"
    """It has the action."""
    REFUSED = "refused"
    """It has the action, and a guard refuses it."""
    REPLACED = "replaced"
    """A rule decided the action, and a later rule changed the decision."""
    OTHER = "other"
    """No rule decided the action."""


class ChangeKind(StrEnum):
    """The place of a change, the one with the least effort first."""

    WAIT = "wait"
    """Nothing: it comes by itself."""
    FLAG = "flag"
    """An option of `apply`."""
    COMMAND = "command"
    MANIFEST = "manifest"
    STACK = "stack"
    """The stack file."""


class RuleStage(Struct, frozen=True):
    """The decision after one rule that changed or refused it."""

    rule: RuleApplied
    action: Action
    code: Reason
    reason: str
    guard: Guard | None
    """The guard that refuses it from this rule on."""


class SmallChange(Struct, frozen=True):
    """One thing that could be otherwise."""

    kind: ChangeKind
    words: str
    """Such as `--rerun translate-fr`."""


class Way(Struct, frozen=True):
    """Changes that lead to the action, each of them needed."""

    changes: tuple[SmallChange, ...]
    action: Action
    """The action that follows: the one that was asked for, or one of its kind."""
    stage: RuleStage
    """The rule that decides it then."""


class WhyNot(Struct, frozen=True):
    """Why a job does not have an action."""

    stack: str
    job: str
    asked: Action
    cause: Cause
    stages: tuple[RuleStage, ...]
    """The course of the decision, rule by rule."""
    stage: RuleStage
    """The one that counts: it made the present decision, took the action away, or refuses it."""
    ways: tuple[Way, ...]
    """The ways to the action, the easiest first; empty if none was found."""
    is_exact: bool
    """Whether they lead to the action itself; else to another one that buys or removes as it does."""
    tried: int
    """The number of changes, and pairs of changes, that were tried."""

    @property
    def action(self) -> Action:
        """The action that the plan has."""
        return self.stages[-1].action
