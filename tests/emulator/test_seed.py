from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator import schemas
from batchctl.emulator.schemas import Invalid
from batchctl.emulator.seed import load_seed
from tests.support.embedded_emulator import World

SEED = """
settings: {pending: 0s, running: 1h, cancelFinished: refuse}
files:
  - name: files/in
    displayName: In
    lines:
      - {key: a, request: {contents: [{parts: [{text: one}]}]}}
      - {key: b, request: {contents: [{parts: [{text: two ☃}]}]}}
  - {name: files/old, content: "x", mimeType: text/plain, createTime: 2026-02-01T00:00:00Z, expirationTime: 2026-03-01T12:00:01Z}
jobs:
  - {name: batches/demo, displayName: Demo, model: gemini-2.5-flash, state: BATCH_STATE_SUCCEEDED, inputFile: files/in}
  - name: batches/given
    model: models/gemini-2.5-pro
    state: SUCCEEDED
    createTime: 2026-02-28T10:00:00Z
    endTime: 2026-02-28T11:00:00.5+00:00
    results:
      - {metadata: {key: x}, response: {candidates: []}}
      - {metadata: {key: y}, error: {code: 3, message: bad, details: [{"@type": type.googleapis.com/google.rpc.Help}]}}
  - {name: batches/away, model: gemini-2.5-flash, state: SUCCEEDED, inputFile: files/long-gone, results: [{key: k, response: {}}]}
  - {name: batches/waits, model: gemini-2.5-flash, state: PENDING, rows: [{key: k, text: hi}]}
  - {name: batches/runs, model: gemini-2.5-flash, state: JOB_STATE_RUNNING, rows: [{text: hi}]}
  - {name: batches/failed, model: gemini-2.5-flash, state: FAILED, rows: [{text: hi}]}
  - {name: batches/cancelled, model: gemini-2.5-flash, state: CANCELLED, rows: [{text: hi}]}
  - {name: batches/part, model: gemini-2.5-flash, state: CANCELLED, results: [{response: {}}]}
  - {name: batches/expired, model: gemini-2.5-flash, state: EXPIRED, rows: [{text: hi}]}
  - {name: batches/goes-on, kind: embed, model: gemini-embedding-001, rows: [{text: hi}, {key: r, request: {content: {parts: [{text: x}]}}}]}
"""


def load(world: World, tmp_path: Path, text: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text, encoding="utf-8")
    load_seed(world.emulator, path)


@pytest.fixture
def seeded(world: World, tmp_path: Path) -> World:
    load(world, tmp_path, SEED)
    return world


def test_seeded_jobs_have_the_state_of_the_seed(seeded: World) -> None:
    expected = {
        "demo": "SUCCEEDED",
        "given": "SUCCEEDED",
        "away": "SUCCEEDED",
        "waits": "PENDING",
        "runs": "RUNNING",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "part": "CANCELLED",
        "expired": "EXPIRED",
        "goes-on": "RUNNING",
    }
    found = {job["name"][8:]: job["state"][12:] for job in seeded.ok("GET", "/_emulator/jobs")["jobs"]}
    assert found == expected
    seeded.pass_time("1h")
    assert seeded.state({"name": "batches/goes-on"}) == "SUCCEEDED"
    assert seeded.state({"name": "batches/runs"}) == "RUNNING"
    seeded.pass_time("47h")
    assert seeded.state({"name": "batches/runs"}) == seeded.state({"name": "batches/waits"}) == "EXPIRED"


def test_seeded_input_is_answered(seeded: World) -> None:
    reply = seeded.http.get("/v1beta/files/batch-demo:download?alt=media")
    items = [json.loads(line) for line in reply.text.splitlines()]
    assert [item["key"] for item in items] == ["a", "b"]
    assert items[1]["response"]["candidates"][0]["content"]["parts"][0]["text"].endswith("two ☃")
    seeded.pass_time("1h")
    items = seeded.inline_results({"name": "batches/goes-on"})
    assert [item.get("metadata") for item in items] == [None, {"key": "r"}]


def test_given_results_are_returned_unchanged(seeded: World) -> None:
    reply = seeded.get({"name": "batches/given"})
    items = reply["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
    assert items == [
        {"metadata": {"key": "x"}, "response": {"candidates": []}},
        {
            "metadata": {"key": "y"},
            "error": {"code": 3, "message": "bad", "details": [{"@type": "type.googleapis.com/google.rpc.Help"}]},
        },
    ]
    assert reply["metadata"]["batchStats"] == {
        "requestCount": "2",
        "successfulRequestCount": "1",
        "failedRequestCount": "1",
    }
    assert reply["metadata"]["endTime"] == "2026-02-28T11:00:00.500000000Z"
    assert seeded.http.get("/v1beta/files/batch-away:download?alt=media").json() == {"key": "k", "response": {}}
    assert len(seeded.inline_results({"name": "batches/part"})) == 1


def test_files_have_the_times_that_the_seed_gives(seeded: World) -> None:
    old = seeded.ok("GET", "/v1beta/files/old")
    assert (old["mimeType"], old["createTime"]) == ("text/plain", "2026-02-01T00:00:00.000000000Z")
    assert seeded.ok("GET", "/v1beta/files/in")["mimeType"] == "application/jsonl"
    seeded.pass_time("1s")
    seeded.refused(403, "GET", "/v1beta/files/old")


def test_settings_of_the_seed_apply(seeded: World) -> None:
    seeded.refused(400, "POST", "/v1beta/batches/demo:cancel")
    job = seeded.create()
    assert job["metadata"]["state"] == "BATCH_STATE_RUNNING"


def test_a_seed_may_be_loaded_again(seeded: World, tmp_path: Path) -> None:
    seeded.ok("DELETE", "/v1beta/batches/demo")
    before = seeded.ok("GET", "/_emulator/jobs")
    load(seeded, tmp_path, SEED)
    assert seeded.ok("GET", "/_emulator/jobs") == before
    assert len(seeded.ok("GET", "/v1beta/files")["files"]) == 2


def test_an_empty_seed_seeds_nothing(world: World, tmp_path: Path) -> None:
    load(world, tmp_path, "")
    assert world.ok("GET", "/_emulator/jobs") == {"jobs": []}


JOB = "name: batches/a, model: gemini-2.5-flash"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[1]", "seed.yaml:"),
        ("a: [", "seed.yaml: "),
        ("things: []", "seed.yaml: Additional"),
        ("jobs: [{name: batches/a}]", "seed.yaml.jobs[0]: 'model'"),
        (f"jobs: [{{{JOB}, state: DONE, rows: [{{text: x}}]}}]", "seed.yaml.jobs[0].state:"),
        (f"jobs: [{{{JOB}}}]", "seed.yaml.jobs[0]: needs rows, inputFile or results"),
        (f"jobs: [{{{JOB}, inputFile: files/none}}]", "seed.yaml.jobs[0].inputFile: the seed has no such file"),
        (f"jobs: [{{{JOB}, rows: [{{text: x}}, {{key: k}}]}}]", "seed.yaml.jobs[0].rows[1]: needs exactly one"),
        (f"jobs: [{{{JOB}, rows: [{{request: {{prompt: x}}}}]}}]", "seed.yaml.jobs[0].rows[0]: Invalid JSON payload"),
        (
            f"jobs: [{{{JOB}, kind: embed, rows: [{{text: x}}]}}]",
            "seed.yaml.jobs[0].model: models/gemini-2.5-flash does not accept embed jobs",
        ),
        (f"jobs: [{{{JOB}, createTime: 2026-02-01, rows: [{{text: x}}]}}]", "seed.yaml.jobs[0].createTime:"),
        (f"jobs: [{{{JOB}, createTime: soon, rows: [{{text: x}}]}}]", "seed.yaml.jobs[0].createTime:"),
        (
            f"jobs: [{{{JOB}, createTime: 2026-02-01T00:00:00Z, endTime: 2026-02-03T00:00:01Z, rows: [{{text: x}}]}}]",
            "seed.yaml.jobs[0].endTime:",
        ),
        (f"jobs: [{{{JOB}, endTime: 2026-02-01T00:00:00Z, rows: [{{text: x}}]}}]", "seed.yaml.jobs[0].endTime:"),
        ("files: [{name: files/A, content: x}]", "seed.yaml.files[0].name:"),
        ("files: [{name: files/a}]", "seed.yaml.files[0]: needs exactly one"),
        ("files: [{name: files/a, content: x, lines: []}]", "seed.yaml.files[0]: needs exactly one"),
        ("settings: {pending: 1}", "seed.yaml.settings.pending:"),
    ],
)
def test_an_invalid_seed_is_refused_completely_with_its_place(
    world: World, tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(Invalid) as caught:
        load(
            world, tmp_path, f"files: [{{name: files/first, content: x}}]\n{text}" if text.startswith("jobs") else text
        )
    assert str(caught.value).startswith(place)
    assert world.ok("GET", "/v1beta/files") == {}


def test_a_missing_seed_is_an_os_error(world: World, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.yaml"):
        load_seed(world.emulator, tmp_path / "none.yaml")


def fields(schema: Any) -> list[dict[str, Any]]:
    """Every described field of a schema, whatever its depth."""
    found = []
    for below in schema.get("properties", {}).values():
        found += [below, *fields(below)]
    return [*found, *(fields(schema["items"]) if "items" in schema else [])]


@pytest.mark.parametrize("name", ["seed", "rules", "faults"])
def test_every_schema_describes_its_fields_and_closes_its_objects(name: str) -> None:
    schema = json.loads(schemas._schema_text(f"emulator-{name}.schema.json"))
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"].endswith(f"/emulator-{name}.schema.json")
    found = fields(schema)
    assert len(found) >= 9
    for field in found:
        assert field.get("description"), field
        assert "properties" not in field or field["additionalProperties"] is False, field


def test_a_packaged_schema_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "x.json").write_text("true", encoding="utf-8")
    monkeypatch.setattr(schemas, "files", lambda _package: tmp_path)
    schemas.check({"any": "thing"}, "x.json", "doc")


def test_a_seed_has_rules_and_faults(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(
        """\
rules: [{match: {displayName: bad}, fate: fail, error: {code: 8, message: "no quota"}}]
faults: [{method: batches.list, kind: status, status: 503, count: 1}]
jobs:
  - {name: batches/one, displayName: bad, model: gemini-2.5-flash, rows: [{text: x}]}
  - {name: batches/two, displayName: good, model: gemini-2.5-flash, rows: [{text: x}]}
"""
    )
    world = World(tmp_path / "emulator.db")
    load_seed(world.emulator, path)
    world.refused(503, "GET", "/v1beta/batches")
    world.pass_time("1h")
    states = {job["name"]: job["metadata"]["state"] for job in world.ok("GET", "/v1beta/batches")["operations"]}
    assert states == {"batches/one": "BATCH_STATE_FAILED", "batches/two": "BATCH_STATE_SUCCEEDED"}
    assert world.get({"name": "batches/one"})["error"] == {"code": 8, "message": "no quota"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [{fate: stuk}]", r"seed.yaml.rules\[0\].fate: must be one of"),
        ("rules: [{match: {row: a}, fate: fail}]", r"seed.yaml.rules\[0\].match.row: allowed only with the fate rows"),
        ("faults: [{kind: staleStats, method: files.list}]", r"seed.yaml.faults\[0\].method: 'files.list' matches no"),
        ("faults: {kind: cut}", "seed.yaml.faults: must be of type array"),
    ],
)
def test_rules_and_faults_of_a_seed_are_checked(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    world = World(tmp_path / "emulator.db")
    with pytest.raises(Invalid, match=says):
        load_seed(world.emulator, path)
