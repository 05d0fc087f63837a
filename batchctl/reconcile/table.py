"""The rules by which batchctl decides, in their order.

The order is data: to find out why a job is cancelled, read this table from the top, then the function that the row
names. The first of `FIRST_RULES` for the job's kind and traits that gives a decision makes it. Then each such one of
`RULES` may change it, and finally each of `STACK_RULES`, which see the decisions for all jobs. `fold` runs them;
`explain -v` shows which rules changed a decision. A function that most runs do not need is imported when it is first
called. The file is long because it is one table, in one order.
"""

from __future__ import annotations

from batchctl.reconcile.admission.admit import admit
from batchctl.reconcile.decide.remote import decide_same_work
from batchctl.reconcile.rule import ByNeed, FirstRule, Rule, StackRule, Trait, when_jobs_move
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
        "`batchctl cancel` cancels the job, and no retry follows",
        "An explicit command takes precedence over the manifests.",
        ByNeed("decide.cancel_order:decide_cancel"),
    ),
    FirstRule(
        "retry-refused",
        frozenset({JobKind.RETRY_REFUSED}),
        "`batchctl retry` is refused, because the job cannot have a new attempt",
        "A refused command does not change the job: no other rule may act on it.",
        ByNeed("decide.retry_order:refuse_retry"),
    ),
    FirstRule(
        "new",
        _DESIRED,
        "a job without an attempt is created, if the list of its account is complete",
        "All later rules for manifests need a current attempt, and this job has none.",
        ByNeed("decide.desired:decide_new"),
        frozenset({Trait.UNSENT}),
    ),
    FirstRule(
        "rerun-order",
        _DESIRED,
        "`--rerun` buys the same work again",
        "This command takes precedence over an older `batchctl retry` in the state.",
        ByNeed("decide.rerun:rerun"),
        frozenset({Trait.ORDERED}),
    ),
    FirstRule(
        "retry-order",
        _DESIRED,
        "`batchctl retry` starts a new attempt; with `--rows`, it sends the rows that are named, also after success",
        "The command takes precedence over the recorded outcome: refused, failed and cancelled attempts are retried.",
        ByNeed("decide.retry_order:follow_retry_order"),
        frozenset({Trait.ORDERED}),
    ),
    FirstRule(
        "unsent",
        _DESIRED,
        "an attempt without a remote job is resolved, sent again, or stays refused; shards are left to `same-work`",
        "Without a remote job, the next rules have nothing to follow or replace.",
        ByNeed("decide.desired:decide_unsent"),
        frozenset({Trait.UNSENT}),
    ),
    FirstRule(
        "same-work",
        _DESIRED,
        "each remote job is followed to its end and collected; when all shards have ended, their results are"
        " merged, and rows or the job are retried as the manifest says",
        "This rule decides all jobs whose work has not changed; only changed work remains.",
        decide_same_work,
    ),
    FirstRule(
        "awaited-rows",
        _DESIRED,
        "a chain keeps its former attempt until the rows from the new answers are known",
        "The rows may turn out to be the same, so it comes before the rule that follows a change.",
        ByNeed("decide.awaited_rows:follow_while_rows_are_awaited"),
    ),
    FirstRule(
        "changed-work",
        _DESIRED,
        "`onChange` decides what happens when the work has changed; shards that were not created are given up",
        "It always decides, so it is the last rule for jobs with a manifest.",
        ByNeed("decide.changed:decide_changed"),
    ),
    FirstRule(
        "removed",
        _REMOVED,
        "`onRemove` decides what happens to a job without a manifest",
        "It always decides, and is the only rule for these jobs.",
        ByNeed("decide.removed:decide_removed"),
    ),
)

RULES: tuple[Rule, ...] = (
    Rule(
        "if-refused",
        _KEPT,
        frozenset({Trait.ACTS, Trait.EXCEPTIONAL}),
        "the existing remote job continues if a guard refuses to replace or remove it",
        "It needs the first decision, before a later rule replaces the action.",
        ByNeed("rules.fallback:prepare_for_refusal"),
    ),
    Rule(
        "known-work",
        _DESIRED,
        frozenset({Trait.ACTS}),
        "complete results of the same work are reused instead of a create call; those of one shard or of a"
        " canary are not complete",
        "It removes the create call, so it comes before all rules that add steps.",
        ByNeed("rules.reuse:reuse_known_work"),
    ),
    Rule(
        "choose-rows",
        _DESIRED,
        frozenset({Trait.ACTS}),
        "a create call sends the rows without a good answer, or a canary of them; if there are none, nothing"
        " is created",
        "It chooses rows for the create calls that `known-work` leaves.",
        ByNeed("rules.row_choice:choose_rows"),
    ),
    Rule(
        "restored-copy",
        _DESIRED,
        frozenset({Trait.RESULTS}),
        "incomplete copies of results are copied again",
        "A local copy needs no API call, so it comes before `collected-again`.",
        ByNeed("rules.reuse:restore_copy"),
    ),
    Rule(
        "collected-again",
        _DESIRED,
        frozenset({Trait.RESULTS}),
        "results of earlier attempts that are missing or incomplete in the results folder are collected",
        "It comes before `ttl`, which deletes the remote job that has these results.",
        ByNeed("rules.collected:collect_again"),
    ),
    Rule(
        "ttl",
        _DESIRED,
        frozenset({Trait.TTL}),
        "remote jobs are deleted when their `ttlAfterFinished` has expired",
        "It comes after every rule that needs the remote job, and before `last-copy`, which checks deletes.",
        ByNeed("rules.ttl:end_after_ttl"),
    ),
    Rule(
        "last-copy",
        _PLANNED,
        frozenset({Trait.ACTS}),
        "a remote job that has the last copy of results is not deleted",
        "All rules that add deletes come before it.",
        ByNeed("rules.collected:guard_last_copy"),
    ),
    Rule(
        "duplicates",
        _PLANNED,
        frozenset({Trait.SEVERAL}),
        "a second remote job for an attempt, or for a shard, is cancelled",
        "It adds a cancel to any action, so it comes after the rules that choose the action.",
        ByNeed("rules.duplicates:cancel_duplicates"),
    ),
    Rule(
        "incomplete-list",
        _PLANNED,
        frozenset({Trait.ACTS}),
        "nothing is created, cancelled or deleted on an account whose list is incomplete",
        "It comes after the last rule that adds such a step (`duplicates`).",
        ByNeed("rules.incomplete:wait_for_full_lists"),
    ),
    Rule(
        "attempt-number",
        _DESIRED,
        frozenset({Trait.ACTS}),
        "an attempt number that is too large for a mark is refused",
        "It checks the create calls that remain.",
        ByNeed("rules.attempt_numbers:limit_attempt_numbers"),
    ),
    Rule(
        "adoption",
        _DESIRED,
        frozenset({Trait.NEWS}),
        "a remote job that is found by its mark is adopted",
        "It changes only how the remaining action is shown: a wait, a collection, or an action held by a rule above.",
        ByNeed("rules.adoption:label_adoption"),
    ),
    Rule(
        "found-results",
        _DESIRED,
        frozenset({Trait.NEWS}),
        "results that the state does not record are used",
        "Like `adoption`, and after it: an active remote job is shown rather than a results folder.",
        ByNeed("rules.reuse:label_reuse"),
    ),
    Rule(
        "record-attempts",
        _ALL,
        frozenset({Trait.NEWS}),
        "what this pass observed of the attempts is recorded in the state",
        "Observations are recorded whatever is decided, so it comes after `incomplete-list`, which drops steps.",
        ByNeed("rules.record:record_attempts"),
    ),
    Rule(
        "record-manifest",
        _DESIRED,
        frozenset({Trait.ACTS, Trait.UNRECORDED}),
        "the job is recorded in the state as its manifest describes it",
        "Attempts refer to the row of their job, so it is written before them.",
        ByNeed("rules.record:record_manifest"),
    ),
    Rule(
        "record-orphan",
        frozenset({JobKind.ORPHAN}),
        frozenset({Trait.EXCEPTIONAL}),
        "an orphan is recorded in the state, to be removed",
        "Attempts refer to the row of their job, so it is written before them.",
        ByNeed("rules.record:record_orphan"),
    ),
    Rule(
        "record-retry-order",
        frozenset({JobKind.RETRY_COMMAND}),
        frozenset({Trait.EXCEPTIONAL}),
        "`batchctl retry` is recorded in the state",
        "It comes after all rules that hold back steps: the command stays valid until it is carried out.",
        ByNeed("rules.record:record_retry_order"),
    ),
    Rule(
        "dependencies",
        _DESIRED,
        frozenset({Trait.ACTS}),
        "a create call waits for the jobs in `dependsOn`; that of a chain also for its rows",
        "It holds back a create call that is otherwise decided, and keeps the records of the rules above.",
        ByNeed("rules.dependencies:wait_for_dependencies"),
    ),
)

STACK_RULES: tuple[StackRule, ...] = (
    StackRule(
        "removal-order",
        "a job is removed after the jobs that depend on it",
        "It needs all planned removals, before another rule holds one back.",
        ByNeed("rules.removal_order:remove_dependants_first"),
        when_jobs_move,
    ),
    StackRule(
        "damaged-marks",
        "nothing is created on an account that has a recorded job with an unreadable mark",
        "A create call that is held back here takes no capacity, and is not refused as a likely rename.",
        ByNeed("rules.damaged_marks:hold_for_damaged_marks"),
        when_jobs_move,
    ),
    StackRule(
        "name-clashes",
        "a job is not changed if its new name in `spec.moved` is taken",
        "A job that is refused here has an entry in `spec.moved`, so it is not a likely rename.",
        ByNeed("rules.name_clashes:refuse_name_clashes"),
        lambda _, context: bool(context.clashes),
    ),
    StackRule(
        "likely-renames",
        "a removal and a create of the same work wait for the user's decision",
        "It comes before `guards`, because its refusal names the better way out (`spec.moved`).",
        ByNeed("rules.likely_renames:hold_likely_renames"),
        lambda decisions, context: (
            bool(decisions.moving) or not context.recorded.jobs.keys() <= context.manifests.keys()
        ),
    ),
    StackRule(
        "guards",
        "an action that needs consent, or exceeds a limit, is refused",
        "Limits do not depend on the current capacity, so it comes before `admission`.",
        ByNeed("rules.guards:find_guards"),
        lambda decisions, context: bool(decisions.moving) or context.recorded.is_new,
    ),
    StackRule(
        "budget",
        "what goes beyond the limits of money or tokens is refused; in `watch` it waits",
        "What `guards` refuses is not bought, so it needs no budget; what has none takes no capacity in `admission`.",
        ByNeed("cost.budget:keep_budget"),
        lambda _, context: context.stack.limits.spending.is_set,
    ),
    StackRule(
        "admission",
        "a create waits until its account has capacity, and while many jobs of its model wait at the API and none"
        " begins; of several shards, as many are created as there is capacity for",
        "It comes after `guards`, so that a refused create takes no capacity from others.",
        admit,
    ),
    StackRule(
        "settings",
        "changed settings are shown as an update, if the job has no other action",
        "All rules that may add another action come before it.",
        ByNeed("rules.updates:label_updates"),
        when_jobs_move,
    ),
    StackRule(
        "refused",
        "a refused action keeps only the steps that need no consent",
        "It is the last rule: the user is asked about the action as the rules above decided it.",
        ByNeed("rules.refusal:keep_what_is_allowed"),
        lambda decisions, _: bool(decisions.guards),
    ),
)
