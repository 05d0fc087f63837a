"""Refusals that pass, uploads that are processed, results that are refused: end to end against the emulator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.emulator.settings import Settings
from batchctl.reconcile import Options
from tests.support.engine import job, made, phases, plan_of, results
from tests.support.engine_boundaries import Crash

CREATE, DOWNLOAD = "batches.create", "files.download"
DISABLED = "Generative Language API has not been used in project 1 before or it is disabled"


def refusing(method: str = CREATE, status: int = 403, message: str = DISABLED, **more: object) -> dict[str, object]:
    return {"method": method, "kind": "status", "status": status, "message": message, **more}


def test_a_refusal_that_passes_is_tried_again_by_the_next_apply(world):
    world.here.faults(refusing(count=1))
    report = world.apply(job("a"))
    assert results(report) == {"a": "pending"}
    trouble = world.attempt("a").trouble
    assert (trouble.code, trouble.operation, trouble.tries) == ("ServiceDisabled", "create", 1)
    assert (trouble.until, trouble.message) == (
        trouble.first_time + timedelta(hours=1),
        f"batches.create: HTTP 403: {DISABLED}",
    )
    assert "a few minutes later" in trouble.hint
    assert results(world.apply(job("a"))) == {"a": "done"}
    attempt = world.attempt("a")
    assert (attempt.trouble, attempt.rejected, attempt.remote is not None) == (None, False, True)
    assert made(world.here) == {"a@1.0": 1}


def test_a_process_that_dies_before_its_create_call_leaves_no_claim_that_it_was_sent(world):
    def die(where):
        if where.startswith("before create"):
            world.boundaries.crash_at = 0
        cross(where)

    world.here.faults(refusing(count=1))
    world.apply(job("a"))
    cross, world.boundaries.cross = world.boundaries.cross, die
    with pytest.raises(Crash):
        world.apply(job("a"))
    world.boundaries.cross = cross
    world.boundaries.reset()
    assert world.attempt("a").intent is not None
    assert made(world.here) == {}
    (looking,) = world.one_pass(job("a")).plan.jobs
    assert looking.reason == "it is not known whether the create call was sent; looking for its mark"
    assert results(world.apply(job("a"))) == {"a": "done"}
    assert made(world.here) == {"a@1.0": 1}


def test_a_create_call_without_an_answer_was_sent(world):
    world.here.faults({"method": CREATE, "kind": "status", "status": 503, "when": "before", "count": 1})
    world.one_pass(job("a"))
    (looking,) = world.one_pass(job("a")).plan.jobs
    assert looking.reason.startswith(
        "the create call got no clear answer; looking for its mark; batches.create: HTTP 503"
    )


def test_a_watch_waits_a_refusal_out(world):
    world.here.faults(refusing(count=5))
    assert phases(world.watch(job("a"))) == {"a": "Succeeded"}
    assert world.here.calls(CREATE) == 6
    assert max(world.clock.sleeps) > 10, "the pauses grow"


def test_a_refusal_that_does_not_pass_is_final_after_an_hour(world):
    world.here.faults(refusing())
    begin = world.time.now()
    report = world.watch(job("a"))
    assert phases(report) == {"a": "Rejected"}
    assert timedelta(minutes=59) < world.time.now() - begin < timedelta(minutes=70)
    assert world.here.calls(CREATE) < 15
    assert DISABLED in plan_of(report, "a").reason
    world.here.faults()
    assert phases(world.apply(job("a"))) == {"a": "Rejected"}
    assert phases(world.watch(job("a", run_id="2"))) == {"a": "Succeeded"}


def test_an_upload_is_followed_until_it_can_be_used(make_world):
    world = make_world(settings=Settings(file_processing=20 * 10**9))
    assert results(world.apply(job("a", world.write_rows("a.jsonl", "k1")))) == {"a": "done"}
    assert world.here.calls(CREATE) == 1


def test_an_upload_that_takes_longer_waits_for_another_pass(make_world):
    world = make_world(settings=Settings(file_processing=300 * 10**9))
    source = world.write_rows("a.jsonl", "k1")
    report = world.apply(job("a", source))
    assert (results(report), world.here.calls(CREATE)) == ({"a": "pending"}, 0)
    assert world.attempt("a").trouble.code == "InputNotReady"
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}
    assert world.here.calls("files.create") <= 12
    assert world.here.calls("files.upload") == 1, "the file is sent once"


def test_a_create_call_before_the_file_is_active_is_no_refusal_of_the_manifest(world):
    world.here.faults(
        refusing(status=400, name="FAILED_PRECONDITION", message="The File x is not in an ACTIVE state", count=2)
    )
    assert phases(world.watch(job("a", world.write_rows("a.jsonl", "k1")))) == {"a": "Succeeded"}
    assert world.here.calls("files.upload") == 1


def test_a_fresh_upload_that_is_not_found_is_tried_again(world):
    world.here.faults(refusing(status=404, message="Requested entity was not found.", count=1))
    source = world.write_rows("a.jsonl", "k1")
    assert results(world.apply(job("a", source))) == {"a": "pending"}
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}


def test_storage_that_is_full_is_not_the_quota_of_jobs(make_world):
    world = make_world(settings=Settings(file_storage=1))
    report = world.apply(job("a", world.write_rows("a.jsonl", "k1")), job("b"))
    assert results(report) == {"a": "pending", "b": "done"}
    assert (world.attempt("a").trouble.code, world.recorded().quotas) == ("StorageQuota", {})
    assert "file storage quota" in plan_of(world.apply(job("a", world.write_rows("a.jsonl", "k1"))), "a").reason


NO = "You do not have permission to access the File batch-1 or it may not exist."


def collected_soon(world, **lifecycle):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source, **lifecycle))
    world.time.sleep(10)
    world.here.faults(refusing(DOWNLOAD, message=NO))
    return source


def test_results_that_are_refused_are_waited_for_openly_and_briefly(world):
    source = collected_soon(world)
    begin = world.time.now()
    report = world.watch(job("a", source))
    assert phases(report) == {"a": "ResultsLost"}
    assert timedelta(minutes=59) < world.time.now() - begin < timedelta(minutes=65)
    assert NO in plan_of(report, "a").reason
    assert "given up" in world.events("a")
    world.here.faults()
    world.time.sleep(2 * 3600)
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}, "a role that is granted late still brings them"


def test_removal_and_retry_go_on_without_results_that_are_refused(world):
    source = collected_soon(world)
    assert results(world.apply(job("a", source))) == {"a": "pending"}
    assert results(world.apply(options=Options(allow_empty=True))) == {"a": "pending"}, "not before the hour is over"
    world.watch(options=Options(allow_empty=True))
    assert world.recorded().jobs == {}
    assert [one["deleted"] for one in world.here.jobs()] == [True]


@pytest.mark.parametrize(("method", "operation"), [("batches.cancel", "cancel"), ("batches.delete", "delete")])
def test_what_goes_wrong_at_the_end_of_a_job_is_kept(world, method, operation):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    if operation == "delete":
        world.apply(options=Options(allow_empty=True))
        world.time.sleep(5)
    world.here.faults(refusing(method, 403, "not yours"))
    report = world.apply(options=Options(allow_empty=True))
    assert results(report) == {"a": "failed"}
    trouble = world.attempt("a").trouble
    assert (trouble.operation, trouble.code) == (operation, "PermissionDenied")
    assert "not yours" in trouble.message
    world.here.faults()
    world.watch(options=Options(allow_empty=True))
    assert world.recorded().jobs == {}
