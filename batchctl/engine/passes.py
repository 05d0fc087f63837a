"""One pass: observe, plan, execute, notify. The lock is held during the pass, and never while sleeping."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.engine.after_pass import AfterPass
from batchctl.engine.delivery import tell
from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.observe import observe
from batchctl.engine.preview import Approve, decide, preview
from batchctl.engine.renaming import rename_jobs
from batchctl.engine.steps.execute import execute
from batchctl.engine.tools import Tools
from batchctl.engine.upload_cleanup import clean_up
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account
from batchctl.model.observed import Observed
from batchctl.model.observing import PassWork
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Plan
from batchctl.model.ports.surroundings import Stoppable
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.reconcile import Options, Timing, find_moves, seconds_left, time_plan

_LEAST_COLLECTING = 0.5
"""Seconds for which a pass collects at least, if jobs are active; else as long as it took until then."""
_SHORTEST_LOOK = 10.0
"""Seconds that an observation may take, whatever `--timeout` says: without one there is nothing to report."""


class Asked(Struct, frozen=True):
    """The work of a pass."""

    desired: DesiredStack
    options: Options
    follows: bool = False
    """Whether jobs are only followed, because the manifests may be older than what was done: nothing is begun by them,
    with consent or without."""


Ask = Callable[[Recorded], Asked]
"""Reads the work of a pass. It is called under the lock, with the state as the pass finds it: the process that held the
lock before has acted on manifests that are no younger than these."""


class PassReport(Struct, frozen=True):
    """The report of one pass."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    after: AfterPass
    """State, manifests and accounts at its end."""
    accounts: frozenset[Account] = frozenset()
    """All that were read, or failed to be."""
    errors: Mapping[Account, BatchctlError] = field(default_factory=dict)
    """Those that could not be read in full, with the reason."""
    unanswered: frozenset[str] = frozenset()
    """Jobs with a create call that has no answer at the end of the pass."""
    unsent: frozenset[str] = frozenset()
    """Jobs with shards that this pass has chosen and not created yet."""
    is_cut_short: bool = False
    """Whether the pass has left collections for the next one, which follows at once, or when `held` is over."""
    held: float | None = None
    """When the last job is expected to have ended, on the monotonic clock: collections wait for it. None: they do not
    wait."""
    rested: float = 0.0
    """When its last step ended, on the monotonic clock, or if it has only looked, when it began."""
    undelivered: bool = False
    """Whether a hook has not taken all of its notices."""
    timing: Timing = field(default_factory=Timing)
    """When its decisions fall due."""
    list_calls: Mapping[Account, int] = field(default_factory=dict)
    """The calls that each account's list takes."""
    version: StateVersion = StateVersion()
    """Of the state as the pass found it."""


def run_pass(
    ask: Ask,
    tools: Tools,
    approve: Approve | None = None,
    only: frozenset[str] | None = None,
    left: float | None = None,
    *,
    is_followed: bool = False,
    like: Iterable[DesiredJob] = (),
) -> PassReport:
    """Read, observe, plan and execute under the lock. Raises LockedError, StateError, what `ask` and `approve` raise.

    `only` leaves all jobs but these; unlike a scope it changes nothing in what is decided and guarded. `left` are the
    seconds that the whole command has left: a look takes no longer, but for what it takes where nothing is wrong. If it
    `is_followed` by another pass, a part of the collections may be left for that one. `like`: see `StateStore.load`.
    """
    with tools.activity.observing(PassWork()), tools.state.lock() as session:
        locked = tools.clock.elapsed()
        before = session.load(like)
        asked = ask(before)
        desired, options = asked.desired, asked.options
        if approve is not None and find_moves(desired.stack.moved, before).due:
            # Renames are written before a pass is planned, and nothing is written without approval.
            approve(preview(desired, options, tools, before).plan)
        moved = rename_jobs(desired, before, session, tools)
        recorded = moved.recorded
        # A look may take minutes, and what it shows first is as old as that: no grace is over that ran out meanwhile.
        begun = tools.clock.now()
        seconds = None if left is None else max(left, _SHORTEST_LOOK)
        has_new = any(job.name not in recorded.jobs for job in desired.jobs)
        look = observe(
            desired,
            recorded,
            tools,
            foreign=options.show_unmanaged,
            seconds=seconds,
            meanwhile=tools.get_ready if has_new else None,
        )
        now, elapsed = tools.clock.now(), tools.clock.elapsed()
        planned = decide(desired, recorded, look.observed, begun, options, tools)
        if only is not None:
            planned = _without(planned, {job.job for job in planned.jobs} - only)
        if asked.follows:
            planned = _without(planned, {job.job for job in planned.jobs if not job.action.follows_remote})
        if approve is not None:
            approve(planned)
        tools.progress.planned(planned)
        journal = Journal(desired.stack, session, recorded, tools.clock)
        for account, identity in planned.identities.items():
            journal.note_identity(account, identity)
        observations = Observations(look.observed)
        limit = _Collecting(planned, look.observed, journal, tools.clock, locked, elapsed) if is_followed else None
        done = execute(_without(planned, moved.failed), desired, journal, observations, tools, limit)
        rested = tools.clock.elapsed() if done.has_acted else locked
        failed = {name: Outcome(name, Result.FAILED, error=error) for name, error in moved.failed.items()}
        tools.inputs.release()
        clean_up(desired.stack, planned, journal, observations, tools)
        tell(desired.stack, planned, look.observed, journal, tools)
        # An order is carried out once: the next plan is made without it.
        followed = replace(options, rerun=frozenset())
        after = journal.recorded
        unanswered = frozenset([attempt.key.job for attempt in after.unanswered])
        unsent = frozenset(attempt.key.job for attempt in journal.new_attempts if attempt.is_new)
        inventory = tools.look_at_results(desired, after, options)
    return PassReport(
        planned,
        {**done.outcomes, **failed},
        AfterPass(
            desired,
            after,
            observations.observed,
            begun,
            followed,
            inventory,
        ),
        frozenset(look.observed),
        look.errors,
        unanswered,
        unsent,
        done.is_cut_short,
        None if limit is None else limit.until,
        rested,
        any(notice.is_pending for notice in journal.outbox),
        timing=time_plan(planned, desired, look.observed, now, elapsed),
        list_calls={
            account: tools.providers.calls_of_list(account, len(one.jobs)) for account, one in look.observed.items()
        },
        version=before.version,
    )


class _Collecting:
    """How long a pass collects if another one follows. See decision 117."""

    def __init__(
        self, plan: Plan, observed: Observed, journal: Journal, clock: Stoppable, locked: float, looked: float
    ) -> None:
        self._plan = plan
        self._observed = observed
        self._journal = journal
        self._clock = clock
        self._locked = locked
        """When the pass began, on the monotonic clock."""
        self._looked = looked
        """When the accounts were read."""
        self.until: float | None = None
        """See `PassReport.held`."""

    def __call__(self) -> float | None:
        """The seconds; None: for as long as it takes.

        If the last job ends in a moment, it is 0: one more look shows that, and then all is collected in one go. What
        this pass has seen is recorded by now, and so in the history.
        """
        if not any(job.attempt is not None and job.attempt.is_active for job in self._plan.jobs):
            return None
        seconds = max(self._clock.elapsed() - self._locked, _LEAST_COLLECTING)
        left = seconds_left(self._plan, self._journal.recorded, self._observed)
        if left is None or self._looked + left > self._clock.elapsed() + 2 * seconds:
            return seconds
        self.until = self._looked + left
        return 0


def _without(plan: Plan, names: Collection[str]) -> Plan:
    """The plan without the jobs that nothing can be done for."""
    return replace(plan, jobs=tuple(job for job in plan.jobs if job.job not in names)) if names else plan
