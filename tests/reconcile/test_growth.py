"""Planning four times as many jobs takes four times the work, whatever the jobs are in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from batchctl.model.admission import AdmissionLimits, Quota, QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import OnMissing
from batchctl.model.locations import Location
from batchctl.model.observed import Observation
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Limits, Moved, Stack
from batchctl.reconcile import Options, find_moves, plan
from batchctl.reconcile.options import Scope
from batchctl.reconcile.view.order import find_needed
from tests.support.decisions import (
    HERE,
    LOCAL,
    MINUTE,
    NOW,
    STACK,
    THERE,
    attempt,
    collected,
    foreign_jobs,
    found,
    job,
    look,
    row,
    seen,
    unanswered,
)
from tests.support.growth import CountingMapping, assert_in_step, count_steps
from tests.support.values import replace

MANY = Options(max_create=10**6, max_replace=10**6, max_delete=10**6, allow_empty=True)
Scene = Callable[[int], Callable[[], Plan]]
SCENES: dict[str, Scene] = {}


def scene(build: Scene) -> Scene:
    SCENES[build.__name__] = build
    return build


def names(number: int) -> list[str]:
    return [f"j{place:05d}" for place in range(number)]


def planning(
    wanted: Iterable[DesiredJob] = (),
    records: Iterable[RecordedJob] = (),
    looks: Iterable[Observation] = (),
    options: Options = MANY,
    stack: Stack = STACK,
    quotas: Iterable[Quota] = (),
    inventory: Inventory | None = None,
) -> Callable[[], Plan]:
    desired = DesiredStack(stack, tuple(wanted))
    recorded = Recorded(
        {record.name: record for record in records}, serial=1, quotas={quota.key: quota for quota in quotas}
    )
    observed = {one.account: one for one in looks}
    return lambda: plan(desired, recorded, observed, LOCAL, options, inventory)


def with_attempts(number: int, make: Callable[[str], RecordedAttempt], **lifecycle: object) -> list[RecordedJob]:
    return [row(job(name, **lifecycle), make(name)) for name in names(number)]


@scene
def new_jobs(number: int) -> Callable[[], Plan]:
    others = [replace(remote, name=f"{remote.name}-{name}") for name in names(number) for remote in foreign_jobs()]
    return planning([job(name, model=f"m{place}") for place, name in enumerate(names(number))], [], [look(*others)])


@scene
def working(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name))
    shown = look(*(seen(record.attempts[0]) for record in records))
    return planning([job(name) for name in names(number)], records, [shown])


@scene
def not_seen(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name))
    return planning([job(name) for name in names(number)], records, [look(complete=False)])


@scene
def gone(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name), on_missing=OnMissing.RECREATE)
    shown = look(gone=[f"batches/{name}-1" for name in names(number)])
    return planning([job(name, on_missing=OnMissing.RECREATE) for name in names(number)], records, [shown])


@scene
def without_an_answer(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: unanswered(name=name, first_look=LOCAL - MINUTE))
    others = (found(name=f"o{place}") for place in range(number))
    return planning([job(name) for name in names(number)], records, [look(*others)])


@scene
def found_by_their_marks(number: int) -> Callable[[], Plan]:
    return planning([job(name) for name in names(number)], [], [look(*(found(name=name) for name in names(number)))])


@scene
def collected_of_which_half_is_lost(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: collected(name=name, results=f"{name}/1"))
    shown = look(*(seen(record.attempts[0]) for record in records))
    there = {f"{one.name}/1": KeptResults(one.attempts[0], one.name, "shop", "abc123") for one in records[::2]}
    return planning([job(name) for name in names(number)], records, [shown], inventory=Inventory(there))


@scene
def changed(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: collected(name=name))
    shown = look(*(seen(record.attempts[0]) for record in records))
    return planning([job(name, work="2") for name in names(number)], records, [shown])


@scene
def removed(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name))
    shown = look(*(seen(record.attempts[0]) for record in records))
    return planning([], records, [shown])


@scene
def removed_after_what_needs_them(number: int) -> Callable[[], Plan]:
    wanted = [
        job(name, needs=[before] if before else [])
        for name, before in zip(names(number), ["", *names(number)], strict=False)
    ]
    records = [row(one, attempt(name=one.name)) for one in wanted]
    return planning([], records, [look(*(seen(record.attempts[0]) for record in records))])


@scene
def one_after_the_other(number: int) -> Callable[[], Plan]:
    wanted = [
        job(name, needs=[before] if before else [])
        for name, before in zip(names(number), ["", *names(number)], strict=False)
    ]
    return planning(wanted, [], [look()])


@scene
def the_last_of_a_chain_alone(number: int) -> Callable[[], Plan]:
    wanted = [
        job(name, needs=[before] if before else [])
        for name, before in zip(names(number), ["", *names(number)], strict=False)
    ]
    return planning(wanted, [], [look()], replace(MANY, scope=Scope(names=frozenset(names(number)[-1:]))))


@scene
def named_by_their_files(number: int) -> Callable[[], Plan]:
    paths = frozenset(f"jobs/{name}.yaml" for name in names(number))
    wanted = [job(name, path=f"jobs/{name}.yaml") for name in names(number)]
    return planning(wanted, [], [look()], replace(MANY, scope=Scope(paths)))


@scene
def taken_in_by_name(number: int) -> Callable[[], Plan]:
    foreign = [found(name=name, mark=None, display_name="by hand") for name in names(number)]
    wanted = [replace(job(name), adopt=f"batches/{name}-1") for name in names(number)]
    return planning(wanted, [], [look(*foreign)])


@scene
def renamed(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name))
    moved = tuple(Moved(name, f"n{name}", Location("batchctl.yaml")) for name in names(number))
    shown = look(*(seen(record.attempts[0]) for record in records))
    return planning([job(f"n{name}") for name in names(number)], records, [shown], stack=replace(STACK, moved=moved))


@scene
def held_back_by_limits(number: int) -> Callable[[], Plan]:
    admission = AdmissionLimits(
        active=number // 2, creates_per_minute=number // 3, creates_by_model={"gemini-2.5-flash": number // 4}
    )
    records = with_attempts(number, lambda name: attempt(name=name, create_time=NOW - timedelta(seconds=5)))
    shown = look(*(seen(record.attempts[0]) for record in records[: number // 5]))
    wanted = [job(name, tokens=10) for name in [*names(number), *(f"x{name}" for name in names(number))]]
    stack = replace(STACK, limits=Limits(admission=admission))
    key = QuotaKey(HERE, "gemini-2.5-flash")
    return planning(wanted, records, [shown], stack=stack, quotas=[Quota(key, number, NOW - MINUTE, NOW)])


@scene
def attempts_of_one_job(number: int) -> Callable[[], Plan]:
    tried = [collected(place, name="a") for place in range(1, number + 1)]
    extra = [found(number + 1, "RUNNING")]
    return planning([job()], [row(job(), *tried)], [look(*map(seen, tried), *extra)])


@scene
def on_two_apis(number: int) -> Callable[[], Plan]:
    records = with_attempts(number, lambda name: attempt(name=name))
    shown = look(*(seen(record.attempts[0]) for record in records))
    moved = [job(name, account=THERE) for name in names(number)]
    return planning(moved, records, [shown, look(account=THERE)])


@pytest.mark.no_cover
@pytest.mark.parametrize("build", SCENES.values(), ids=SCENES)
def test_a_plan_grows_in_step_with_its_jobs(build: Scene) -> None:
    assert_in_step(lambda number: count_steps(build(number)))


def test_what_jobs_need_is_found_without_a_walk_through_all_manifests_for_each() -> None:
    def count(number: int) -> int:
        chain = names(number)
        needs = CountingMapping(
            {name: [before] for name, before in zip(chain[1:], chain, strict=False)} | {chain[0]: []}
        )
        assert find_needed(chain[-1:], needs) == set(chain[:-1])
        return needs.asked

    assert_in_step(count)


def test_a_long_chain_of_renames_is_followed_once() -> None:
    def count(number: int) -> int:
        chain = names(number)
        moved = [Moved(before, after, Location("b")) for before, after in itertools.pairwise(chain)]
        record = row(job(chain[0]), attempt(name=chain[0]))
        recorded = Recorded({record.name: record})
        return count_steps(lambda: find_moves(moved, recorded))

    assert_in_step(count)


def test_renames_follow_what_other_records_say_of_them() -> None:
    """Each record that names a renamed job is written once for each such name, under the name that it has then."""
    records = {one.name: one for one in (row(job("a")), row(job("b", needs=["a"])), row(job("c", needs=["a", "b"])))}
    moved = [Moved("b", "y", Location("b")), Moved("a", "x", Location("b"))]
    done = find_moves(moved, Recorded(records)).recorded.jobs
    assert {name: one.row.depends_on for name, one in done.items()} == {"x": (), "y": ("x",), "c": ("x", "y")}
    assert AttemptKey("a", 1) not in {one.key for record in done.values() for one in record.attempts}
