"""Several remote jobs for one attempt: found in every pass, one kept, the others cancelled."""

from __future__ import annotations

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.model.keys import AttemptKey, Mark
from batchctl.model.plan import DriftKind
from batchctl.reconcile import Options
from tests.support.engine import MODEL, job, live, made, phases, results
from tests.support.engine_boundaries import TracedState
from tests.support.values import replace

STUCK = {"fate": "stuck"}
UNTIL_APPLIED = Until(ended=False)


def copy(world, name="a", **changes):
    """Somebody makes a second remote job with an attempt's very mark."""
    world.time.sleep(1)
    mark = next(one["mark"] for one in world.here.jobs() if one["mark"].key.job == name)
    return make(world, str(replace(mark, **changes)))


def make(world, display_name):
    requests = {"requests": [{"request": {"contents": [{"parts": [{"text": "say k1"}]}]}, "metadata": {"key": "k1"}}]}
    body = {"batch": {"displayName": display_name, "inputConfig": {"requests": requests}}}
    return world.here.api("POST", f"models/{MODEL}:batchGenerateContent", body)["name"]


def states(world):
    return {one["name"]: one["state"].removeprefix("BATCH_STATE_") for one in world.here.jobs()}


def test_a_second_job_for_an_attempt_is_cancelled_and_the_first_kept(world):
    world.here.rules(STUCK)
    world.apply(job("a"))
    first, second = world.attempt("a").remote, copy(world)
    report = world.apply(job("a"))
    assert [(one.job, one.kind) for one in report.plan.drift] == [("a", DriftKind.DUPLICATE)]
    assert states(world) == {first: "PENDING", second: "CANCELLED"}
    assert world.attempt("a").remote == first
    # The cancel was of the second job: the attempt itself is not being cancelled.
    assert (world.attempt("a").cancel_time, world.attempt("a").cancel_cause) == (None, None)
    again = world.apply(job("a"))
    assert (again.plan.drift, world.here.calls("batches.cancel")) == ((), 1)


def test_a_lost_job_that_turns_up_after_it_was_made_anew_is_cancelled(world):
    """The API hid a job for longer than the grace: two bills, and the next pass ends one of them."""
    world.here.rules({"running": "1h"})
    world.here.faults(
        {"method": "batches.create", "kind": "cut", "when": "after", "count": 1},
        {"method": "batches.list", "kind": "listLag", "delay": "10m"},
    )
    world.apply(job("a"))
    assert made(world.here) == {"a@1.0": 2}
    assert len({one["mark"].token for one in world.here.jobs()}) == 1
    world.here.faults()
    report = world.watch(job("a"))
    assert sorted(states(world).values()) == ["CANCELLED", "SUCCEEDED"]
    oldest = world.here.jobs()[0]["name"]
    assert (world.attempt("a").remote, phases(report)) == (oldest, {"a": "Succeeded"})


def test_a_second_job_that_has_succeeded_is_worth_more_than_one_that_works(world):
    world.here.rules({"match": {"displayName": "*token00001*"}, **STUCK}, {"pending": "0s", "running": "0s"})
    world.apply(job("a"))
    first, second = world.attempt("a").remote, copy(world, token="othertoken")
    report = world.watch(job("a"))
    assert states(world) == {first: "CANCELLED", second: "SUCCEEDED"}
    assert (world.attempt("a").remote, phases(report)) == (second, {"a": "Succeeded"})
    assert world.result_rows("a").keys() == {"k1"}


def test_two_states_on_one_stack_end_with_one_live_job(world):
    """Two laptops without a shared state: each creates, and the first pass after that heals."""
    world.here.rules({"running": "10h"})
    # The second looks before the first has created, as far as it can see.
    world.here.faults({"method": "batches.list", "kind": "listLag", "delay": "1m"})
    other = {"state": TracedState(world.state("other.db"), world.log, world.boundaries)}
    world.apply(job("a"))
    world.time.sleep(1)
    with world.process(**other) as tools:
        drive(Around(lambda: world.desired(job("a"))), Options(), UNTIL_APPLIED, tools)
    assert made(world.here) == {"a@1.0": 2}
    world.here.faults()
    world.time.sleep(60)
    oldest = world.here.jobs()[0]["name"]
    with world.process(**other) as tools:
        report = drive(Around(lambda: world.desired(job("a"))), Options(), UNTIL_APPLIED, tools)
    assert [one.kind for one in report.plan.drift if one.job == "a"].count(DriftKind.DUPLICATE) == 1
    assert live(world.here) == {"a@1.0": [oldest]}
    world.apply(job("a"))
    assert (world.attempt("a").remote, live(world.here)) == (oldest, {"a@1.0": [oldest]})
    assert world.state("other.db").load().jobs["a"].attempts[0].remote == oldest
    assert world.here.calls("batches.cancel") == 1


def test_an_older_attempt_that_still_works_beside_the_current_one_is_cancelled(world):
    world.here.rules({"running": "10h"})
    world.apply(job("a"))
    first = world.attempt("a").remote
    second = copy(world, key=AttemptKey("a", 2), token="othertoken")
    world.apply(job("a"))
    assert states(world) == {first: "CANCELLED", second: "PENDING"}
    assert world.recorded().jobs["a"].row.current == 2


@pytest.mark.parametrize(
    "foreign",
    [
        "somebody else's job",
        str(Mark("shop", "other1", AttemptKey("a", 1), "d1:" + "0" * 12, "token00001")),
        str(Mark("shoe", "abc123", AttemptKey("a", 1), "d1:" + "0" * 12, "token00001")),
        str(Mark("shop", "abc123", AttemptKey("a", 1), "d1:" + "0" * 12, "token00001")) + " copied",
    ],
)
def test_what_is_not_ours_is_never_touched(world, foreign):
    world.here.rules({"match": {"displayName": foreign}, **STUCK})
    remote = make(world, foreign)
    world.watch(job("a"))
    world.watch(job("a", run_id="2"))
    world.watch(options=Options(allow_empty=True))
    assert states(world)[remote] == "PENDING"
    assert not next(one for one in world.here.jobs() if one["name"] == remote)["deleted"]
    assert world.recorded().jobs == {}


def test_an_orphan_is_left_until_pruning_is_asked_for(world):
    world.here.rules(STUCK)
    world.apply(job("a"), job("b"))
    for path in world.folder.glob("state.db*"):
        path.unlink()
    report = world.apply(job("b"))
    assert [(one.job, one.kind) for one in report.plan.drift] == [("a", DriftKind.ORPHAN)]
    assert live(world.here).keys() == {"a@1.0", "b@1.0"}
    world.here.rules()
    pruned = world.apply(job("b"), options=Options(prune_orphans=True))
    assert results(pruned)["a"] == "pending"
    world.apply(job("b"))
    assert live(world.here).keys() == {"b@1.0"}
    assert world.recorded().jobs.keys() == {"b"}
