"""The answer: the rule that kept a job from an action, and the changes that would lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan
from batchctl.model.why_not import Cause, RuleStage, SmallChange, Way, WhyNot
from batchctl.reconcile.fold import Stage
from batchctl.reconcile.question import Question
from batchctl.reconcile.why_not.levers import Lever, find_levers

MOST_WORK = 40_000
"""The most decisions about single jobs that pairs of changes are tried with: some seconds."""
MOST_WAYS = 6


def explain_why_not(question: Question, name: str, asked: Action) -> WhyNot:
    """Why the plan does not have an action for a job that is in the plan."""
    planned = _planned(question, name)
    assert planned is not None
    stages = question.trace(name)
    cause, rule = _find_rule(stages, planned, asked)
    tries = _Tries(question, planned, asked)
    found = [] if cause is Cause.PLANNED else tries.find()
    exact = [one for one in found if one.planned.action is asked]
    ways = tuple(one.way() for one in (exact or found)[:MOST_WAYS])
    stack = question.desired.stack.name
    return WhyNot(stack, name, asked, cause, tuple(map(_shown, stages)), _shown(rule), ways, bool(exact), tries.number)


def _planned(question: Question, name: str) -> JobPlan | None:
    return next((job for job in question.answer().jobs if job.job == name), None)


def _find_rule(stages: Sequence[Stage], planned: JobPlan, asked: Action) -> tuple[Cause, Stage]:
    if planned.action is asked:
        guarding = next((stage for stage in stages if stage.guard is not None), None)
        return (Cause.PLANNED, stages[-1]) if guarding is None else (Cause.REFUSED, guarding)
    had = [number for number, stage in enumerate(stages) if stage.decision.action is asked]
    if had:
        return Cause.REPLACED, stages[had[-1] + 1]
    return Cause.OTHER, _decider(stages)


def _decider(stages: Sequence[Stage]) -> Stage:
    """The stage that made the action that remained."""
    first = len(stages) - 1
    while first and stages[first - 1].decision.action is stages[-1].decision.action:
        first -= 1
    return stages[first]


def _shown(stage: Stage) -> RuleStage:
    decision = stage.decision
    return RuleStage(stage.rule, decision.action, decision.code, decision.reason, stage.guard)


class _Try(Struct, frozen=True):
    """The decision with some changes."""

    changes: tuple[Lever, ...]
    question: Question
    planned: JobPlan

    def way(self) -> Way:
        changes = tuple(SmallChange(one.kind, one.words) for one in self.changes)
        return Way(changes, self.planned.action, _shown(_decider(self.question.trace(self.planned.job))))


class _Tries:
    """Decides again with one or two changes."""

    def __init__(self, question: Question, planned: JobPlan, asked: Action) -> None:
        self._question = question
        self._planned = planned
        self._asked = asked
        self.number = 0

    def find(self) -> list[_Try]:
        """Single changes that lead to the action; without one, pairs; without a pair, to another of its kind."""
        levers = find_levers(self._question, self._planned)
        single = [made for lever in levers if (made := self._after((lever,))) is not None]
        exact = [one for one in single if self._is_exact(one)]
        moving = [one.changes[0] for one in single if self._is_other(one)]
        return exact or [*self._pairs(moving, levers), *(one for one in single if self._is_kin(one.planned.action))]

    def _pairs(self, moving: Sequence[Lever], levers: Sequence[Lever]) -> Iterator[_Try]:
        """Pairs of changes, as far as there is time for them; first with those that matter by themselves."""
        jobs = max(1, len(self._question.desired.jobs))
        done: set[frozenset[str]] = set()
        for one, other in product((*moving, *levers), levers):
            pair = frozenset({one.words, other.words})
            if len(pair) == 1 or pair in done or self.number * jobs >= MOST_WORK:
                continue
            done.add(pair)
            made = self._after(tuple(lever for lever in levers if lever.words in pair))
            if made is not None and self._is_exact(made):
                yield made

    def _after(self, changes: tuple[Lever, ...]) -> _Try | None:
        """The decision after changes; None if a guard refuses it, or the job is in the plan no more."""
        self.number += 1
        question = self._question
        for lever in changes:
            question = lever.change(question)
        found = _planned(question, self._planned.job)
        return None if found is None or found.guard is not None else _Try(changes, question, found)

    def _is_exact(self, made: _Try) -> bool:
        return made.planned.action is self._asked

    def _is_other(self, made: _Try) -> bool:
        """Whether a change matters at all."""
        return (made.planned.action, made.planned.reason) != (self._planned.action, self._planned.reason)

    def _is_kin(self, action: Action) -> bool:
        """Whether it buys, or stops, as the action that was asked for does."""
        return (self._asked.buys and action.buys) or (self._asked.stops and action.stops)
