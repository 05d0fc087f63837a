"""The rules by which batchctl decides, in their order.

The order is data: to know why a job is cancelled, read down this table, then the function that the row names. The
first of `FIRST_RULES` that gives a decision makes it. Then each of `RULES` for the job's kind may change it, and at
last each of `STACK_RULES`, which know the decisions about all other jobs. `fold` runs them; `plan -v` and `explain -v`
show which rules made a decision what it is.
"""

from __future__ import annotations

from batchctl.reconcile.admission.queue import admit
from batchctl.reconcile.decide.cancel_order import decide_cancel
from batchctl.reconcile.decide.changed import decide_changed
from batchctl.reconcile.decide.desired import decide_new, decide_unsent
from batchctl.reconcile.decide.remote import decide_same_work
from batchctl.reconcile.decide.removed import decide_removed
from batchctl.reconcile.decide.rerun import rerun
from batchctl.reconcile.decide.retry_order import follow_retry_order, refuse_retry
from batchctl.reconcile.rule import FirstRule, Rule, StackRule
from batchctl.reconcile.rules.adoption import label_adoption
from batchctl.reconcile.rules.attempt_numbers import limit_attempt_numbers
from batchctl.reconcile.rules.collected import collect_again, guard_last_copy
from batchctl.reconcile.rules.damaged_marks import hold_for_damaged_marks
from batchctl.reconcile.rules.dependencies import wait_for_dependencies
from batchctl.reconcile.rules.duplicates import cancel_duplicates
from batchctl.reconcile.rules.fallback import prepare_for_refusal
from batchctl.reconcile.rules.guards import find_guards
from batchctl.reconcile.rules.incomplete import wait_for_full_lists
from batchctl.reconcile.rules.likely_renames import hold_likely_renames
from batchctl.reconcile.rules.name_clashes import refuse_name_clashes
from batchctl.reconcile.rules.record import record_attempts, record_manifest, record_orphan, record_retry_order
from batchctl.reconcile.rules.refusal import keep_what_is_allowed
from batchctl.reconcile.rules.removal_order import remove_dependants_first
from batchctl.reconcile.rules.reuse import label_reuse, restore_copy, reuse_known_work
from batchctl.reconcile.rules.ttl import end_after_ttl
from batchctl.reconcile.rules.updates import label_updates
from batchctl.reconcile.view.subject import JobKind

_DESIRED = frozenset({JobKind.DESIRED, JobKind.RETRY_COMMAND})
_REMOVED = frozenset({JobKind.REMOVED, JobKind.ORPHAN})
_KEPT = frozenset({*_DESIRED, JobKind.REMOVED})
_PLANNED = _DESIRED | _REMOVED
_ALL = frozenset(JobKind)

FIRST_RULES: tuple[FirstRule, ...] = (
    FirstRule(
        "cancel-command",
        frozenset({JobKind.CANCEL_COMMAND}),
        "`batchctl cancel` cancels the job, and calls off what would follow",
        "A person's order comes before everything that the manifests ask for.",
        decide_cancel,
    ),
    FirstRule(
        "retry-refused",
        frozenset({JobKind.RETRY_REFUSED}),
        "`batchctl retry` is refused, as the job can have no new attempt",
        "A refused order leaves the job as it is: no other rule may act for it.",
        refuse_retry,
    ),
    FirstRule(
        "new",
        _DESIRED,
        "a job without an attempt is created, if its account was read in full",
        "All further rules for manifests ask about the attempt that counts, and here there is none.",
        decide_new,
    ),
    FirstRule(
        "rerun-order",
        _DESIRED,
        "`--rerun` buys the same work again",
        "The order of this command comes before an older one that the record keeps.",
        rerun,
    ),
    FirstRule(
        "retry-order",
        _DESIRED,
        "an order of `batchctl retry` makes a new attempt",
        "It counts more than what the record says of the attempt: refused, failed and cancelled ones are tried again.",
        follow_retry_order,
    ),
    FirstRule(
        "unsent",
        _DESIRED,
        "an attempt without a remote job is settled, sent again, or left as it was refused",
        "Without a remote job there is nothing to follow, and nothing to replace.",
        decide_unsent,
    ),
    FirstRule(
        "same-work",
        _DESIRED,
        "the remote job is followed to its end, collected, and tried again where `retryOn` says so",
        "Most jobs end here. What remains is a change of the work.",
        decide_same_work,
    ),
    FirstRule(
        "changed-work",
        _DESIRED,
        "`onChange` decides about a change of the work",
        "It is the last rule for manifests, as it always decides.",
        decide_changed,
    ),
    FirstRule(
        "removed",
        _REMOVED,
        "`onRemove` decides about a job that no manifest describes",
        "It is the only rule for these jobs, as it always decides.",
        decide_removed,
    ),
)

RULES: tuple[Rule, ...] = (
    Rule(
        "if-refused",
        _KEPT,
        "the job as it is goes on, in case a guard refuses its end",
        "It asks what was decided first, before any rule below puts another action in its place.",
        prepare_for_refusal,
    ),
    Rule(
        "known-work",
        _DESIRED,
        "whole results of the same work are used in place of a create call",
        "It comes before everything that adds steps: it takes the create call out of the decision.",
        reuse_known_work,
    ),
    Rule(
        "restored-copy",
        _DESIRED,
        "copies of results that are incomplete are made again",
        "A copy costs nothing, so it comes before the next rule asks the API.",
        restore_copy,
    ),
    Rule(
        "collected-again",
        _DESIRED,
        "results that are incomplete in the results folder are collected again",
        "It comes before `ttl`, which deletes the remote job that they come from.",
        collect_again,
    ),
    Rule(
        "ttl",
        _DESIRED,
        "remote jobs whose `ttlAfterFinished` is over are deleted",
        "It comes after every rule that still needs the remote job, and before the one that watches over deletes.",
        end_after_ttl,
    ),
    Rule(
        "last-copy",
        _PLANNED,
        "no remote job is deleted that holds the last copy of results",
        "It sees the deletes of all rules above. Nothing below adds one.",
        guard_last_copy,
    ),
    Rule(
        "duplicates",
        _PLANNED,
        "a second remote job for an attempt is cancelled",
        "It comes after the rules that choose an action, as it acts beside each of them.",
        cancel_duplicates,
    ),
    Rule(
        "incomplete-list",
        _PLANNED,
        "nothing is created, cancelled or deleted on an account that was not read in full",
        "It comes after the last rule that adds such a step, duplicates included.",
        wait_for_full_lists,
    ),
    Rule(
        "attempt-number",
        _DESIRED,
        "no attempt gets a number that a mark cannot carry",
        "It asks about the create calls that are left.",
        limit_attempt_numbers,
    ),
    Rule(
        "adoption",
        _DESIRED,
        "a remote job that was found by its mark is adopted",
        "It names the action for what else is left: a wait, a collection, or a refusal by a rule above.",
        label_adoption,
    ),
    Rule(
        "found-results",
        _DESIRED,
        "results that the state did not know of are used",
        "As `adoption`, and after it: a job that works is more to know than a folder.",
        label_reuse,
    ),
    Rule(
        "record-attempts",
        _ALL,
        "what this pass saw of the attempts is written to the state",
        "It comes after `incomplete-list`, which drops steps: what was seen is written down whatever is decided.",
        record_attempts,
    ),
    Rule(
        "record-manifest",
        _DESIRED,
        "the job's row is written to the state as its manifest says",
        "The row comes before its attempts, which need it.",
        record_manifest,
    ),
    Rule(
        "record-orphan",
        frozenset({JobKind.ORPHAN}),
        "an orphan is taken into the state to be removed",
        "The row comes before its attempts, which need it.",
        record_orphan,
    ),
    Rule(
        "record-retry-order",
        frozenset({JobKind.RETRY_COMMAND}),
        "the order of `batchctl retry` is written to the state",
        "It comes after all rules that hold steps back: the order outlasts them.",
        record_retry_order,
    ),
    Rule(
        "dependencies",
        _DESIRED,
        "a create waits for the jobs that `dependsOn` names",
        "It holds back a create that is decided in full, and keeps what the rules above write down.",
        wait_for_dependencies,
    ),
)

STACK_RULES: tuple[StackRule, ...] = (
    StackRule(
        "removal-order",
        "a job is removed after the jobs that depend on it",
        "It asks which removals are planned, before any rule holds one back for another reason.",
        remove_dependants_first,
    ),
    StackRule(
        "damaged-marks",
        "nothing is created on an account where a mark cannot be read any more",
        "What is held back here is no rename, and takes no capacity.",
        hold_for_damaged_marks,
    ),
    StackRule(
        "name-clashes",
        "nothing is done about a job whose new name in `spec.moved` is taken",
        "A job that is refused here is no likely rename: `spec.moved` speaks of it already.",
        refuse_name_clashes,
    ),
    StackRule(
        "likely-renames",
        "a removal and a create of the same work wait for a person to decide",
        "It comes before the guards, as its own refusal names the better way out.",
        hold_likely_renames,
    ),
    StackRule(
        "guards",
        "an action that needs consent, or is one of too many, is refused",
        "What counts is the same whether or not there is capacity for it now, so it comes before `admission`.",
        find_guards,
    ),
    StackRule(
        "admission",
        "a create waits until its account has capacity",
        "A create that is refused takes no capacity from others.",
        admit,
    ),
    StackRule(
        "settings",
        "changed settings are an update, where nothing else is done",
        "Only now it is certain that nothing else is done.",
        label_updates,
    ),
    StackRule(
        "refused",
        "of a refused action only the steps remain that need no consent",
        "It is the last rule: the action above it is what a person is asked about.",
        keep_what_is_allowed,
    ),
)
