"""Uploads that are no longer needed, and the used storage, on both APIs."""

from __future__ import annotations

import httpx
import pytest

from batchctl.model.ports.providers import FileUse
from tests.support.scripted_api import MARK, Script, provider, reply
from tests.support.scripted_cloud import Bucket
from tests.support.scripted_vertex import provider as vertex

OWN = "files/batchctl-0123456789abcdef"
LISTED = [
    {"name": OWN, "sizeBytes": "100"},
    {"name": "files/theirs", "sizeBytes": "7"},
    {"name": "files/odd", "sizeBytes": "many"},
]


def test_a_file_of_ours_is_deleted():
    script = Script(httpx.Response(200, json={}))
    provider(script).delete_file(OWN)
    assert [(one.method, one.url.path) for one in script.requests] == [("DELETE", f"/v1/{OWN}")]


@pytest.mark.parametrize("name", ["files/theirs", "files/batch-0123", "gs://b/batchctl/x.jsonl", "batches/batchctl-1"])
def test_a_file_that_batchctl_did_not_name_is_left_alone(name):
    script = Script(httpx.Response(200, json={}))
    provider(script).delete_file(name)
    vertex(script).delete_file(name)
    assert script.requests == []


def test_the_storage_is_counted_over_all_pages():
    script = Script(reply({"files": LISTED[:2], "nextPageToken": "t"}), reply({"files": LISTED[2:]}))
    assert provider(script).uploads() == FileUse(3, 107, 1, 100, 20 * 2**30)
    assert [one.url.params["pageSize"] for one in script.requests] == ["100", "100"]


def test_a_staged_file_is_deleted_from_the_stacks_own_folder():
    folder = f"rows/{MARK.uid}"
    bucket = Bucket("staging", **{f"{folder}/a.jsonl": b"12345", "rows/old.jsonl": b"1", "rows/zzz999/b.jsonl": b"2"})
    one = vertex(bucket)
    assert one.uploads() == FileUse(1, 5, 1, 5)
    for name in ("rows/old.jsonl", "rows/zzz999/b.jsonl", f"{folder}/a.jsonl"):
        one.delete_file(f"gs://staging/{name}")
    assert bucket.objects.keys() == {"rows/old.jsonl", "rows/zzz999/b.jsonl"}
    assert vertex(bucket, staging_bucket=None).uploads() is None
    vertex(bucket, staging_bucket=None).delete_file(f"gs://staging/{folder}/a.jsonl")
