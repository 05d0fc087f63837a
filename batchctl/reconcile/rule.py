"""One row of the rule table, see `table`, and the traits of the jobs that a row is for.

Most jobs of a large stack have no trait: they run or are done, and nothing about them is new. So for most jobs one rule
makes the decision, and none has to run that may change it.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any

from msgspec import Struct

from batchctl.model.decision import Decision, RuleApplied
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.decide.steps import is_recorded
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import JobKind, Subject


class Trait(StrEnum):
    """There is something to see of a job before a rule that is for it can make or change the decision about it."""

    ACTS = "acts"
    """The decision has steps, of its own or for its refusal, or an action: rules replace, add and hold back steps."""
    EXCEPTIONAL = "exceptional"
    """No manifest describes the job, or a command names it: some rules act on each of these."""
    NEWS = "news"
    """An attempt was seen in another way than it is recorded: that is written down, and shown."""
    ORDERED = "ordered"
    """A command has ordered a new attempt: this one, or a former one by the record."""
    RESULTS = "results"
    """Results of an attempt that has ended are not here, or not whole: they may be collected or copied again."""
    SEVERAL = "several"
    """There is more than one attempt, shard or remote job: all but one may be superfluous."""
    TTL = "ttl"
    """Its remote jobs have a time to live, which may be over."""
    UNRECORDED = "unrecorded"
    """The state does not have it as its manifest describes it."""
    UNSENT = "unsent"
    """It has no attempt, or one without a remote job and results: there is nothing to follow."""


class ByNeed:
    """The function of a rule that is for few jobs, given as the module in this package and its name.

    It is imported when it is first called, because most runs have no such job.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def __call__(self, *given: Any) -> Any:  # noqa: ANN401 - as the function
        return _function(self._place)(*given)


@cache
def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), name)
    return function


class FirstRule(Struct, frozen=True):
    """A rule that makes the decision about a job, or leaves it to the next one."""

    id: str
    kinds: frozenset[JobKind]
    """The jobs to which it applies."""
    does: str
    why_here: str
    """Why it comes before the next rule."""
    decide: Callable[[Subject, Context], Decision | None]
    concerns: frozenset[Trait] | None = None
    """It leaves a job that has none of these traits to the next rule; None: it may decide about any job."""


class Rule(Struct, frozen=True):
    """A rule that adjusts the decision about a job."""

    id: str
    kinds: frozenset[JobKind]
    """The jobs to which it applies."""
    concerns: frozenset[Trait]
    """It changes nothing about a job that has none of these traits."""
    does: str
    why_here: str
    """Why it comes after the one before it."""
    apply: Callable[[Subject, Decision, Context], Decision]


def always(_decisions: Decisions, _context: Context) -> bool:
    """The condition of a rule that is for all plans."""
    return True


def when_jobs_move(decisions: Decisions, _context: Context) -> bool:
    """The condition of a rule that is about jobs that do not rest."""
    return bool(decisions.moving)


class StackRule(Struct, frozen=True):
    """A rule that adjusts decisions in the light of all others."""

    id: str
    does: str
    why_here: str
    """Why it comes after the one before it."""
    apply: Callable[[Decisions, Context], Decisions]
    is_for: Callable[[Decisions, Context], bool] = always
    """It changes nothing in a plan for which this is false, and is not imported for it."""


@cache
def _trail(name: str, does: str) -> tuple[RuleApplied]:
    return (RuleApplied(name, does),)


def applied(rule: FirstRule | Rule | StackRule) -> RuleApplied:
    """The rule in a decision's trail."""
    return _trail(rule.id, rule.does)[0]


def first_trail(rule: FirstRule) -> tuple[RuleApplied]:
    """The trail of a decision that no other rule has changed; all jobs share it."""
    return _trail(rule.id, rule.does)


_NONE: frozenset[Trait] = frozenset()


def acts(decision: Decision) -> bool:
    """Whether a decision gives its job the trait `ACTS`. All other traits are those of the job alone."""
    if decision.steps or decision.base or decision.if_refused is not None:
        return True
    return not decision.action.is_quiet


def rests(decision: Decision) -> bool:
    """Whether nothing is done, bought or changed for a job, now or when it is its turn.

    No rule for the whole stack is about such a job that has a manifest, unless the state is new.
    """
    is_planned = decision.counted is not None or decision.needs_consent or decision.ends_protected
    return not (is_planned or decision.updates or decision.refusal is not None or acts(decision))


def traits_of(subject: Subject, rerun: Container[str]) -> frozenset[Trait]:
    """The traits of a job, whatever is decided about it. `rerun`: the jobs whose work a command buys again."""
    found = []
    recorded, views = subject.recorded, subject.views
    if subject.kind is not JobKind.DESIRED:
        found.append(Trait.EXCEPTIONAL)
    if (recorded is not None and recorded.row.retry_requested is not None) or subject.name in rerun:
        found.append(Trait.ORDERED)
    if len(views) != 1:
        found.append(Trait.SEVERAL if views else Trait.UNSENT)
    for view in views:
        _add_those_of(view, found)
    desired = subject.desired
    if desired is None:
        lifecycle = subject.lifecycle
    else:
        lifecycle = desired.lifecycle
        current = subject.current
        if recorded is None or not is_recorded(desired, recorded.row, 1 if current is None else current.key.attempt):
            found.append(Trait.UNRECORDED)
    if lifecycle.ttl_after_finished is not None:
        found.append(Trait.TTL)
    return frozenset(found) if found else _NONE


def _add_those_of(view: AttemptView, found: list[Trait]) -> None:
    """Add the traits that one attempt gives its job."""
    attempt = view.attempt
    if view.note is not None:
        found.append(Trait.NEWS)
    if view.missing is not None or (attempt.has_ended and attempt.is_uncollected):
        found.append(Trait.RESULTS)
    if view.duplicates:
        found.append(Trait.SEVERAL)
    if attempt.remote is None and attempt.results is None:
        found.append(Trait.UNSENT)
