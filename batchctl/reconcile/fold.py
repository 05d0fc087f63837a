"""Carries out the rule table: the one place that runs the rules, and that writes down which of them changed what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.decision import Decision, Guard, RuleApplied
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.rule import FirstRule, Rule, applied
from batchctl.reconcile.table import FIRST_RULES, RULES, STACK_RULES
from batchctl.reconcile.view.order import sort_by_needs
from batchctl.reconcile.view.subject import JobKind, Subject


class Stage(Struct, frozen=True):
    """The decision about one job after one rule that changed or refused it."""

    rule: RuleApplied
    decision: Decision
    guard: Guard | None = None
    """The guard that refuses it from this rule on."""


def decide_stack(subjects: Mapping[str, Subject], inside: Collection[str], context: Context) -> Decisions:
    """The decisions about the jobs inside the scope.

    The jobs that they depend on are decided first, outside the scope too: their end counts.
    """
    context = _with_each(subjects, context)
    decisions = _inside(inside, context)
    for rule in STACK_RULES:
        decisions = _with_trail(decisions, rule.apply(decisions, context), applied(rule))
    return decisions


def trace(subjects: Mapping[str, Subject], inside: Collection[str], context: Context, name: str) -> tuple[Stage, ...]:
    """How the decision about one job inside the scope came about: its trail, with the decision after each rule."""
    context = _with_each(subjects, context)
    decisions, subject = _inside(inside, context), subjects[name]
    stages = [Stage(rule, decision) for rule, decision in _rules_for(subject.kind).versions(subject, context)]
    for rule in STACK_RULES:
        before, step = decisions.jobs[name][1], applied(rule)
        decisions = _with_trail(decisions, rule.apply(decisions, context), step)
        after = decisions.jobs[name][1]
        if after.trail != before.trail:
            stages.append(Stage(step, after, decisions.guards.get(name)))
    return tuple(stages)


def _with_each(subjects: Mapping[str, Subject], context: Context) -> Context:
    """The context with the decision about each job, before the rules for the whole stack."""
    needs = {name: () if subject.desired is None else subject.desired.depends_on for name, subject in subjects.items()}
    decided: dict[str, tuple[Subject, Decision]] = {}
    context = replace(context, decided=decided)
    rules = {kind: _rules_for(kind) for kind in JobKind}
    for name in sort_by_needs(needs).names:
        subject = subjects[name]
        decided[name] = (subject, rules[subject.kind].decide(subject, context))
    return context


def _inside(inside: Collection[str], context: Context) -> Decisions:
    return Decisions({name: found for name, found in context.decided.items() if name in inside})


class _Rules(Struct, frozen=True):
    """The rules for one kind of job, in their order."""

    first: tuple[FirstRule, ...]
    others: tuple[Rule, ...]

    def decide(self, subject: Subject, context: Context) -> Decision:
        """The decision about one job: the first rule that makes one, then all that adjust it, in their order."""
        *_, (_, last) = self.versions(subject, context)
        return last

    def versions(self, subject: Subject, context: Context) -> Iterator[tuple[RuleApplied, Decision]]:
        """The decision of the first rule that makes one, and then each that a rule made of it."""
        rule, decision = self._first_decision(subject, context)
        yield rule, decision
        for other in self.others:
            after = other.apply(subject, decision, context)
            if after is not decision and after != decision:
                step = applied(other)
                decision = replace(after, trail=(*decision.trail, step))
                yield step, decision

    def _first_decision(self, subject: Subject, context: Context) -> tuple[RuleApplied, Decision]:
        made = ((rule, rule.decide(subject, context)) for rule in self.first)
        # The last rule for each kind of job always decides.
        rule, first = next((rule, decision) for rule, decision in made if decision is not None)
        step = applied(rule)
        return step, replace(first, trail=(step,))


def _rules_for(kind: JobKind) -> _Rules:
    first = tuple(rule for rule in FIRST_RULES if kind in rule.kinds)
    return _Rules(first, tuple(rule for rule in RULES if kind in rule.kinds))


def _with_trail(before: Decisions, after: Decisions, rule: RuleApplied) -> Decisions:
    """The decisions; each that the rule changed or refused has it in its trail."""
    traced = {}
    for name, (subject, decision) in after.jobs.items():
        former = before.jobs[name][1]
        is_refused = name in after.guards and name not in before.guards
        if is_refused or (decision is not former and decision != former):
            traced[name] = (subject, replace(decision, trail=(*former.trail, rule)))
    return after.with_jobs(traced)
