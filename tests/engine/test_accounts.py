"""Several accounts, accounts that left the stack, accounts that fail: absence in one says nothing of another."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.errors import BatchctlError, ManifestError, PermissionDenied, UsageError
from batchctl.model.lifecycle import OnRemove
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.engine import HERE, THERE, job, live, made, phases, results

LIST = "batches.list"


@pytest.fixture
def world(make_world):
    return make_world(accounts=(HERE, THERE))


@pytest.fixture
def there(world):
    return world.services[THERE]


def test_each_job_goes_to_its_own_account(world, there):
    world.watch(job("a"), job("b", account=THERE))
    assert (made(world.here), made(there)) == ({"a@1.0": 1}, {"b@1.0": 1})


@pytest.mark.parametrize("status", [403, 500, 429])
def test_an_account_that_cannot_be_read_leaves_its_jobs_untouched_and_the_others_go_on(world, there, status):
    for service in world.services.values():
        service.rules({"fate": "stuck"})
    jobs = [job("a"), job("b", account=THERE), job("gone", account=THERE), job("away")]
    world.apply(*jobs)
    there.faults({"method": LIST, "kind": "status", "status": status})
    report = world.apply(job("a", run_id="2"), job("b", account=THERE, run_id="2"), job("new", account=THERE))
    assert phases(report)["b"] == phases(report)["new"] == phases(report)["gone"] == "Unknown"
    assert results(report) == {"a": "pending", "away": "pending", "b": "pending", "gone": "pending", "new": "pending"}
    assert report.errors.keys() == {THERE}
    assert report.plan.problems.keys() == {THERE}
    assert (made(there), there.calls("batches.cancel"), there.calls("batches.delete")) == (
        {"b@1.0": 1, "gone@1.0": 1},
        0,
        0,
    )
    assert world.here.calls("batches.cancel") == 2
    there.faults()
    for service in world.services.values():
        service.rules()
    world.watch(job("a", run_id="2"), job("b", account=THERE, run_id="2"), job("new", account=THERE))
    assert live(there).keys() == {"b@2.0", "new@1.0"}


def test_a_page_that_fails_makes_the_whole_list_unknown(make_world):
    world = make_world(limits=Limits(admission=AdmissionLimits(active=200)))
    world.here.rules({"fate": "stuck"})
    world.apply(*(job(f"job-{number:03}") for number in range(100)))
    world.apply(*(job(f"job-{number:03}") for number in range(102)))
    # The first page is read; the second fails, and each time that it is tried again.
    pages = []

    def before(what, on):
        if what == "list":
            pages.append(what)
            if len(pages) > 1:
                raise httpx.ReadError("reset")

    world.here.wire.before = before
    report = world.apply(*(job(f"job-{number:03}") for number in range(101)), job("new"))
    assert set(phases(report).values()) == {"Unknown"}
    assert "new@1.0" not in made(world.here)
    assert world.here.calls("batches.cancel") == 0


def test_a_direct_look_that_fails_leaves_the_job_unknown(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    world.here.faults(
        {"method": LIST, "kind": "listLag", "delay": "1h"}, {"method": "batches.get", "kind": "status", "status": 500}
    )
    report = world.apply(job("a"))
    assert (phases(report), report.plan.drift, report.errors) == ({"a": "Unknown"}, (), {})
    world.here.faults({"method": LIST, "kind": "listLag", "delay": "1h"})
    assert phases(world.apply(job("a"))) == {"a": "Active"}


def test_a_job_whose_provider_left_the_stack_is_removed_through_its_record(world, there):
    world.apply(job("a"), job("b", account=THERE))
    world.time.sleep(10)
    report = world.watch(job("a"))
    assert (results(report), report.errors) == ({"a": "done", "b": "done"}, {})
    assert [one["deleted"] for one in there.jobs()] == [True]
    assert world.result_rows("b").keys() == {"k1", "k2"}


def test_a_job_whose_provider_left_and_cannot_be_opened_is_a_manifest_error(world, there):
    world.apply(job("a"), job("b", account=THERE), job("c", account=THERE))
    world.unreachable[THERE] = UsageError("no credentials", hint="set them")
    report = world.watch(job("a"))
    error = report.errors[THERE]
    assert isinstance(error, ManifestError)
    (fault,) = error.diagnostics
    assert (fault.code, fault.location.file) == ("ProviderGone", "batchctl.yaml")
    assert "b, c: recorded on" in fault.message
    assert "no credentials" in fault.message
    assert (phases(report), report.stopped) == ({"a": "Succeeded", "b": "Unknown", "c": "Unknown"}, None)
    assert not any(one["deleted"] for one in there.jobs())
    del world.unreachable[THERE]
    assert results(world.watch(job("a"))) == {"a": "done", "b": "done", "c": "done"}


def test_a_job_whose_provider_left_and_does_not_answer_shows_the_apis_own_error(world, there):
    world.apply(job("a"), job("b", account=THERE))
    there.faults({"method": LIST, "kind": "status", "status": 403})
    report = world.watch(job("a"))
    assert isinstance(report.errors[THERE], PermissionDenied)
    assert phases(report) == {"a": "Succeeded", "b": "Unknown"}


def test_an_account_of_the_stack_that_cannot_be_opened_shows_why(world):
    problem = BatchctlError("no key", code="NoKey", hint="set GEMINI_API_KEY")
    world.unreachable[THERE] = problem
    report = world.watch(job("a"), job("b", account=THERE))
    assert report.errors == {THERE: problem}
    assert phases(report) == {"a": "Succeeded", "b": "Unknown"}


def test_an_account_without_a_connection_is_waited_for(world, there):
    down = []

    def before(what, on):
        if what == "list" and len(down) < 12:
            down.append(on)
            raise httpx.ConnectError("no route")

    there.wire.before = before
    report = world.watch(job("a"), job("b", account=THERE))
    assert phases(report) == {"a": "Succeeded", "b": "Succeeded"}
    assert report.errors == {}
    assert any("there.invalid" in warning for warning in world.progress.warnings)
    assert len(down) == 12


def test_a_job_that_moves_to_another_account_leaves_nothing_behind(world, there):
    world.here.rules({"running": "1h"})
    world.apply(job("a"))
    report = world.watch(job("a", account=THERE))
    assert phases(report) == {"a": "Succeeded"}
    assert (live(world.here), live(there).keys()) == ({}, {"a@2.0"})
    assert world.attempt("a", 1).account == HERE
    assert world.attempt("a", 2).account == THERE


def test_the_providers_clock_counts_not_ours(world, there):
    """Their clock is an hour ahead; a deadline of ten minutes still takes ten minutes."""
    there.control("POST", "clock", {"advance": "1h"})
    there.rules({"fate": "stuck"})
    begin = world.time.now()
    report = world.watch(job("b", account=THERE, pending_deadline=timedelta(minutes=10)))
    assert phases(report) == {"b": "Failed"}
    assert timedelta(minutes=10) <= world.time.now() - begin < timedelta(minutes=15)
    assert world.attempt("b").cancel_time > begin + timedelta(hours=1)


def test_an_account_of_nothing_but_released_jobs_is_not_looked_at(world, there):
    there.rules({"fate": "stuck"})
    world.apply(job("a"), job("b", account=THERE, on_remove=OnRemove.KEEP))
    world.apply(job("a"))
    calls = there.control("GET", "requests")
    world.unreachable[THERE] = UsageError("no credentials")
    report = world.watch(job("a"))
    assert (phases(report), report.errors) == ({"a": "Succeeded"}, {})
    assert there.control("GET", "requests") == calls
    assert live(there).keys() == {"b@1.0"}


def test_destroy_reaches_every_account(world, there):
    world.apply(job("a"), job("b", account=THERE))
    world.watch(job("a"), job("b", account=THERE), options=Options(destroy=True))
    assert (live(world.here), live(there), world.recorded().jobs) == ({}, {}, {})


def test_an_account_where_nothing_is_left_is_not_looked_at_any_more(world, there):
    world.watch(job("a"))
    world.watch(job("a", account=THERE))
    assert world.attempt("a", 1).delete_time is not None
    before = world.here.control("GET", "requests")["total"]
    report = world.watch(job("a", account=THERE, run_id="2"))
    assert (phases(report), report.errors) == ({"a": "Succeeded"}, {})
    assert world.here.control("GET", "requests")["total"] == before
