"""When manifests are read: under the lock of the pass that acts on them, and what follows when they have changed."""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest

from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.model.errors import GuardError, LockedError, ManifestError, StoppedError, UsageError
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.stack import Limits, Moved
from batchctl.providers.job_lists import JobLists
from batchctl.reconcile import Options, Scope
from tests.support.engine import job as any_job
from tests.support.engine import live, made, phases, results, run
from tests.support.values import replace

MINUTE = timedelta(minutes=1)
WAIT = Until(ended=True)
SETTLE = Until(ended=False)
FOREVER = Until(ended=True, forever=True)
SLOW = {"pending": "1s", "running": "15m"}
BROKEN = ManifestError([Diagnostic(Location("a.yaml", 3, 1), "InvalidYaml", "not YAML")])
A_TO_B = (Moved("a", "b", Location("batchctl.yaml", 6, 5)),)


def job(name, work="the same", **more):
    """A job whose work does not depend on its name."""
    return any_job(name, run_id=f"{name if work == 'own' else work}", **more)


class Checkout:
    """What the manifests say, as they are now; how often they were read, and whether the lock was held then."""

    def __init__(self, world, *jobs, **changes):
        self.world = world
        self.become(*jobs, **changes)
        self.readings = 0

    def become(self, *jobs, **changes):
        self.jobs, self.changes = jobs, changes

    def __call__(self):
        self.readings += 1
        if self.jobs and isinstance(self.jobs[0], Exception):
            raise self.jobs[0]
        return self.world.desired(*self.jobs, **self.changes)


def another_process(world, *jobs, options=None, **changes):
    """Somebody else's `apply`, while our process sleeps."""
    clock, progress = world.clock, world.progress
    world.apply(*jobs, options=options, **changes)
    world.clock, world.progress = clock, progress


@pytest.mark.parametrize("until", [SETTLE, WAIT, Until(ended=True, once=True)])
def test_each_pass_reads_under_its_lock(world, until):
    held = []

    def read():
        try:
            world.state().lock().__exit__(None, None, None)
        except LockedError:
            held.append(True)
        else:
            held.append(False)
        return world.desired(job("a"))

    run(world, read, until)
    assert held
    assert all(held)


def test_what_changed_while_the_lock_was_waited_for_counts(world):
    """The lock comes when the other process has renamed the job."""
    checkout = Checkout(world, job("a"))
    state = world.state()

    class Late:
        load = state.load

        def lock(self):
            if checkout.readings == 0:
                another_process(world, job("a"))
                another_process(world, job("b"), moved=A_TO_B)
                checkout.become(job("b"), moved=A_TO_B)
            return state.lock()

    with world.process(state=Late()) as tools:
        report = drive(Around(checkout), Options(), SETTLE, tools)
    assert results(report) == {"b": "pending"}
    assert made(world.here) == {"a@1.0": 1}
    assert live(world.here).keys() == {"a@1.0"}


OTHERS = [
    pytest.param([job("a", "other"), job("c", "own")], {}, "changed: a", id="edited"),
    pytest.param([job("a", protect=True), job("c", "own")], {}, "changed: a", id="other lifecycle"),
    pytest.param([job("a"), job("c", "own"), job("d", "own")], {}, "new: d", id="added"),
    pytest.param([job("c", "own")], {}, "gone: a", id="removed"),
    pytest.param([job("b"), job("c", "own")], {"moved": A_TO_B}, "new: b; gone: a", id="renamed"),
    pytest.param([], {}, "gone: a, c", id="emptied"),
    pytest.param([any_job(f"n{number}") for number in range(7)], {}, "new: n0, n1, n2, n3, n4 and 2 more", id="many"),
]


@pytest.mark.parametrize(("jobs", "changes", "words"), OTHERS)
def test_a_run_ends_when_it_finds_other_work(world, jobs, changes, words):
    """Another process has applied the new version; neither that nor the old one is acted on."""
    world.here.rules(SLOW)
    checkout = Checkout(world, job("a"), job("c", "own"))
    seen = []

    def during(number):
        if number == 3:
            another_process(world, *jobs, options=Options(allow_empty=True), **changes)
            checkout.become(*jobs, **changes)
            seen.append((world.recorded(), made(world.here), live(world.here).keys()))

    report = run(world, checkout, WAIT, during=during)
    assert isinstance(report.stopped, GuardError)
    assert (report.stopped.code, report.stopped.exit_code) == ("ManifestsChanged", 6)
    assert words in report.stopped.message
    assert seen == [(world.recorded(), made(world.here), live(world.here).keys())]
    # What the run has done is reported.
    assert results(report).keys() == {"a", "c"}


def test_a_run_that_only_settles_ends_so_too(make_world):
    world = make_world(limits=Limits(settle_grace=timedelta(seconds=90)))
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "before", "count": 1})
    checkout = Checkout(world, job("a"))
    report = run(world, checkout, SETTLE, during=lambda number: checkout.become(job("a", "other")))
    assert report.stopped is not None
    assert report.stopped.code == "ManifestsChanged"
    assert made(world.here) == {}


def test_destroy_ends_before_it_removes_what_is_new(world):
    world.here.rules({**SLOW, "fate": "cancelSlow"})
    world.apply(job("a"))
    checkout = Checkout(world, job("a"))

    def during(number):
        if number == 1:
            another_process(world, job("a"), job("b", "own"), options=Options(scope=Scope(names=frozenset("b"))))
            checkout.become(job("a"), job("b", "own"))

    report = run(world, checkout, WAIT, Options(destroy=True), during=during)
    assert report.stopped is not None
    assert "new: b" in report.stopped.message
    assert live(world.here).keys() >= {"b@1.0"}


@pytest.mark.parametrize(
    ("jobs", "changes"),
    [
        pytest.param([job("a"), job("z", "own")], {}, id="out of scope"),
        pytest.param([replace(job("a"), location=Location("a.yaml", 9, 1))], {}, id="at another line"),
        pytest.param([job("a")], {"limits": Limits(max_create=7)}, id="another limit"),
    ],
)
def test_what_is_no_other_work_is_followed(world, jobs, changes):
    checkout = Checkout(world, job("a"))
    options = Options(scope=Scope(names=frozenset("a")))
    report = run(world, checkout, WAIT, options, during=lambda number: checkout.become(*jobs, **changes))
    assert (report.stopped, phases(report)["a"]) == (None, "Succeeded")
    assert made(world.here) == {"a@1.0": 1}


def test_input_that_lies_elsewhere_is_the_same(world):
    """A checkout that is switched by a link: another path, the same rows."""
    file = world.write_rows("one.jsonl", "k1", "k2")
    copy = world.write_rows("two.jsonl", "k1", "k2")
    checkout = Checkout(world, any_job("a", file))
    report = run(world, checkout, WAIT, during=lambda number: checkout.become(any_job("a", copy)))
    assert (report.stopped, phases(report)) == (None, {"a": "Succeeded"})


def test_manifests_that_cannot_be_read_any_more_end_a_run_with_its_report(world):
    world.here.rules(SLOW)
    checkout = Checkout(world, job("a"))
    report = run(world, checkout, WAIT, during=lambda number: checkout.become(BROKEN))
    assert report.stopped is BROKEN
    assert (results(report), phases(report)) == ({"a": "done"}, {"a": "Waiting"})
    assert world.here.calls("batches.cancel") == 0
    checkout.become(job("a"))
    gone = OSError(errno.ENOENT, "No such file or directory")
    with pytest.raises(OSError, match="No such file"):
        run(world, checkout, WAIT, during=lambda number: checkout.become(gone))


@pytest.mark.parametrize("until", [SETTLE, WAIT])
@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        pytest.param({"uid": "zzz999"}, UsageError, "another stack", id="another stack"),
        pytest.param({"state": "s"}, GuardError, "state at", id="another state"),
        pytest.param({"results": "r"}, GuardError, "results at", id="other results"),
    ],
)
def test_a_stack_file_that_leads_elsewhere_is_not_followed(world, until, changes, error, words):
    """The lock that is held is that of the state which the command opened."""
    places = {key: world.folder / value if key != "uid" else value for key, value in changes.items()}
    with pytest.raises(error, match=words):
        run(world, Checkout(world, job("a"), **places), until)
    assert (made(world.here), world.recorded().jobs) == ({}, {})


def serve(world, checkout, span, happenings, options=None):
    begin, left = world.time.now(), sorted(happenings.items(), key=lambda one: one[0])

    def during(number):
        while left and world.time.now() - begin >= left[0][0]:
            left.pop(0)[1]()
        if world.time.now() - begin >= span:
            world.clock.stop()

    report = run(world, checkout, FOREVER, options, during=during)
    assert isinstance(report.stopped, StoppedError)
    return report


@pytest.mark.parametrize("reading", [(BROKEN,), ()], ids=["broken", "emptied"])
@pytest.mark.parametrize(
    ("jobs", "changes"),
    [
        pytest.param([job("a", "other")], {}, id="edited"),
        pytest.param([job("b")], {"moved": A_TO_B}, id="renamed"),
        pytest.param([job("a"), job("c", "own")], {}, id="added"),
        pytest.param([], {}, id="removed"),
    ],
)
def test_a_service_does_not_undo_by_an_older_set_what_another_process_did(world, reading, jobs, changes):
    """Its own reading fails just then, so its last good set is older than what was applied."""
    world.here.rules(SLOW)
    checkout = Checkout(world, job("a"))
    after = []

    def change():
        another_process(world, *jobs, options=Options(allow_empty=True), **changes)
        checkout.become(*reading)
        after.append((made(world.here), live(world.here).keys(), world.recorded().jobs.keys()))

    def look():
        after.append((made(world.here), live(world.here).keys(), world.recorded().jobs.keys()))

    back = {"a", "c"} if len(jobs) > 1 else {one.name for one in jobs}
    serve(
        world,
        checkout,
        30 * MINUTE,
        {2 * MINUTE: change, 9 * MINUTE: look, 10 * MINUTE: lambda: checkout.become(*jobs, **changes)},
        Options(allow_empty=reading != ()),
    )
    assert after[0] == after[1]
    assert sum("another process has changed the state" in told for told in world.progress.warnings) == 1
    # What the other process has begun goes on with its version, once.
    assert made(world.here) == dict.fromkeys({*after[0][0], *(["a@2.0"] if jobs == [job("a", "other")] else [])}, 1)
    if jobs:
        assert "jobs are created, replaced and removed again" in world.progress.warnings
        assert world.recorded().jobs.keys() == back


def test_an_older_set_begins_nothing_that_takes_no_consent(world):
    """Work whose results are here is used again without asking: under the old name that would undo the rename."""
    checkout = Checkout(world, job("a"))
    seen = []

    def rename():
        another_process(world, job("b"), moved=A_TO_B)
        another_process(world, job("b", "other"), moved=A_TO_B)
        checkout.become(BROKEN)

    happenings = {20 * MINUTE: rename, 30 * MINUTE: lambda: seen.append(world.recorded().jobs.keys())}
    serve(world, checkout, 40 * MINUTE, happenings)
    assert seen == [{"b"}]
    assert world.recorded().jobs.keys() == {"b"}
    # What is there is followed.
    assert world.attempt("b", 2).results is not None


def test_an_older_set_renames_nothing_back(world):
    checkout = Checkout(world, job("b"), moved=A_TO_B)

    def back():
        another_process(world, job("a"), moved=(Moved("b", "a", Location("batchctl.yaml", 6, 5)),))
        checkout.become(BROKEN)

    world.apply(job("a"))
    serve(world, checkout, 20 * MINUTE, {5 * MINUTE: back})
    assert (world.recorded().jobs.keys(), made(world.here)) == ({"a"}, {"a@1.0": 1})


def test_a_rename_that_another_process_applied_is_not_undone_by_the_first_reading_without_the_old_name(world):
    """A manifest that is gone counts at its second reading; meanwhile the job must not be bought again."""
    world.here.rules(SLOW)
    checkout = Checkout(world, job("a"))

    def rename():
        another_process(world, job("b"), moved=A_TO_B)
        checkout.become(job("b"), moved=A_TO_B)

    report = serve(world, checkout, 30 * MINUTE, {2 * MINUTE: rename})
    assert (made(world.here), phases(report)) == ({"a@1.0": 1}, {"b": "Succeeded"})
    assert world.recorded().jobs.keys() == {"b"}


def test_a_service_alone_goes_on_with_its_last_good_set(world):
    world.here.rules({"pending": "1s", "running": "5m"})
    checkout = Checkout(world, job("a"), replace(job("b", "own"), depends_on=("a",)))
    serve(world, checkout, 30 * MINUTE, {2 * MINUTE: lambda: checkout.become(BROKEN)})
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


def test_a_service_reads_once_in_each_turn(world, monkeypatch):
    """Two readings at one moment would be no two readings of a manifest that is gone."""
    monkeypatch.setattr(JobLists, "calls", lambda _, jobs: -(-jobs // 4))
    request = {"contents": [{"parts": [{"text": "x"}]}]}
    body = {"batch": {"displayName": "other", "inputConfig": {"requests": {"requests": [{"request": request}]}}}}
    for _ in range(10):
        world.here.api("POST", "models/gemini-2.5-flash:batchGenerateContent", body)
    world.here.rules({"pending": "1s", "running": "5h"})
    checkout = Checkout(world, job("a"))
    serve(world, checkout, 30 * MINUTE, {})
    assert world.here.calls("batches.get") > 0
    assert checkout.readings == len(world.clock.sleeps)
