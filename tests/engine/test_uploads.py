"""Uploads are deleted when no attempt reads them any more, and never before."""

from __future__ import annotations

import hashlib

from batchctl.engine.loop.drive import Until
from batchctl.model.ports.providers import Upload
from batchctl.reconcile import Options
from tests.support.engine import HERE, job, made, phases, run

DELETES, UPLOADS = "files.delete", "files.create"


def lying(world) -> list[str]:
    return [file["name"] for file in world.here.api("GET", "files?pageSize=100").get("files", [])]


def test_an_upload_goes_when_its_job_has_ended(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    assert len(lying(world)) == 1
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}
    assert (lying(world), world.recorded().files, world.here.calls(DELETES)) == ([], (), 1)
    assert world.result_rows("a").keys() == {"k1"}
    world.watch(job("a", source))
    assert world.here.calls(DELETES) == 1


def test_a_shared_upload_stays_as_long_as_one_job_reads_it(world):
    world.here.rules({"match": {"displayName": "slow*"}, "fate": "stuck"})
    source = world.write_rows("a.jsonl", "k1")
    jobs = job("a", source), job("slow", source)
    world.apply(*jobs)
    world.time.sleep(10)
    world.apply(*jobs)
    assert world.attempt("a").results is not None
    assert (len(lying(world)), world.here.calls("files.upload")) == (1, 1)
    world.watch(jobs[0])
    assert lying(world) == []


def test_what_a_pass_has_made_counts(world):
    """One job ends and another of the same rows begins, in one pass: the file is used again, not deleted under it."""
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.time.sleep(10)
    world.apply(job("a", source), job("b", source))
    assert (len(lying(world)), world.here.calls(UPLOADS)) == (1, 1)
    assert phases(world.watch(job("a", source), job("b", source))) == {"a": "Succeeded", "b": "Succeeded"}
    assert lying(world) == []


def test_files_of_other_stacks_are_left_alone(world):
    content = b'{"key": "k", "request": {}}\n'
    upload = Upload([content], len(content), hashlib.sha256(content).hexdigest(), "theirs")
    theirs, _ = world.open(HERE, uid="zzz999").upload_file(upload)
    world.watch(job("a", world.write_rows("a.jsonl", "k1")))
    world.watch(options=Options(allow_empty=True))
    assert lying(world) == [theirs]


def test_a_file_that_cannot_be_deleted_is_said_once_and_tried_again_later(world):
    source = world.write_rows("a.jsonl", "k1")
    world.here.faults({"method": DELETES, "kind": "status", "status": 503})
    run(world, [job("a", source)], Until(ended=True))
    assert len([line for line in world.progress.warnings if "could not be deleted" in line]) == 1
    world.here.faults()
    world.watch(job("a", source))
    assert (lying(world), world.recorded().files) == ([], ())


def test_a_file_that_is_gone_is_dropped_from_the_record(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.here.api("DELETE", world.recorded().files[0].name)
    world.watch(job("a", source))
    assert world.recorded().files == ()
    world.apply(job("b", source))
    world.time.sleep(49 * 3600)
    calls = world.here.calls(DELETES)
    world.watch(job("b", source))
    assert (world.recorded().files, world.here.calls(DELETES)) == ((), calls), "what has expired needs no call"


def test_a_removed_job_takes_its_upload_along(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a", world.write_rows("a.jsonl", "k1")))
    world.watch(options=Options(allow_empty=True))
    assert (world.recorded().jobs, lying(world)) == ({}, [])
    assert made(world.here) == {"a@1.0": 1}
