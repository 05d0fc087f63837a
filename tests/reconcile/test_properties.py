"""What must hold for every history: cut-offs, lost answers, strangers, a lost state, edits at any moment."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Account
from batchctl.model.lifecycle import OnChange, OnMissing, OnRemove
from batchctl.model.observed import RemoteJob
from batchctl.model.plan import Plan
from batchctl.reconcile import Options
from tests.support.decisions import HERE, HOUR, MINUTE, THERE, attempt, decide, foreign_jobs, found, job, look, row
from tests.support.long_mode import effort
from tests.support.simulated_stack import NEXT_STATES, QUIET, World, creates
from tests.support.values import replace

OPTIONS = {
    "plain": Options(allow_empty=True, adopt_changed=True),
    "quiet": QUIET,
    "careful": Options(),
    "no consent": Options(consent=False),
    "discard": Options(allow_empty=True, discard_results=True, adopt_changed=True),
    "cancel": Options(cancel=True),
    "destroy": Options(destroy=True),
    "no limits left": Options(max_create=0, max_replace=0, max_delete=0),
}


def seldom(value: object) -> st.SearchStrategy:
    """The given value one time in eight."""
    return st.integers(0, 7).map(lambda drawn: value if drawn == 7 else None)


LIFECYCLE_FIELDS = {
    "backoff_limit": st.sampled_from([0, 1, 2]),
    "retry_on": st.sampled_from(
        [frozenset({"FAILED", "EXPIRED"}), frozenset({"FAILED", "CANCELLED", "PARTIALLY_SUCCEEDED"})]
    ),
    "pending_deadline": seldom(10 * MINUTE),
    "active_deadline": seldom(20 * MINUTE),
    "ttl_after_finished": seldom(HOUR),
    "on_change": st.sampled_from([OnChange.REPLACE, OnChange.REPLACE, *OnChange]),
    "on_remove": st.sampled_from([OnRemove.DELETE, OnRemove.DELETE, *OnRemove]),
    "on_missing": st.sampled_from(list(OnMissing)),
    "suspend": seldom(True).map(bool),
    "protect": seldom(True).map(bool),
}

WANT = st.tuples(
    st.just("want"),
    st.sampled_from("abc"),
    st.sampled_from("12"),
    st.sampled_from([HERE, HERE, THERE]),
    st.fixed_dictionaries({**LIFECYCLE_FIELDS, "needs": seldom("a").map(lambda drawn: drawn or "")}),
)
PASS = st.tuples(st.just("pass"), st.just("plain"), st.just(999))
CUT_PASS = st.tuples(st.just("pass"), st.sampled_from(list(OPTIONS)), st.integers(0, 9))
TORN_PASS = st.tuples(st.just("torn pass"), st.sampled_from(list(OPTIONS)), st.integers(0, 9))
TIME = st.tuples(st.just("time"), st.sampled_from([MINUTE, 4 * MINUTE, HOUR, timedelta(days=1)]))
PROGRESS = st.tuples(st.just("progress"), st.integers(0, 50))
RARE = st.one_of(
    st.tuples(st.just("remove"), st.sampled_from("ab")),
    st.tuples(st.just("stranger cancels"), st.integers(0, 50)),
    st.tuples(st.just("stranger deletes"), st.integers(0, 50)),
    st.tuples(st.just("lose state")),
    st.tuples(st.just("land")),
)
# Jobs have to come about before anything can happen to them: passes and progress make up the most of a history.
EVENTS = st.one_of(PASS, PASS, PASS, CUT_PASS, TORN_PASS, PROGRESS, PROGRESS, TIME, WANT, RARE, RARE)
HISTORIES = st.tuples(WANT, PASS, st.lists(EVENTS, min_size=8, max_size=30)).map(lambda drawn: [*drawn[:2], *drawn[2]])


def live(world: World, history: list[tuple]) -> None:
    """Let a history happen."""
    for event in history:
        match event:
            case ("pass", options, steps):
                world.run(OPTIONS[options], cut_after=steps)
            case ("torn pass", options, steps):
                world.run(OPTIONS[options], complete=False, cut_after=steps)
            case ("want", name, work, account, lifecycle):
                # Where it runs is part of the work.
                needs = lifecycle["needs"] if name != "a" else ""
                given = {**lifecycle, "needs": needs}
                world.want(name, work if account == HERE else chr(ord(work) + 2), account, **given)
            case ("remove", name):
                world.desired.pop(name, None)
            case ("time", span):
                world.now += span
            case ("lose state",):
                world.recorded = {}
            case ("land",):
                world.land()
            case (what, number):
                disturb(world, what, number)


def disturb(world: World, what: str, number: int) -> None:
    """What happens to one of the remote jobs."""
    jobs = world.ours()
    if not jobs:
        return
    remote = jobs[number % len(jobs)]
    if what == "stranger cancels":
        world.stop_job(remote)
    elif what == "stranger deletes":
        del world.remote[remote.name]
    elif remote.state in NEXT_STATES:
        states = NEXT_STATES[remote.state]
        world.advance_job(remote, states[number % len(states)])


@settings(derandomize=True, deadline=None, max_examples=effort(40, 4000))
@given(HISTORIES, st.integers(0, 1000))
def test_every_history_is_safe_and_comes_to_rest(history: list[tuple], seed: int) -> None:
    """The safety rules are checked by the world on every plan; here is what holds at rest."""
    world = World(random.Random(seed))
    live(world, history)

    world.settle_down()
    assert max(world.living().values(), default=0) <= 1
    assert max(Counter(key.job for key in world.living()).values(), default=0) <= 1

    last = world.calm_down()

    assert not creates(last)
    again = world.run(QUIET, reliable=True)
    assert not creates(again)
    assert [job.action for job in again.jobs if job.guard is None and job.action not in {"wait", "none"}] == []
    assert len([name for name in world.remote if name.startswith("foreign/")]) == 6


CROWD = [
    found(1, "FAILED"),
    found(2, "SUCCEEDED"),
    found(2, suffix="-second"),
    found(3),
    found(3, suffix="-second", age=HOUR),
    found(3, "SUCCEEDED", suffix="-third", account=THERE),
    found(1, name="b"),
    found(1, name="orphan"),
    *foreign_jobs(),
]
CROWD_RECORD = [attempt(1, "PENDING"), attempt(2, "RUNNING"), attempt(3, "PENDING")]


@settings(derandomize=True, deadline=None, max_examples=effort(30, 1000))
@given(
    st.permutations(CROWD),
    st.permutations(CROWD_RECORD),
    st.permutations([job("a"), job("b"), job("c")]),
    st.permutations([HERE, THERE]),
    st.sampled_from(list(OPTIONS.values())),
)
def test_the_order_of_what_is_given_never_changes_the_plan(
    remotes: list[RemoteJob],
    attempts: list[RecordedAttempt],
    wanted: list[DesiredJob],
    accounts: list[Account],
    options: Options,
) -> None:
    def decided(jobs: list[RemoteJob], records: list[RecordedAttempt], manifests: list[DesiredJob]) -> Plan:
        rows = [row(job("a"), *records, current=3), row(job("gone"))]
        looks = [look(*(each for each in jobs if each.account == account), account=account) for account in accounts]
        return decide(manifests, rows, looks, replace(options, show_unmanaged=True))

    expected = decided(CROWD, CROWD_RECORD, [job("a"), job("b"), job("c")])
    assert decided(remotes, attempts, wanted) == expected
