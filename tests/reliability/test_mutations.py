"""Replies that are mutated on their way (see `mutations`): a few in the gate, by environment as many as wanted.

`BATCHCTL_SEED` is the first seed, `BATCHCTL_MUTATIONS` the number of cases on each API, `BATCHCTL_MUTATION_SECONDS` when
to stop before.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.apis import ApiCase
from tests.support.long_mode import effort
from tests.support.mutated_runs import MutatedSite
from tests.support.mutating_proxy import MutatingProxy, kind_of, mutating
from tests.support.reply_mutations import MUTATIONS, Reply, wire
from tests.support.workplace import Served, Site

SEED = int(os.environ.get("BATCHCTL_SEED", "1"))
CASES = int(os.environ.get("BATCHCTL_MUTATIONS", effort("2", "100000")))
SECONDS = float(os.environ.get("BATCHCTL_MUTATION_SECONDS", effort("600", "300")))


@pytest.fixture
def proxy(still: Served) -> Iterator[MutatingProxy]:
    with mutating(still.url) as proxy:
        yield proxy


@pytest.mark.timeout(7200)
def test_no_reply_does_harm(make_site: Callable[..., Site], still: Served, api: ApiCase, proxy: MutatingProxy) -> None:
    mutated = MutatedSite(make_site(still, api), proxy)
    end = time.monotonic() + SECONDS
    for seed in range(SEED, SEED + CASES):
        if time.monotonic() > end:
            break
        mutated.play(mutated.draw(seed))
    print(f"{api.name}, from seed {SEED}: {mutated.figures}")


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("GET /v1/batches?pageSize=100", "list"),
        ("GET /v1/batches/1?fields=name", "get"),
        ("POST /v1/models/m:batchGenerateContent", "create"),
        ("POST /v1/projects/p/locations/l/batchPredictionJobs", "create"),
        ("GET /v1/projects/p/locations/l/batchPredictionJobs?filter=x", "list"),
        ("GET /storage/v1/b/x/o?prefix=p", "list"),
        ("GET /storage/v1/b/x/o/y?alt=media", "download"),
        ("GET /v1/files/1:download?alt=media", "download"),
        ("PUT /upload/storage/v1/b/x/o?upload_id=1", "upload"),
        ("DELETE /v1/batches/1", "delete"),
    ],
)
def test_each_call_is_of_a_kind(call: str, kind: str) -> None:
    method, _, target = call.partition(" ")
    assert kind_of(method, target) == kind


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_fits_some_reply(name: str) -> None:
    job = {"name": "batches/1", "metadata": {"state": "BATCH_STATE_PENDING", "displayName": "x"}}
    reply = Reply("list", 200, (("content-type", "application/json"),), json.dumps({"operations": [job]}).encode())
    made = MUTATIONS[name](random.Random(1), reply)
    assert made is not None
    assert made.data != wire(reply).data or made.then != "keep"
