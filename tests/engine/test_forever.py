"""`watch --forever`: whatever happens around it, it keeps its jobs, tells what is wrong once, and recovers."""

from __future__ import annotations

import errno
from collections import Counter
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial

import httpx
import pytest

from batchctl.engine.after_pass import AfterPass
from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.loop.polling import Pace
from batchctl.engine.loop.quick_check import is_unchanged
from batchctl.engine.passes import PassReport, run_pass
from batchctl.model.actions import Action
from batchctl.model.errors import (
    BatchctlError,
    Diagnostic,
    GuardError,
    LockedError,
    ManifestError,
    StoppedError,
    TimeUpError,
)
from batchctl.model.locations import Location
from batchctl.model.outcome import Result
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.stack import Limits
from batchctl.model.states import Phase
from batchctl.providers.job_lists import JobLists
from batchctl.reconcile import Options, Timing
from tests.support.engine import HERE, job, live, made, phases, run
from tests.support.job_plans import job_plan
from tests.support.values import replace

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
STUCK = {"fate": "stuck"}
SLOW = {"pending": "1s", "running": "15m"}
A_WHILE = 25 * MINUTE
BROKEN = ManifestError([Diagnostic(Location("a.yaml", 3, 1), "InvalidYaml", "not YAML")])


def serve(world, jobs, span, happenings, options=None, pace=None, glance=lambda: False, **changes):
    """Watch for ever, for as long as `span`; each happening comes at its time, and is done once."""
    begin, left = world.time.now(), sorted(happenings.items())

    def during(number):
        while left and world.time.now() - begin >= left[0][0]:
            left.pop(0)[1]()
        if world.time.now() - begin >= span:
            world.clock.stop()

    with world.process(**changes) as tools:
        world.clock.during = during
        reload = jobs if callable(jobs) else lambda: world.desired(*jobs)
        report = drive(
            Around(reload, glance=glance), options or Options(), Until(ended=True, forever=True), tools, pace=pace
        )
    assert left == [], "not all has happened"
    assert isinstance(report.stopped, StoppedError)
    return report


def assert_calm(world, span):
    """It neither ran hot nor slept for longer than it may."""
    sleeps = world.clock.sleeps
    assert max(sleeps) <= 66
    assert len(sleeps) < 60 + span / timedelta(seconds=50)


@pytest.fixture
def down(world):
    """Ends the API's service, and begins it again."""

    def end():
        world.here.faults(
            *({"method": f"batches.{method}", "kind": "status", "status": 503} for method in ("list", "get"))
        )

    return end, world.here.faults


def test_the_api_is_down_for_ten_minutes(world, down):
    world.here.rules(SLOW)
    end, begin = down
    report = serve(world, [job("a"), job("b")], A_WHILE, {2 * MINUTE: end, 12 * MINUTE: begin})
    assert (phases(report), made(world.here)) == ({"a": "Succeeded", "b": "Succeeded"}, {"a@1.0": 1, "b@1.0": 1})
    told = [warning for warning in world.progress.warnings if "503" in warning or "can be read again" in warning]
    assert len(told) == 2, world.progress.warnings
    assert_calm(world, A_WHILE)


def test_the_api_is_down_from_the_beginning(world, down):
    end, begin = down
    end()
    report = serve(world, [job("a")], A_WHILE, {10 * MINUTE: begin})
    assert (phases(report), made(world.here)) == ({"a": "Succeeded"}, {"a@1.0": 1})
    assert sum("503" in warning for warning in world.progress.warnings) == 1
    assert_calm(world, A_WHILE)


class Manifests:
    """What a checkout says, as it is now."""

    def __init__(self, world, *jobs):
        self.world = world
        self.found = jobs
        self.changes = {}

    def __call__(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.world.desired(*self.found, **self.changes)

    def become(self, *jobs, **changes):
        def change():
            self.found, self.changes = (jobs[0] if jobs and isinstance(jobs[0], Exception) else jobs), changes

        return change


@pytest.mark.parametrize(
    ("mishap", "changes", "words"),
    [
        pytest.param((), {}, "no manifest is left", id="emptied"),
        pytest.param((BROKEN,), {}, "a.yaml:3:1: InvalidYaml not YAML", id="invalid"),
        pytest.param((OSError(errno.ENOENT, "No such file or directory"),), {}, "No such file", id="vanished"),
        pytest.param((job("b"),), {"uid": "zzz999"}, "another stack", id="another stack's"),
        pytest.param((job("b"),), {"name": "other"}, "another stack", id="of another name"),
    ],
)
def test_a_mishap_with_the_checkout_tears_nothing_down(world, mishap, changes, words):
    world.here.rules(SLOW)
    manifests = Manifests(world, job("a", backoff_limit=1))
    happenings = {2 * MINUTE: manifests.become(*mishap, **changes)}
    report = serve(world, manifests, A_WHILE, happenings)
    assert (phases(report), live(world.here).keys()) == ({"a": "Succeeded"}, {"a@1.0"})
    assert (world.here.calls("batches.cancel"), world.here.calls("batches.delete")) == (0, 0)
    (told,) = world.progress.warnings
    assert words in told
    assert world.attempt("a").results is not None


def test_the_checkout_comes_back(world):
    manifests = Manifests(world, job("a"))
    happenings = {
        2 * MINUTE: manifests.become(),
        4 * MINUTE: manifests.become(BROKEN),
        6 * MINUTE: manifests.become(job("a"), job("b")),
    }
    report = serve(world, manifests, 12 * MINUTE, happenings)
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert [warning.split(":")[0] for warning in world.progress.warnings] == [
        "the manifests cannot be used, and those that were read before stay in force",
        "the manifests cannot be used, and those that were read before stay in force",
        "the manifests can be used again",
    ]


def test_further_faults_are_counted(world):
    several = ManifestError([*BROKEN.diagnostics, Diagnostic(Location("b.yaml", 1, 1), "InvalidYaml", "nor this")])
    manifests = Manifests(world, job("a"))
    serve(world, manifests, 5 * MINUTE, {MINUTE: manifests.become(several)})
    assert world.progress.warnings[-1].endswith("not YAML; and 1 more")


def test_all_jobs_go_where_that_was_asked_for(world):
    manifests = Manifests(world, job("a"))
    options = Options(allow_empty=True)
    report = serve(world, manifests, 30 * MINUTE, {5 * MINUTE: manifests.become()}, options)
    assert (report.last.jobs, live(world.here)) == ((), {})
    assert [warning.split(":")[0] for warning in world.progress.warnings] == [
        "no manifest any more of a",
        "the manifests are settled again",
    ]


def test_a_checkout_that_is_read_halfway_tears_nothing_down(world):
    """Manifests come and go for one reading each; what stays away is removed."""
    world.here.rules(SLOW)
    manifests = Manifests(world, job("a"), job("b"), job("c"))
    readings = iter([manifests.found, manifests.found[:1], manifests.found, manifests.found[1:], manifests.found[:2]])

    def read():
        manifests.become(*next(readings, manifests.found))()
        return manifests()

    report = serve(world, read, A_WHILE, {})
    assert (phases(report), live(world.here).keys()) == ({"a": "Succeeded", "b": "Succeeded"}, {"a@1.0", "b@1.0"})
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "c@1.0": 1}


def test_an_empty_stack_is_served_until_it_has_jobs(world):
    manifests = Manifests(world)
    report = serve(world, manifests, 30 * MINUTE, {5 * MINUTE: manifests.become(job("a"))})
    assert phases(report) == {"a": "Succeeded"}


def test_an_empty_stack_removes_nothing_that_is_recorded(world):
    world.here.rules(SLOW)
    world.apply(job("a"))
    report = serve(world, [], 10 * MINUTE, {})
    assert (phases(report), live(world.here).keys()) == ({"a": "Active"}, {"a@1.0"})
    assert [one.code for one in report.last.guards] == ["NothingDesired"]


def test_manifests_that_cannot_be_read_at_first_are_an_error(world):
    manifests = Manifests(world)
    manifests.become(BROKEN)()
    with pytest.raises(ManifestError):
        run(world, manifests, Until(ended=True, forever=True))


def test_state_and_results_stay_where_they_were(world):
    manifests = Manifests(world, job("a"))
    other = {"state": world.folder / "rev2" / "state.db", "results": world.folder / "rev2" / "results"}
    happenings = {
        MINUTE: manifests.become(job("a"), job("b"), **other),
        10 * MINUTE: manifests.become(job("a"), job("b")),
    }
    report = serve(world, manifests, 30 * MINUTE, happenings)
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert not (world.folder / "rev2").exists()
    first, second = world.progress.warnings
    assert f"state stays at {world.folder / 'state.db'}, and not at {other['state']}; results stay at" in first
    assert second == "state and results are where the stack file says"


def test_a_state_that_is_locked_by_another(world):
    world.here.rules(SLOW)
    held = [world.state().lock()]
    report = serve(world, [job("a")], A_WHILE, {5 * MINUTE: lambda: held.pop().__exit__(None, None, None)})
    assert (phases(report), made(world.here)) == ({"a": "Succeeded"}, {"a@1.0": 1})
    assert [("locked" in warning, "trying again" in warning) for warning in world.progress.warnings] == [
        (True, True),
        (False, False),
    ]
    assert_calm(world, A_WHILE)


def test_the_lock_is_free_between_passes(world):
    taken = []

    def take():
        with world.state().lock():
            taken.append(world.time.now())

    serve(world, [job("a")], 5 * MINUTE, {MINUTE: take, 2 * MINUTE: take})
    assert len(taken) == 2
    assert world.progress.warnings == []


def test_never_a_pass_at_all(world):
    with world.state().lock():
        report = serve(world, [job("a")], HOUR, {})
    assert (report.last.jobs, report.outcomes) == ((), {})


class FullDisk:
    """A state whose disk is full at times."""

    def __init__(self, inner):
        self._inner = inner
        self.is_full = False

    def load(self, like=()):
        return self._inner.load(like)

    def version(self):
        return self._inner.version()

    def lock(self):
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._inner.lock()


def test_a_full_disk_is_waited_out(world):
    world.here.rules(SLOW)
    state = FullDisk(world.state())

    def fill(full):
        state.is_full = full

    happenings = {2 * MINUTE: lambda: fill(True), 10 * MINUTE: lambda: fill(False)}
    report = serve(world, [job("a")], A_WHILE, happenings, state=state)
    assert phases(report) == {"a": "Succeeded"}
    assert [warning.split("] ")[-1] for warning in world.progress.warnings] == [
        "No space left on device; trying again",
        "a pass could be made again",
    ]
    assert_calm(world, A_WHILE)


def test_a_state_that_vanishes_or_is_replaced_is_not_gone_on_with(world):
    world.here.rules(SLOW)
    path, aside = world.folder / "state.db", world.folder / "aside.db"

    def another():
        with world.state().lock():
            pass

    happenings = {
        2 * MINUTE: lambda: path.rename(aside),
        6 * MINUTE: another,
        10 * MINUTE: lambda: aside.replace(path),
    }
    report = serve(world, [job("a")], A_WHILE, happenings)
    assert (phases(report), made(world.here)) == ({"a": "Succeeded"}, {"a@1.0": 1})
    assert world.progress.warnings == [
        "the state is not the one that this process began with; trying again",
        "a pass could be made again",
    ]


def test_a_vanished_state_is_not_made_anew(world):
    path = world.folder / "state.db"
    serve(world, [job("a")], 10 * MINUTE, {2 * MINUTE: path.unlink})
    assert not path.exists()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_local_clock_that_jumps_neither_fires_deadlines_nor_oversleeps(world, hours):
    world.here.rules(STUCK)
    fine = {"match": {"displayName": "*/b@*"}, "pending": "1s", "running": "25m"}
    world.here.rules(fine, STUCK)
    jobs = [job("a", pending_deadline=40 * MINUTE), job("b", active_deadline=40 * MINUTE)]

    def jump(span):
        world.local.skew += span

    happenings = {5 * MINUTE: lambda: jump(hours * HOUR), 15 * MINUTE: lambda: jump(-hours * HOUR)}
    begin = world.time.now()
    report = serve(world, jobs, HOUR, happenings)
    assert phases(report) == {"a": "Failed", "b": "Succeeded"}
    sent = world.attempt("a").cancel_time
    assert 40 * MINUTE <= sent - begin <= 42 * MINUTE
    assert_calm(world, HOUR)


class Misdated(httpx.BaseTransport):
    """An API whose clock is off by `skew`."""

    def __init__(self, inner):
        self._inner = inner
        self.skew = timedelta(0)

    def handle_request(self, request):
        response = self._inner.handle_request(request)
        told = parsedate_to_datetime(response.headers["date"])
        response.headers["date"] = format_datetime(told + self.skew, usegmt=True)
        return response


NO = timedelta(0)


@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param({8: (HOUR, NO)}, id="the local clock, forward"),
        pytest.param({8: (-HOUR, NO)}, id="the local clock, back"),
        pytest.param({8: (-24 * HOUR, NO), 20: (NO, NO)}, id="the local clock, a day back and forward"),
        pytest.param({8: (HOUR, NO), 20: (-HOUR, NO)}, id="the local clock, forward and back"),
        pytest.param({8: (NO, HOUR)}, id="the API's clock, forward"),
        pytest.param({8: (NO, -24 * HOUR)}, id="the API's clock, back"),
        pytest.param({8: (HOUR, -HOUR)}, id="both, apart"),
    ],
)
@pytest.mark.parametrize(
    ("when", "most"),
    [pytest.param("before", 4 * MINUTE, id="never there"), pytest.param("after", 2 * MINUTE, id="listed late")],
)
def test_a_clock_that_jumps_while_a_lost_call_is_settled_makes_no_second_job(world, when, jumps, most):
    world.here.rules(STUCK)
    world.here.faults(
        {"method": "batches.create", "kind": "cut", "when": when, "count": 1},
        {"method": "batches.list", "kind": "listLag", "delay": "60s"},
    )
    world.here.wire = there = Misdated(world.here.wire)

    def jump(here, over):
        def do():
            world.local.skew, there.skew = here, over

        return do

    settled = []

    def look():
        settled.append(world.attempt("a").remote is not None)

    happenings = {timedelta(seconds=after): jump(*spans) for after, spans in jumps.items()} | {most: look}
    serve(world, [job("a")], most, happenings)
    assert (made(world.here), settled) == ({"a@1.0": 1}, [True])


@pytest.mark.parametrize("hours", [1, -1])
def test_a_time_limit_is_kept_whatever_the_local_clock_says(world, hours):
    world.here.rules(STUCK)

    def during(number):
        if number == 5:
            world.local.skew += hours * HOUR

    begin = world.time.now()
    report = run(world, [job("a")], Until(ended=True, timeout=30 * MINUTE), during=during)
    assert isinstance(report.stopped, TimeUpError)
    assert 30 * MINUTE <= world.time.now() - begin <= 31 * MINUTE


@pytest.mark.parametrize("hours", [1, -1])
def test_a_provider_whose_clock_is_off_does_not_make_it_run_hot(world, hours):
    world.local.skew = hours * HOUR
    world.here.rules(STUCK)
    serve(world, [job("a", pending_deadline=30 * MINUTE)], HOUR, {})
    assert_calm(world, HOUR)


def test_an_account_that_could_not_be_opened_is_tried_again(world):
    world.unreachable[HERE] = BatchctlError("no credentials yet")
    report = serve(world, [job("a")], HOUR, {10 * MINUTE: world.unreachable.clear})
    assert phases(report) == {"a": "Succeeded"}
    assert sum("no credentials yet" in warning for warning in world.progress.warnings) == 1


def test_a_changed_stack_file_is_followed_to_its_accounts(world):
    stacks = []

    def connect(stack):
        stacks.append(stack)
        return world.open

    manifests = Manifests(world, job("a"))
    limits = replace(world.limits, concurrency=3)
    happenings = {MINUTE: manifests.become(job("a"), limits=limits), 5 * MINUTE: manifests.become(job("a"), job("b"))}
    report = serve(world, manifests, 20 * MINUTE, happenings, connect=connect)
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert [stack.limits.concurrency for stack in stacks] == [3, 8]


def test_what_nobody_agreed_to_ends_it(world):
    def refuse(plan):
        raise GuardError("no")

    with world.process() as tools, pytest.raises(GuardError):
        drive(Around(lambda: world.desired(job("a"))), Options(), Until(ended=True, forever=True), tools, refuse)


def test_without_forever_a_locked_state_at_first_is_an_error(world):
    with world.state().lock(), pytest.raises(LockedError):
        run(world, [job("a")], Until(ended=True))


def test_the_report_is_that_of_the_last_pass(world):
    manifests = Manifests(world, job("a"))
    report = serve(world, manifests, 30 * MINUTE, {5 * MINUTE: manifests.become(job("b"))})
    assert [one.job for one in report.plan.jobs] == ["b"]
    assert report.outcomes.keys() == {"b"}
    assert {one.result for one in report.outcomes.values()} == {Result.DONE}


def test_a_quiet_pass_writes_nothing(world):
    serve(world, [job("a", pending_deadline=HOUR)], 30 * MINUTE, {})
    before = (world.recorded().serial, len(world.events("a")))
    serve(world, [job("a", pending_deadline=HOUR)], HOUR, {})
    assert (world.recorded().serial, len(world.events("a"))) == before


def test_the_bounds_of_the_wait_are_kept(world):
    world.here.rules({"pending": "1s", "running": "5h"})
    serve(world, [job("a")], 4 * HOUR, {}, pace=Pace(5.0, 600.0))
    assert (min(world.clock.sleeps), max(world.clock.sleeps)) == (5.0, 600.0)


@pytest.fixture
def crowd(world, monkeypatch):
    """Jobs of somebody else, on pages that are thought to be so short that few of ours are asked for one by one."""
    monkeypatch.setattr(JobLists, "calls", lambda _, jobs: -(-jobs // 4))
    request = {"contents": [{"parts": [{"text": "x"}]}]}
    body = {"batch": {"displayName": "other", "inputConfig": {"requests": {"requests": [{"request": request}]}}}}
    for _ in range(10):
        world.here.api("POST", "models/gemini-2.5-flash:batchGenerateContent", body)
    return world


def calls(world):
    return Counter(entry.what for entry in world.log if not entry.ended and entry.what in {"list", "get"})


def test_few_jobs_among_many_are_asked_for_one_by_one(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "50m"})
    report = serve(world, [job("a"), job("b")], HOUR, {})
    found, sleeps = calls(world), len(world.clock.sleeps)
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    # A whole pass is made after ten looks at the latest.
    assert sleeps < found["get"] < 2 * sleeps + 10
    assert found["list"] < sleeps / 5


def test_what_ends_among_many_is_seen_at_the_next_look(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "20m"})
    begin = world.time.now()
    ended = []

    def watch():
        if world.attempt("a").results is not None and not ended:
            ended.append(world.time.now() - begin)

    happenings = {MINUTE * number: watch for number in range(1, 30)}
    serve(world, [job("a")], 30 * MINUTE, happenings)
    assert ended[0] <= 22 * MINUTE


def test_a_job_that_is_gone_is_found_by_a_whole_pass_alone(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "5h"})
    remote = []

    def delete():
        remote.append(world.attempt("a").remote)
        world.here.api("DELETE", remote[0])

    report = serve(world, [job("a")], 30 * MINUTE, {5 * MINUTE: delete})
    assert phases(report) == {"a": "Failed"}
    assert world.attempt("a").gone_time is not None


def test_an_order_from_elsewhere_is_followed_among_many(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "5h"})

    def cancel():
        clock, progress = world.clock, world.progress
        world.apply(job("a"), options=Options(cancel=True))
        world.clock, world.progress = clock, progress

    report = serve(world, [job("a")], 30 * MINUTE, {5 * MINUTE: cancel})
    assert phases(report) == {"a": "Cancelled"}


def test_a_deadline_is_kept_among_many(crowd):
    world = crowd
    world.here.rules(STUCK)
    begin = world.time.now()
    serve(world, [job("a", pending_deadline=30 * MINUTE)], 40 * MINUTE, {})
    late = world.attempt("a").cancel_time - begin - 30 * MINUTE
    assert timedelta(0) <= late <= timedelta(seconds=5)


def test_a_failing_look_among_many_leads_to_a_whole_pass(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "15m"})
    world.here.faults({"method": "batches.get", "kind": "status", "status": 403})
    report = serve(world, [job("a")], 10 * MINUTE, {})
    assert phases(report) == {"a": "Active"}
    assert (world.here.calls("batches.get"), world.progress.warnings) == (calls(world)["get"], [])
    assert calls(world)["list"] == len(world.progress.plans)
    assert len(world.progress.plans) == len(world.clock.sleeps)


def test_a_locked_state_is_told_once_among_many(crowd):
    world = crowd
    world.here.rules({"pending": "1s", "running": "5h"})
    held = []
    happenings = {
        5 * MINUTE: lambda: held.append(world.state().lock()),
        25 * MINUTE: lambda: held.pop().__exit__(None, None, None),
    }
    serve(world, [job("a")], 30 * MINUTE, happenings)
    assert ["trying again" in warning for warning in world.progress.warnings] == [True, False]


TO_CREATE = job_plan("b", Action.CREATE, Phase.WAITING, Reason.NEW, "")
WAITS = job_plan("a", Action.WAIT, Phase.ACTIVE, Reason.ACTIVE, "")


@pytest.mark.parametrize(
    ("changes", "serial", "expected"),
    [
        pytest.param({}, 5, True, id="nothing has happened"),
        pytest.param({}, 6, False, id="somebody wrote to the state"),
        pytest.param({"errors": {HERE: BatchctlError("down")}}, 5, False, id="the account could not be read"),
        pytest.param({"timing": Timing(due={"a": 1.0})}, 5, True, id="something is due later"),
        pytest.param({"timing": Timing(due={"a": 0.0})}, 5, False, id="something is due"),
        pytest.param({"plan": Plan("shop", (TO_CREATE,))}, 5, False, id="something is to be done"),
    ],
)
def test_when_a_glance_is_enough(world, changes, serial, expected):
    after = AfterPass(world.desired(), Recorded(), {}, world.clock.now(), Options())
    last = PassReport(Plan("shop", (WAITS,)), {}, after, list_calls={HERE: 1}, version=StateVersion("a", 5))
    with world.process() as tools:
        assert is_unchanged(replace(last, **changes), StateVersion("a", serial), Limits(), tools) is expected


def test_lists_that_are_as_they_were_need_no_pass(world, monkeypatch):
    passes = []
    monkeypatch.setattr(
        "batchctl.engine.loop.drive.run_pass", lambda *given, **more: passes.append(1) or run_pass(*given, **more)
    )
    world.here.rules({"pending": "1s", "running": "5h"})
    report = serve(world, [job(f"job-{number}") for number in range(5)], HOUR, {})
    assert set(phases(report).values()) == {"Active"}
    # Most turns make one call, and take no lock: only each eleventh is a pass.
    assert calls(world) == {"list": len(world.clock.sleeps)}
    assert len(passes) < len(world.clock.sleeps) / 5


class Checkout:
    """Manifests that are read again and again, and a glance at them."""

    def __init__(self, world):
        self._world = world
        self.jobs = [job("a"), job("b")]
        self.readings = self.glances = 0
        self.is_same = True
        self.is_broken = False

    def __call__(self):
        self.readings += 1
        self.is_same = True
        if self.is_broken:
            raise BatchctlError("it is broken")
        return self._world.desired(*self.jobs)

    def glance(self):
        self.glances += 1
        return self.is_same

    def change(self, jobs=None):
        """Write the manifests again, with other jobs if they are given."""
        self.jobs = self.jobs if jobs is None else jobs
        self.is_same = False

    def damage(self):
        self.is_broken = True
        self.is_same = False


def readings_between(world, begin, end, *happenings):
    """The readings and glances between two moments of an hour; what happens is given a checkout."""
    world.here.rules({"pending": "1s", "running": "5h"})
    checkout, counted = Checkout(world), []

    def count():
        counted.append((checkout.readings, checkout.glances))

    happenings = {moment: partial(happen, checkout) for moment, happen in happenings}
    serve(world, checkout, HOUR, {**happenings, begin: count, end: count}, glance=checkout.glance)
    (first, second) = counted
    return tuple(after - before for before, after in zip(first, second, strict=True))


def test_manifests_that_a_glance_shows_unchanged_are_read_for_passes_alone(world):
    readings, glances = readings_between(world, 20 * MINUTE, 50 * MINUTE)
    assert glances > 20
    assert readings <= 4


def test_manifests_that_were_touched_are_read_once_more(world):
    readings, glances = readings_between(world, 20 * MINUTE, 29 * MINUTE, (21 * MINUTE, Checkout.change))
    assert glances > 5
    assert 1 <= readings <= 2, "the touched files, and a pass"


def test_a_manifest_that_is_gone_is_looked_for_again_at_once(world):
    """A glance at the files says nothing about a set that is not in force."""
    world.here.rules({"pending": "1s", "running": "5h"})
    checkout, cancelled = Checkout(world), []
    happenings = {
        28 * MINUTE: lambda: checkout.change([job("a")]),
        32 * MINUTE: lambda: cancelled.extend(one for one in world.log if one.what == "cancel" and one.ended),
    }
    serve(world, checkout, HOUR, happenings, glance=checkout.glance)
    assert len(cancelled) == 1


def test_while_the_manifests_are_broken_each_turn_reads_them(world):
    readings, glances = readings_between(world, 20 * MINUTE, 50 * MINUTE, (10 * MINUTE, Checkout.damage))
    assert readings > 20
    assert glances == 0
