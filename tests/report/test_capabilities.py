"""What the APIs can, as `doctor` shows it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import asdict

from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.keys import Api
from batchctl.report.doctor import DoctorReport, Finding, Health, doctor_document

FINDING = Finding("stack", "manifests", Health.OK, "2 jobs, all valid")
SCHEMA = Path(__file__).parents[2] / "schemas" / "doctor.schema.json"


@pytest.mark.parametrize("apis", [(), (Api.GEMINI,), (Api.GEMINI, Api.VERTEX)], ids=len)
def test_the_document_holds_the_matrix_of_the_apis_in_use(apis):
    document = doctor_document(DoctorReport("shop", (FINDING,), apis))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["capabilities"].keys() == set(apis)
    for api in apis:
        shown, can = document["capabilities"][api], CAPABILITIES[api]
        assert (set(shown["sources"]), set(shown["dests"])) == (can.sources, can.dests)
        assert (shown["embeddingsKind"], shown["labels"], shown["listFilter"]) == (
            can.embeddings_kind,
            can.labels,
            can.list_filter,
        )
        assert (shown["webhooks"], shown["priority"]) == (can.webhooks, can.priority)
        assert list(shown["limits"].values()) == list(asdict(can.limits).values())
