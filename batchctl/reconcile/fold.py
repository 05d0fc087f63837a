"""Carries out the rule table: the one place that runs the rules, and that writes down which of them changed what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.decision import Decision, Guard, RuleApplied
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.rule import FirstRule, Rule, Trait, acts, applied, first_trail, rests, traits_of
from batchctl.reconcile.table import FIRST_RULES, RULES, STACK_RULES
from batchctl.reconcile.view.order import sort_by_needs
from batchctl.reconcile.view.subject import JobKind, Subject


class Stage(Struct, frozen=True):
    """The decision about one job after one rule that changed or refused it."""

    rule: RuleApplied
    decision: Decision
    guard: Guard | None = None
    """The guard that refuses it from this rule on."""


def decide_stack(subjects: Iterable[Subject], inside: AbstractSet[str], context: Context) -> Decisions:
    """The decisions about the jobs inside the scope.

    The jobs that they depend on are decided first, outside the scope too: their end counts.
    """
    return _by_stack_rules(*_each(subjects, inside, context))


def trace(subjects: Iterable[Subject], inside: AbstractSet[str], context: Context, name: str) -> tuple[Stage, ...]:
    """How the decision about one job inside the scope came about: its trail, with the decision after each rule."""
    decisions, context = _each(subjects, inside, context)
    subject = decisions.jobs[name][0]
    stages = [Stage(rule, decision) for rule, decision in _rules_for(subject.kind).versions(subject, context)]
    for rule in STACK_RULES:
        if not rule.is_for(decisions, context):
            continue
        before, step = decisions.jobs[name][1], applied(rule)
        decisions = _with_trail(decisions, rule.apply(decisions, context), step)
        after = decisions.jobs[name][1]
        if after.trail != before.trail:
            stages.append(Stage(step, after, decisions.guards.get(name)))
    return tuple(stages)


def _by_stack_rules(decisions: Decisions, context: Context) -> Decisions:
    for rule in STACK_RULES:
        if rule.is_for(decisions, context):
            decisions = _with_trail(decisions, rule.apply(decisions, context), applied(rule))
    return decisions


def _each(subjects: Iterable[Subject], inside: AbstractSet[str], context: Context) -> tuple[Decisions, Context]:
    """The decision about each job inside the scope, before the rules for the whole stack, and the context with all."""
    decided: dict[str, tuple[Subject, Decision]] = {}
    context = replace(context, decided=decided)
    rules = {kind: _rules_for(kind) for kind in JobKind}
    alike: dict[Decision, Decision] = {}
    moving = set()
    former = None
    for subject in _needed_first(subjects):
        decision = rules[subject.kind].decide(subject, context)
        if decision is not former:
            if not rests(decision):
                moving.add(subject.name)
            elif _is_plain(decision):
                # Nearly all jobs of a large stack are decided alike: they have one value together.
                decision = former = alike.setdefault(decision, decision)
        if subject.desired is None:
            moving.add(subject.name)
        decided[subject.name] = (subject, decision)
    if len(decided) <= len(inside) and decided.keys() <= inside:
        return Decisions(decided, moving), context  # the complete stack
    jobs = {name: found for name, found in decided.items() if name in inside}
    return Decisions(jobs, moving & jobs.keys()), context


def _needed_first(subjects: Iterable[Subject]) -> Iterator[Subject]:
    """The jobs, each after those that it depends on. Most depend on none: they come as they are read."""
    names: list[str] = []
    dependants: dict[str, Subject] = {}
    for subject in subjects:
        names.append(subject.name)
        if subject.desired is not None and subject.desired.depends_on:
            dependants[subject.name] = subject
        else:
            yield subject
    if dependants:
        needs = dict.fromkeys(names, ()) | {name: one.manifest.depends_on for name, one in dependants.items()}
        yield from (dependants[name] for name in sort_by_needs(needs).names if name in dependants)


def _is_plain(decision: Decision) -> bool:
    """Whether a decision has no step and no change, so that other jobs may have the same one."""
    return not (decision.steps or decision.base or decision.changes or decision.updates or decision.if_refused)


_ACTS = frozenset({Trait.ACTS})


class Rules(Struct, frozen=True):
    """The rules for one kind of job, in their order."""

    first: tuple[FirstRule, ...]
    others: tuple[Rule, ...]
    _plain: dict[tuple[str, int], tuple[Decision, Decision]] = field(default_factory=dict)
    """Plain decisions by their rule and identity, each with what was made of it: many jobs get the same one."""

    def decide(self, subject: Subject, context: Context) -> Decision:
        """The decision about one job: the first rule that makes one, then all that adjust it, in their order."""
        return self.versions(subject, context)[-1][1]

    def versions(self, subject: Subject, context: Context) -> list[tuple[RuleApplied, Decision]]:
        """The decision of the first rule that makes one, and then each that a rule made of it.

        A rule is left out if the job has none of the traits that it is for: it would decide or change nothing.
        """
        traits = traits_of(subject, context.options.rerun)
        rule, decision = self._first_decision(subject, context, traits)
        found = [(applied(rule), decision)]
        present = traits | _ACTS if acts(decision) else traits
        if not present:
            return found
        for other in self.others:
            if present.isdisjoint(other.concerns):
                continue
            after = other.apply(subject, decision, context)
            if after is not decision and after != decision:
                step = applied(other)
                decision = replace(after, trail=(*decision.trail, step))
                present = traits | _ACTS if acts(decision) else traits
                found.append((step, decision))
        return found

    def _first_decision(
        self, subject: Subject, context: Context, traits: frozenset[Trait]
    ) -> tuple[FirstRule, Decision]:
        for rule in self.first[:-1]:
            if rule.concerns is None or not traits.isdisjoint(rule.concerns):
                first = rule.decide(subject, context)
                if first is not None:
                    return rule, self._with_trail(rule, first)
        # The last rule for each kind of job always decides.
        rule = self.first[-1]
        last = rule.decide(subject, context)
        assert last is not None
        return rule, self._with_trail(rule, last)

    def _with_trail(self, rule: FirstRule, first: Decision) -> Decision:
        known = self._plain.get((rule.id, id(first)))
        if known is not None:
            return known[1]
        decision = replace(first, trail=first_trail(rule))
        if _is_plain(first):
            self._plain[rule.id, id(first)] = first, decision  # the identity is its own as long as it is kept
        return decision


def _rules_for(kind: JobKind) -> Rules:
    first = tuple(rule for rule in FIRST_RULES if kind in rule.kinds)
    return Rules(first, tuple(rule for rule in RULES if kind in rule.kinds))


def _with_trail(before: Decisions, after: Decisions, rule: RuleApplied) -> Decisions:
    """The decisions; each that the rule changed or refused has it in its trail."""
    if after.jobs is before.jobs and after.guards == before.guards:
        return after
    traced = {}
    for name in sorted({*after.moving, *after.guards}):
        subject, decision = after.jobs[name]
        former = before.jobs[name][1]
        is_refused = name in after.guards and name not in before.guards
        if is_refused or (decision is not former and decision != former):
            traced[name] = (subject, replace(decision, trail=(*former.trail, rule)))
    return after.with_jobs(traced)
