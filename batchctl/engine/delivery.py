"""Deliver what is in the outbox: a bounded part of it after each pass, and what is left after the last one.

A delivery is written down after it was made: a process that dies in between delivers again, never not at all. An
error here is shown, and the delivery tried again; no job waits or fails for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from batchctl.engine.journal import Journal
from batchctl.engine.tools import Tools
from batchctl.engine.workers import Workers
from batchctl.model.errors import HookUnusable, LockedError, NotDelivered, StateError
from batchctl.model.events import EventKind
from batchctl.model.notices import Hook, Notice
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.stack import Stack
from batchctl.reconcile import (
    delivered,
    failed,
    find_waiting,
    given_up,
    held,
    possible_again,
    sort_outbox,
    stuck_notices,
)

_MOST = 50
"""Deliveries to one hook in one pass."""
_BUDGET = 20.0
"""After so many seconds a pass begins no further delivery."""
_MOST_NAMED = 3
"""The stuck jobs that a warning names; the others are counted."""
PATIENCE = timedelta(minutes=1)
"""The time that a run waits at its end to deliver failed notices again."""


def tell(stack: Stack, plan: Plan, observed: Observed, journal: Journal, tools: Tools) -> None:
    """Notify at the end of a pass: of jobs that are stuck, and of all that is due. Raises StateError."""
    for notice in stuck_notices(journal.rows, journal.attempts, plan, observed, stack, tools.clock.now()):
        journal.note_news(notice)
    _warn_of_stuck(plan, tools)
    deliver(stack, journal, tools)


def _warn_of_stuck(plan: Plan, tools: Tools) -> None:
    """Warn once of each attempt that has been in its state for far longer than others; of several in one line."""
    fresh = []
    for job in plan.jobs:
        stuck = None if job.forecast is None else job.forecast.stuck
        if stuck is None:
            tools.warnings.resolved(f"stuck {job.job}")
        elif tools.warnings.is_news(f"stuck {job.job}", f"{job.attempt and job.attempt.key} {stuck.state}"):
            fresh.append((job.job, stuck.words))
    if fresh:
        named = [f"{name} is stuck: {words}" for name, words in fresh[:_MOST_NAMED]]
        more = len(fresh) - _MOST_NAMED
        rest = [f"{more} more {'job is' if more == 1 else 'jobs are'} stuck"] if more > 0 else []
        way_out = f"`batchctl explain {fresh[0][0]}` says what to do"
        tools.progress.warn(f"{'; '.join([*named, *rest])} ({way_out})")


def deliver(stack: Stack, journal: Journal, tools: Tools) -> None:
    """Deliver what is due, each hook's notices one after the other, the hooks side by side. Raises StateError.

    A hook that fails is left alone for the rest of the pass.
    """
    began = tools.clock.elapsed()
    hooks = {hook.name: hook for hook in stack.notify}
    # What may be found again matters only for what was found before.
    again = possible_again(journal.attempts.values(), stack) if journal.outbox else frozenset()
    outbox = sort_outbox(journal.outbox, hooks, again, tools.clock.now())
    for notice in outbox.old:
        journal.note_dropped(notice)
    for notice in outbox.hopeless:
        _give_up(notice, journal, tools)
    journal.commit()
    queues = _queues(outbox.due)
    if not queues:
        return
    with Workers(max_workers=len(queues)) as pool:
        while queues and not tools.clock.is_stopped() and tools.clock.elapsed() - began < _BUDGET:
            journal.check()
            heads = [queue.pop(0) for queue in queues.values()]
            problems = list(pool.map(partial(_send, hooks, tools), heads))
            for notice, problem in zip(heads, problems, strict=True):
                _write_down(notice, problem, journal, tools)
                if problem is not None or not queues[notice.hook]:
                    del queues[notice.hook]
            journal.commit()


def deliver_rest(stack: Stack, tools: Tools) -> None:
    """Try again, for a while, what could not be delivered during a run of passes. Errors are only shown.

    Notices that cannot be delivered from here, or whose hooks are gone, are not waited for.
    """
    try:
        _deliver_rest(stack, tools)
    except LockedError:
        # The process that is in a pass now delivers it.
        return
    except StateError as error:
        tools.progress.warn(f"notifications: {error.message}")


def _deliver_rest(stack: Stack, tools: Tools) -> None:
    end = tools.clock.now() + PATIENCE
    hooks = {hook.name for hook in stack.notify}
    left = find_waiting(tools.state.load().outbox, hooks)
    while left:
        due = min(notice.next_time or tools.clock.now() for notice in left)
        if due > end or tools.clock.is_stopped():
            words = "1 notification is" if len(left) == 1 else f"{len(left)} notifications are"
            tools.progress.warn(f"{words} not delivered yet: the next `apply` or `watch` goes on")
            return
        with tools.activity.running("waiting for the next delivery to hooks"):
            tools.clock.sleep(max((due - tools.clock.now()).total_seconds(), 0.0))
        with tools.state.lock() as session:
            journal = Journal(stack, session, session.load(), tools.clock)
            deliver(stack, journal, tools)
            left = find_waiting(journal.outbox, hooks)


def _queues(due: Sequence[Notice]) -> dict[str, list[Notice]]:
    queues: dict[str, list[Notice]] = defaultdict(list)
    for notice in due:
        if len(queues[notice.hook]) < _MOST:
            queues[notice.hook].append(notice)
    return dict(queues)


def _send(hooks: Mapping[str, Hook], tools: Tools, notice: Notice) -> NotDelivered | None:
    """Make one delivery; on a worker."""
    try:
        with tools.activity.running(f"{notice.job}: delivery to {notice.hook}"):
            tools.notifier.send(hooks[notice.hook], notice)
    except NotDelivered as problem:
        return problem
    return None


def _write_down(notice: Notice, problem: NotDelivered | None, journal: Journal, tools: Tools) -> None:
    now = tools.clock.now()
    if problem is None:
        tools.warnings.resolved(f"hook {notice.hook}")
        journal.note_notice(delivered(notice, now))
        journal.note_event(
            notice.job, notice.attempt, EventKind.NOTIFIED, f"{notice.type} to {notice.hook}; {notice.id}"
        )
        return
    words = f"{problem.code}: {problem.message}"
    after = held(notice, words) if isinstance(problem, HookUnusable) else failed(notice, words, now)
    if after != notice:
        journal.note_notice(after)
    hint = f" ({problem.hint})" if problem.hint else ""
    message = f"{notice.job}: {notice.type} was not delivered to {notice.hook}: {words}{hint}"
    tools.warnings.warn(f"hook {notice.hook}", message, cause=words)


def _give_up(notice: Notice, journal: Journal, tools: Tools) -> None:
    journal.note_notice(given_up(notice, tools.clock.now()))
    words = f"{notice.type} to {notice.hook}; {notice.problem or 'the stack has no such hook'}"
    journal.note_event(notice.job, notice.attempt, EventKind.NOTIFICATION_GIVEN_UP, words)
    tools.progress.warn(f"{notice.job}: gave up the delivery of {words}")
