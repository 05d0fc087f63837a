from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.emulator.schemas import Invalid
from batchctl.emulator.seed import load_seed
from tests.support.cloud_calls import PROJECT, TABLES, Plane, column

SEED = """
buckets:
  demo:
    project: p
    objects:
      in/a.jsonl: {lines: [{request: {contents: []}}, [1], ☃]}
      note: {content: "a ☃", contentType: text/plain}
  bare:
datasets: [p.empty, example.com:q.e]
tables:
  p.d.rows:
    rows:
      - {request: {contents: [{role: user}]}, key: a, n: 1, tags: [x]}
      - {key: b, n: 2.5}
  p.d.typed:
    schema: [{name: t, type: TIMESTAMP}, {name: r, type: RECORD, fields: [{name: x, type: STRING}]}]
    rows: [{t: 2026-01-01T00:00:00Z, r: {x: y}}]
  p.d.bare:
"""


def load(world: Plane, tmp_path: Path, text: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text, encoding="utf-8")
    load_seed(world.emulator, path)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db")
    load(world, tmp_path, SEED)
    yield world
    world.http.close()


def test_buckets_and_objects_of_a_seed(world: Plane) -> None:
    assert world.names() == ["in/a.jsonl", "note"]
    lines = world.read("in/a.jsonl")
    assert lines.content == b'{"request": {"contents": []}}\n[1]\n"\\u2603"\n'
    assert lines.headers["content-type"] == "application/jsonl"
    note = world.read("note")
    assert (note.text, note.headers["content-type"]) == ("a ☃", "text/plain")
    assert world.ok("GET", "/storage/v1/b/bare/o") == {"kind": "storage#objects"}
    assert [item["name"] for item in world.ok("GET", "/storage/v1/b?project=p")["items"]] == ["demo"]


def test_datasets_and_tables_of_a_seed(world: Plane) -> None:
    datasets = world.ok("GET", f"{PROJECT}/datasets")["datasets"]
    assert [item["id"] for item in datasets] == ["p:d", "p:empty"]
    world.ok("GET", "/bigquery/v2/projects/example.com:q/datasets/e")
    assert world.ok("GET", f"{TABLES}/rows")["schema"]["fields"] == [
        column("request", "JSON"),
        column("key", "STRING"),
        column("n", "FLOAT"),
        column("tags", "JSON"),
    ]
    assert world.data("rows") == [['{"contents":[{"role":"user"}]}', "a", "1.0", '["x"]'], [None, "b", "2.5", None]]
    assert world.data("typed") == [["1767225600.0", {"f": [{"v": "y"}]}]]
    assert world.ok("GET", f"{TABLES}/bare")["schema"] == {"fields": []}


def test_existing_names_are_unchanged(world: Plane, tmp_path: Path) -> None:
    put = world.put("note", b"mine")
    world.insert("rows", {"key": "c"})
    load(world, tmp_path, SEED)
    assert world.ok("GET", "/storage/v1/b/demo/o/note") == put
    assert len(world.data("rows")) == 3


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("buckets: []", "seed.yaml.buckets:"),
        ("buckets: {NEW: {}}", "seed.yaml.buckets:"),
        ("buckets: {No: {}}", "seed.yaml.buckets: name 1 is not a string"),
        ("tables: {p.d.n: {rows: [{1: 2}]}}", "seed.yaml.tables.[name 1].rows[0]: name 1 is not a string"),
        ("buckets: {new: {colour: red}}", "seed.yaml.buckets.[name 1]:"),
        ("buckets: {new: {objects: {a: {}}}}", "seed.yaml.buckets.new.objects.a: needs exactly one"),
        ("buckets: {new: {objects: {a: {content: x, lines: []}}}}", "seed.yaml.buckets.new.objects.a: needs exactly"),
        ("buckets: {new: {objects: {..: {content: x}}}}", "seed.yaml.buckets.new.objects...: Disallowed"),
        ("datasets: [p]", "seed.yaml.datasets[0]:"),
        ("datasets: [p.a-b]", "seed.yaml.datasets[0]: must be a project and a dataset"),
        ("tables: {p.d: {}}", "seed.yaml.tables:"),
        ("tables: {p.a-b.t: {}}", "seed.yaml.tables.p.a-b.t: must be a project and a dataset"),
        ('tables: {"p.d.a:b": {}}', "seed.yaml.tables.p.d.a:b: 'a:b' is not the name"),
        ("tables: {p.d.n: {schema: [{name: a, type: TEXT}]}}", "seed.yaml.tables.p.d.n.schema: Invalid type"),
        ("tables: {p.d.n: {rows: [{a b: 1}]}}", "seed.yaml.tables.p.d.n.schema: Invalid field name"),
        (
            "tables: {p.d.n: {schema: [{name: a, type: INTEGER}], rows: [{a: 1}, {a: x}]}}",
            "seed.yaml.tables.p.d.n.rows[1]: Cannot convert",
        ),
    ],
)
def test_an_invalid_seed_is_refused_completely_with_its_place(
    world: Plane, tmp_path: Path, text: str, place: str
) -> None:
    first = "" if text.startswith("buckets") else "buckets: {first: {}}\n"
    with pytest.raises(Invalid) as caught:
        load(world, tmp_path, first + text)
    assert str(caught.value).startswith(place)
    for name in ("first", "new"):
        world.refused(404, "GET", f"/storage/v1/b/{name}")
