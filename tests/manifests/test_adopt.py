"""`spec.adopt`: a manifest that adopts a job that was created manually."""

from __future__ import annotations

from pathlib import Path

from batchctl.model.sources import InlineRows, UnknownSource
from tests.support.manifest_files import STACK, lines, the_job, with_spec, with_stack, write

ADOPTING = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: by-hand}
spec: {model: gemini-2.5-flash, adopt: batches/abc}
"""


def test_an_adopted_job_needs_no_source(tmp_path: Path) -> None:
    job = the_job(tmp_path, ADOPTING)
    assert (job.adopt, job.source, job.request) == ("batches/abc", UnknownSource(), {})
    assert "source" not in job.tree


def test_the_adopted_job_is_not_in_the_digest(tmp_path: Path) -> None:
    plain = the_job(tmp_path, with_spec(""))
    adopting = the_job(tmp_path, with_spec("adopt: batches/abc"))
    assert isinstance(adopting.source, InlineRows)
    assert (adopting.adopt, adopting.digest) == ("batches/abc", plain.digest)


def test_the_stacks_request_defaults_do_not_apply_to_an_adopted_job(tmp_path: Path) -> None:
    stack = with_stack("defaults: {request: {generationConfig: {temperature: 0}}}")
    assert the_job(tmp_path, ADOPTING, stack).request == {}


def test_one_remote_job_has_one_owner(tmp_path: Path) -> None:
    second = ADOPTING.replace("by-hand", "again")
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": ADOPTING, "b.yaml": second})
    assert lines(tmp_path) == [
        'b.yaml:1:1: DuplicateName "adopt" names batches/abc, which by-hand adopts too (first at a.yaml:1:1)'
    ]
