"""Guards refuse actions that a flag has to allow (exit code 6). Each one names that flag.

A refused job keeps its action, so that people see what is held back; see `refusal` for the steps that remain.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Counted, Decision, Guard
from batchctl.model.keys import shown_digest
from batchctl.model.stack import Limits
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.subject import Subject

PROTECTED = ErrorCode.PROTECTED
NOTHING_DESIRED = ErrorCode.NOTHING_DESIRED
CONSENT_NEEDED = ErrorCode.CONSENT_NEEDED
NEW_STATE = ErrorCode.NEW_STATE
_TOO_MANY: Mapping[Counted, str] = {
    Counted.CREATE: ErrorCode.TOO_MANY_CREATES,
    Counted.REPLACE: ErrorCode.TOO_MANY_REPLACES,
    Counted.DELETE: ErrorCode.TOO_MANY_DELETES,
}


def find_guards(decisions: Decisions, context: Context) -> Decisions:
    """Refuse what no flag allows. What counts is the same whether or not an account has capacity for it now."""
    limits, options = context.stack.limits, context.options
    empty = not any(subject.desired for subject, _ in decisions.jobs.values())
    counted = _count_guards([decision for _, _, decision in decisions.of_moving()], limits, options)
    of_new_state = _new_state_guards(decisions, context)
    guards = {**decisions.guards, **of_new_state}
    for name, subject, decision in decisions.of_moving():
        guard = of_new_state.get(name) or _guard(subject, decision, options, counted, empty=empty)
        if guard is not None:
            guards[name] = guard
    return replace(decisions, guards=guards)


def _new_state_guards(decisions: Decisions, context: Context) -> Mapping[str, Guard]:
    if not context.recorded.is_new:
        return {}
    found = {name: guard_new_state(subject, context) for name, (subject, _) in decisions.jobs.items()}
    return {name: guard for name, guard in found.items() if guard is not None}


def _guard(
    subject: Subject, decision: Decision, options: Options, counted: Mapping[Counted, Guard], *, empty: bool
) -> Guard | None:
    if decision.refusal is not None:
        return decision.refusal
    if decision.ends_protected and _is_protected(subject) and not options.allow_protected:
        return Guard(PROTECTED, f"{subject.name} is protected (lifecycle.protect)", "--allow-protected")
    removes = subject.desired is None and decision.needs_consent and not options.cancel
    if removes and empty and not (options.allow_empty or options.destroy or options.scope.names):
        return Guard(NOTHING_DESIRED, "no manifest is left, and that would remove every recorded job", "--allow-empty")
    if decision.counted is not None and decision.counted in counted:
        return counted[decision.counted]
    if decision.needs_consent and not options.consent:
        return Guard(CONSENT_NEEDED, "these changes need consent", "--yes")
    return None


def guard_new_state(subject: Subject, context: Context) -> Guard | None:
    """Refuse to start with an empty state where a job may have run before: it would be bought again.

    It does not count whether this pass creates it: after the first record the state is not empty any more.
    """
    desired = subject.desired
    if not context.recorded.is_new or desired is None or desired.adopt is not None or subject.current is not None:
        return None
    from batchctl.reconcile.rules.reuse import find_source  # a state is new once

    options, faults = context.options, {} if context.inventory is None else context.inventory.faults
    if options.new_state or options.cancel or find_source(subject, context) is not None:
        return None
    for path, why in sorted(faults.items()):
        if path.startswith(f"{subject.name}/{shown_digest(desired.digest)}-"):
            message = f"there is no state, and the results of the same work in {path} are incomplete: {why}"
            return Guard(NEW_STATE, f"{message}. They would be bought again", "--new-state")
    if options.in_ci and desired.lifecycle.ttl_after_finished is not None:
        message = (
            f"there is no state, and {subject.name} has ttlAfterFinished: if it had run before, nothing would show it"
        )
        return Guard(NEW_STATE, f"{message}. Keep the state between runs of CI", "--new-state")
    return None


def _count_guards(decisions: list[Decision], limits: Limits, options: Options) -> dict[Counted, Guard]:
    allowed = {
        Counted.CREATE: (options.max_create, limits.max_create),
        Counted.REPLACE: (options.max_replace, limits.max_replace),
        Counted.DELETE: (options.max_delete, limits.max_delete),
    }
    guards = {}
    for kind, (override, limit) in allowed.items():
        most = limit if override is None else override
        count = sum(1 for decision in decisions if decision.counted is kind)
        ordered = kind is Counted.DELETE and options.any_number and override is None
        if count > most and not ordered:
            jobs = "1 job" if count == 1 else f"{count} jobs"
            message = f"{jobs} to {kind.value}, and the limit is {most}"
            guards[kind] = Guard(_TOO_MANY[kind], message, f"--max-{kind.value} {count}")
    return guards


def _is_protected(subject: Subject) -> bool:
    """The manifest's word counts; without one the state's, so that removing the file does not get around it."""
    if subject.desired is not None:
        return subject.desired.lifecycle.protect
    return subject.recorded is not None and subject.recorded.row.lifecycle.protect
