"""What the `state` commands print: documents that fit their schemas, and text that no outside word can break."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from batchctl.model.attempts import Intent
from batchctl.model.keys import Account, Api
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import Phase
from batchctl.report.console import Console, make_console
from batchctl.report.state_document import (
    JobRecord,
    RebuildReport,
    StateReport,
    lock_document,
    rebuild_document,
    state_list_document,
    state_show_document,
)
from batchctl.report.state_text import write_rebuild, write_state_list, write_state_show
from tests.support.closed_schemas import closed, objects
from tests.support.sample_plan import DESCRIPTION
from tests.support.values import replace

ROOT = Path(__file__).parents[2]
assert DESCRIPTION.recorded is not None
JOB = replace(DESCRIPTION.recorded, row=replace(DESCRIPTION.recorded.row, former_names=("old\x1b[31m",)))
BARE = RecordedJob(replace(JOB.row, name="bare", former_names=()))
LIST = StateReport(
    "shop",
    Recorded({JOB.name: JOB, "bare": BARE}, serial=3, lineage="l"),
    {JOB.name: Phase.ACTIVE, "bare": Phase.WAITING},
)
SHOWN = JobRecord("shop", JOB, Phase.ACTIVE, DESCRIPTION.events)
LEFT = RemoteJob("batches/left\x1b[31m", Account(Api.GEMINI, "emulator"), "by hand", None, "JOB_STATE_RUNNING")
OPEN = replace(BARE, attempts=(replace(JOB.attempts[0], intent=Intent(datetime(2026, 11, 22, tzinfo=UTC))),))
OLD = Path("/s/state.db.corrupt-1")
REBUILT = RebuildReport("shop", (JOB, OPEN), (LEFT,), ("job/x: broken",), OLD, calls_known=True)
NOTHING = RebuildReport("shop", (), (), (), None, calls_known=False)
HOLDER = {"pid": 1, "host": "h", "who": "w", "command": "c", "since": "2026-11-22T10:00:00Z"}

DOCUMENTS = [
    ("state-list", state_list_document(LIST)),
    ("state-list", state_list_document(StateReport("shop", Recorded(), {}))),
    ("state-show", state_show_document(SHOWN)),
    ("state-rebuild", rebuild_document(REBUILT)),
    ("state-rebuild", rebuild_document(NOTHING)),
    ("state-lock", lock_document("shop", HOLDER)),
    ("state-lock", lock_document("shop", None)),
]


@pytest.mark.parametrize(("name", "document"), DOCUMENTS)
def test_documents_fit_schemas_that_describe_every_key(name, document):
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["properties"]["format"]["const"] == document["format"]
    for part in objects(schema):
        assert part["description"]
        assert all(member.get("description") for member in part["properties"].values())
    jsonschema.Draft7Validator(closed(schema)).validate(json.loads(json.dumps(document)))
    for key in schema["required"]:
        less = {other: value for other, value in document.items() if other != key}
        assert not jsonschema.Draft7Validator(schema).is_valid(less), key


def test_tokens_stay_out():
    token = JOB.attempts[0].token
    assert token
    for _, document in DOCUMENTS:
        assert token not in json.dumps(document)


def text_of(write, value) -> str:
    stream = io.StringIO()
    console: Console = make_console(stream, "never", {})
    write(value, console)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("write", "value", "words"),
    [
        (write_state_list, LIST, ["2 jobs recorded for stack shop, serial 3.", "bare", "Waiting", "Active"]),
        (write_state_list, StateReport("shop", Recorded(), {}), ["0 jobs recorded"]),
        (write_state_show, SHOWN, ["Active", "formerly old", "Recorded", "Attempts", "Events"]),
        (write_state_show, replace(SHOWN, job=BARE), ["bare", "Recorded"]),
        (write_rebuild, REBUILT, ["2 jobs recorded.", "Left out", "batches/left", "job/x: broken", "corrupt-1"]),
        (write_rebuild, REBUILT, ["without a reply, kept", f"- {OPEN.attempts[0].key}"]),
        (write_rebuild, NOTHING, ["0 jobs recorded.", "What cannot be restored", "wait a few minutes"]),
    ],
)
def test_text(write, value, words):
    text = text_of(write, value)
    for word in words:
        assert word in text
    assert "\x1b" not in text


def test_the_attempt_that_counts_carries_a_star_and_the_phase():
    lines = [line for line in text_of(write_state_list, LIST).splitlines() if line.startswith(JOB.name)]
    assert len(lines) == len(JOB.attempts)
    assert ["*" in line for line in lines] == ["Active" in line for line in lines]
    assert sum("*" in line for line in lines) == 1
