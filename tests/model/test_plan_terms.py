"""Which members of a manifest enter its fingerprint: all that have an effect, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.chain import Chain
from batchctl.model.desired import DesiredJob, Expansion
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.locations import Location
from batchctl.model.plan_terms import fingerprint
from batchctl.model.row_settings import Canary, RowSettings
from batchctl.model.row_work import ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import AwaitedRows, InlineRows, RequestRow
from batchctl.model.token_counting import TokenSample
from tests.support.decisions import THERE, job
from tests.support.values import field_names, replace

COUNTED = {
    "digest": "d1:" + "9" * 64,
    "provider": "other",
    "labels": {"team": "search"},
    "display_name": "Night",
    "lifecycle": Lifecycle(active_deadline=timedelta(hours=2)),
    "adopt": "batches/x",
    "extra_body": {"new": 1},
    "depends_on": ("z",),
    "priority": 4,
    "webhook": {"uris": ["https://example.com"]},
    "row_settings": RowSettings(reuse=False),
    "canary": Canary(),
    "sharding": ShardLimits(rows=5),
}
IN_THE_DIGEST = {
    "kind": Kind.EMBEDDINGS_BATCH_JOB,
    "account": THERE,
    "model": "gemini-2.5-pro",
    "source": InlineRows((RequestRow("k", {}),)),
    "tree": {"model": "x"},
    "dest": "gs://b/o/",
    "request": {"labels": {}},
    "run_id": "2",
}
WITHOUT_EFFECT = {
    "path": "other.yaml",
    "location": Location("other.yaml", 9),
    "input_bytes": 77,
    "row_hashes": "abc",
    "annotations": {"owner": "search"},
    "sent_with": SentWith(model="m"),
    "expansion": Expansion("translate", {"lang": "fr"}, 9),
    "sample": TokenSample(5, 100, 30),
}


def test_every_member_is_in_one_of_the_tables() -> None:
    assert set(field_names(DesiredJob)) == {"name", *COUNTED, *IN_THE_DIGEST, *WITHOUT_EFFECT}


@pytest.mark.parametrize("name", COUNTED)
def test_members_that_count(name: str) -> None:
    assert fingerprint(replace(job(), **{name: COUNTED[name]})) != fingerprint(job())


@pytest.mark.parametrize("name", [*IN_THE_DIGEST, *WITHOUT_EFFECT])
def test_members_that_do_not_count_by_themselves(name: str) -> None:
    assert fingerprint(replace(job(), **{name: (IN_THE_DIGEST | WITHOUT_EFFECT)[name]})) == fingerprint(job())


CHAINED = replace(job(), source=AwaitedRows(Chain("first", "0" * 64)))


@pytest.mark.parametrize("name", [name for name in IN_THE_DIGEST if name not in {"source", "tree"}])
def test_the_work_of_a_chain_counts_but_its_rows_do_not(name: str) -> None:
    assert fingerprint(replace(CHAINED, digest="d1:" + "9" * 64)) == fingerprint(CHAINED)
    assert fingerprint(replace(CHAINED, **{name: IN_THE_DIGEST[name]})) != fingerprint(CHAINED)


def test_the_template_of_a_chain_counts() -> None:
    for other in (Chain("second", "0" * 64), Chain("first", "1" * 64)):
        assert fingerprint(replace(CHAINED, source=AwaitedRows(other))) != fingerprint(CHAINED)
