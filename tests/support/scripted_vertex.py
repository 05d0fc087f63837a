"""What the tests of Vertex share: a provider over a script, and jobs as the API shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.providers import CreateRequest
from batchctl.model.sources import UploadedFile
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.vertex.mark_labels import mark_labels
from batchctl.providers.vertex.provider import open_vertex
from tests.support.open_providers import open_flat
from tests.support.scripted_api import MARK, MovedClock

TOKEN = "ya29.Canary-0123456789abcdefghijklmnopqrstuvwxyz"
BASE = "https://us-central1-aiplatform.googleapis.com"
STORAGE = "https://storage.googleapis.com"
BIGQUERY = "https://bigquery.googleapis.com"
ACCOUNT = Account(Api.VERTEX, BASE, "my-project", "us-central1")
PARENT = "/v1/projects/my-project/locations/us-central1"
PLACE = "projects/123456/locations/us-central1"
JOB = f"{PLACE}/batchPredictionJobs/4567"
OPERATION = f"{PLACE}/operations/789"


def provider(
    script: Callable[[httpx.Request], httpx.Response],
    clock: MovedClock | None = None,
    account: Account = ACCOUNT,
    **changes: Any,
):
    """A Vertex provider over a script."""
    settings: dict[str, Any] = {
        "stack": MARK.stack,
        "uid": MARK.uid,
        "credentials": StaticToken(TOKEN),
        "base_url": BASE,
        "storage_url": STORAGE,
        "bigquery_url": BIGQUERY,
        "staging_bucket": "gs://staging/rows/",
        "locks": KeyLocks(),
        "create_timeout": timedelta(seconds=60),
        "display_name": 128,
        "clock": clock or MovedClock(),
        "random": lambda: 0.5,
        "transport": httpx.MockTransport(script),
    }
    return open_flat(open_vertex, account, **{**settings, **changes})


def job(state: str = "JOB_STATE_PENDING", name: str = JOB, **members: Any) -> dict[str, Any]:
    """A BatchPredictionJob as the API shows it."""
    return {
        "name": name,
        "displayName": "Translate",
        "model": "publishers/google/models/gemini-2.5-flash",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b/i.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://b/out/"}},
        "state": state,
        "createTime": "2026-11-22T11:00:00.153782Z",
        "updateTime": "2026-11-22T11:00:00.153782Z",
        "labels": {"team": "search", **mark_labels(MARK)},
        "modelVersionId": "1",
        **members,
    }


def operation(**members: Any) -> dict[str, Any]:
    """What a delete gives."""
    return {"name": OPERATION, "metadata": {"genericMetadata": {}}, **members}


DONE = {"done": True, "response": {"@type": "type.googleapis.com/google.protobuf.Empty"}}


def create_request(**changes: Any) -> CreateRequest:
    settings: dict[str, Any] = {
        "mark": MARK,
        "kind": Kind.BATCH_JOB,
        "model": "gemini-2.5-flash",
        "display_name": "Translate",
        "source": UploadedFile("gs://staging/rows/abc.jsonl"),
        "dest": "gs://b/out/",
        "labels": {"team": "search"},
    }
    return CreateRequest(**{**settings, **changes})
