"""All that could be otherwise: flags, commands, settings, and events to wait for.

A lever says what it changes and changes it. It does not say what comes of that: the rules do.
The file is long because all levers are read side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.admission import AdmissionLimits
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange, OnMissing, OnRemove
from batchctl.model.observed import Observation, RemoteJob
from batchctl.model.plan import JobPlan
from batchctl.model.row_work import RowOrder
from batchctl.model.stack import Stack
from batchctl.model.states import JobState
from batchctl.model.times import rfc3339_seconds
from batchctl.model.why_not import ChangeKind
from batchctl.reconcile.decide.retry_policy import failure_name
from batchctl.reconcile.options import Scope
from batchctl.reconcile.question import Question
from batchctl.reconcile.why_not.changes import (
    after,
    with_job,
    with_lifecycle,
    with_looks,
    with_options,
    with_recorded_lifecycle,
    with_remotes,
    with_stack,
    without_job,
)


class Lever(Struct, frozen=True):
    """One thing that could be otherwise for a job."""

    kind: ChangeKind
    words: str
    """The change for people, such as `--rerun translate-fr`."""
    change: Callable[[Question], Question]


def find_levers(question: Question, planned: JobPlan) -> tuple[Lever, ...]:
    """All that could be otherwise for a job of the plan, in the order of `ChangeKind`."""
    job = next((one for one in question.desired.jobs if one.name == planned.job), None)
    needs = () if job is None else planned.waits_for or tuple(sorted(job.depends_on))
    found = [*_events(question, planned, needs), *_flags(question, planned.job), *_commands(question, planned.job)]
    if job is not None:
        found += _settings(job, planned)
    return (*found, *_stack_settings(question.desired.stack))


def _events(question: Question, planned: JobPlan, needs: Sequence[str]) -> Iterator[Lever]:
    """Events that come by themselves: a timer, the end of a remote job, the end of other jobs, a readable account."""
    name, attempt = planned.job, planned.attempt
    account = None if attempt is None else attempt.account
    if planned.next_time is not None and planned.timer is not None:
        look = None if account is None or planned.timer.is_local else question.observed.get(account)
        span = planned.next_time - (question.now if look is None else look.now)
        words = f"at {rfc3339_seconds(planned.next_time)} ({planned.timer})"
        yield Lever(ChangeKind.WAIT, words, partial(_later, span=max(span, timedelta())))
    if needs:
        yield Lever(
            ChangeKind.WAIT, f"when {', '.join(needs)} has succeeded", partial(with_job, name=name, depends_on=())
        )
    if any(not look.complete for look in question.observed.values()):
        yield Lever(ChangeKind.WAIT, "when its account can be read in full", partial(with_looks, change=_read_in_full))
    record = question.recorded.jobs.get(name)
    if attempt is None or record is None or not attempt.is_active:
        return
    remotes = frozenset(
        one.remote for one in record.attempts if one.key.attempt == attempt.key.attempt and one.remote is not None
    )
    for state, words in _ENDS.items():
        ended = partial(_ended, question=question, state=state)
        yield Lever(ChangeKind.WAIT, f"when its remote job {words}", partial(with_remotes, names=remotes, change=ended))


_ENDS = {JobState.SUCCEEDED: "has succeeded", JobState.FAILED: "has failed", JobState.EXPIRED: "has expired"}


def _later(question: Question, span: timedelta) -> Question:
    return after(question, span)


def _read_in_full(look: Observation) -> Observation:
    return replace(look, complete=True, problem="")


def _ended(job: RemoteJob, question: Question, state: JobState) -> RemoteJob:
    return replace(job, state=state, end_time=question.observed[job.account].now)


_ANY_MONEY, _ANY_TOKENS = Decimal(10**12), 10**18


def _flags(question: Question, name: str) -> Iterator[Lever]:
    many = max(1, len({job.name for job in question.desired.jobs} | question.recorded.jobs.keys()))
    given: dict[str, dict[str, Any]] = {
        "--yes": {"consent": True},
        "--new-state": {"new_state": True},
        f"--max-create {many}": {"max_create": many},
        f"--max-replace {many}": {"max_replace": many},
        f"--max-delete {many}": {"max_delete": many},
        "--budget-increase with an amount, or a higher budget": {
            "budget_increase": _ANY_MONEY,
            "tokens_increase": _ANY_TOKENS,
        },
        "--allow-unknown-cost": {"allow_unknown_cost": True},
        "--allow-protected": {"allow_protected": True},
        "--allow-empty": {"allow_empty": True},
        "--adopt-changed": {"adopt_changed": True},
        "--yes-rename-as-new": {"rename_as_new": True},
        "--prune-orphans": {"prune_orphans": True},
        "--discard-results": {"discard_results": True},
        f"--rerun {name}": {"rerun": frozenset({name})},
    }
    for flag, changes in given.items():
        yield Lever(ChangeKind.FLAG, flag, partial(with_options, **changes))


def _commands(question: Question, name: str) -> Iterator[Lever]:
    if name not in question.recorded.jobs:
        return
    alone = Scope(names=frozenset({name}))
    given: dict[str, dict[str, Any]] = {
        f"batchctl retry {name}": {"retry": True},
        f"batchctl retry {name} --rows failed": {"retry": True, "retry_rows": RowOrder()},
        f"batchctl retry {name} --rows all": {"retry": True, "retry_rows": RowOrder(is_all=True)},
        f"batchctl retry {name} --accept-canary": {"retry": True, "accept_canary": True},
        f"batchctl cancel {name}": {"cancel": True},
        f"batchctl destroy {name}": {"destroy": True},
    }
    for command, changes in given.items():
        yield Lever(ChangeKind.COMMAND, command, partial(with_options, scope=alone, **changes))


def _settings(job: DesiredJob, planned: JobPlan) -> Iterator[Lever]:
    """Settings of its manifest that have another value."""
    lifecycle, more = job.lifecycle, job.lifecycle.backoff_limit + 1
    given: list[tuple[str, str, Any]] = [
        ("suspend: false", "suspend", False),
        ("protect: false", "protect", False),
        (f"backoffLimit: {more}", "backoff_limit", more),
        ("onMissing: recreate", "on_missing", OnMissing.RECREATE),
        ("onChange: replace", "on_change", OnChange.REPLACE),
        ("onChange: keep", "on_change", OnChange.KEEP),
        ("maxFailedRows: null", "max_failed_rows", None),
        ("pendingDeadline: null", "pending_deadline", None),
        ("activeDeadline: null", "active_deadline", None),
        ("ttlAfterFinished: null", "ttl_after_finished", None),
        ("ttlAfterFinished: 0s", "ttl_after_finished", timedelta()),
    ]
    wanted = {"ROWS"} if planned.attempt is None else {"ROWS", failure_name(planned.attempt)} - {""}
    given += [
        (f"retryOn with {name}", "retry_on", lifecycle.retry_on | {name})
        for name in sorted(wanted - lifecycle.retry_on - _NO_FAILURES)
    ]
    for words, field, value in given:
        if getattr(lifecycle, field) != value:
            change: dict[str, Any] = {field: value}
            yield Lever(ChangeKind.MANIFEST, f"lifecycle.{words}", partial(with_lifecycle, job=job, **change))
    if job.adopt is not None:
        yield Lever(ChangeKind.MANIFEST, "spec.adopt removed", partial(with_job, name=job.name, adopt=None))
    if job.canary is not None:
        yield Lever(ChangeKind.MANIFEST, "spec.canary removed", partial(with_job, name=job.name, canary=None))
    labels = {**job.labels, "changed": "yes"}
    words = "a change of a setting, such as metadata.labels"
    yield Lever(ChangeKind.MANIFEST, words, partial(with_job, name=job.name, labels=labels))
    other = f"{job.digest[:-1]}{'0' if job.digest[-1:] != '0' else '1'}"
    words = "a change of its work, such as another spec.runId"
    yield Lever(ChangeKind.MANIFEST, words, partial(with_job, name=job.name, digest=other))
    for policy in OnRemove:
        yield Lever(
            ChangeKind.MANIFEST,
            f"its manifest removed, with lifecycle.onRemove: {policy}",
            partial(_removed, job=job, policy=policy),
        )


_NO_FAILURES = frozenset({"SUCCEEDED", "PENDING", "RUNNING", "QUEUED", "PAUSED", "UPDATING", "CANCELLING"})
"""States that `retryOn` cannot name."""


def _removed(question: Question, job: DesiredJob, policy: OnRemove) -> Question:
    """Without the manifest. What the state has recorded of it counts then, and that follows the manifest."""
    lifecycle = replace(job.lifecycle, on_remove=policy)
    return without_job(with_recorded_lifecycle(question, job.name, lifecycle), job.name)


def _stack_settings(stack: Stack) -> Iterator[Lever]:
    yield Lever(ChangeKind.STACK, "limits.pauseWhenStalled: false", partial(with_stack, change=_unpaused))
    if stack.suspend:
        yield Lever(
            ChangeKind.STACK, "spec.suspend: false", partial(with_stack, change=partial(replace, suspend=False))
        )
    own = [one.admission for one in stack.providers.values()]
    if any(limits != AdmissionLimits() for limits in (stack.limits.admission, *own)):
        words = "higher limits.active, limits.enqueuedTokens and limits.createsPerMinute"
        yield Lever(ChangeKind.STACK, words, partial(with_stack, change=_unlimited))


def _unpaused(stack: Stack) -> Stack:
    return replace(stack, limits=replace(stack.limits, pause_when_stalled=False))


def _unlimited(stack: Stack) -> Stack:
    free = AdmissionLimits()
    providers = {name: replace(one, admission=free) for name, one in stack.providers.items()}
    return replace(stack, providers=providers, limits=replace(stack.limits, admission=free))
