"""The record of the rows that jobs were sent: counts, hashes, outcomes, and rows that were sent again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import Column
from batchctl.emulator.store import Store
from tests.support.embedded_emulator import EMBED_MODEL, World
from tests.support.vertex_calls import TABLE, TO_GCS, Vertex, asked, from_gcs, to_table

LATER = {"code": 14, "message": "later"}


def jobs(world: World) -> list[int]:
    return [job["rows"] for job in world.ok("GET", "/_emulator/jobs")["jobs"]]


def rows(world: World, number: int) -> list[dict[str, str]]:
    return world.ok("GET", f"/_emulator/jobs/{number}/rows")["rows"]


def hashes(world: World, number: int) -> list[str]:
    return [row["hash"] for row in rows(world, number)]


def found(world: World, number: int) -> list[str]:
    return [row["outcome"] for row in rows(world, number)]


def file_of(*texts: str, key: str = "k") -> bytes:
    lines = (
        {"key": f"{key}{at}", "request": {"contents": [{"parts": [{"text": text}], "role": "user"}]}}
        for at, text in enumerate(texts)
    )
    return b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)


def test_jobs_show_their_number_of_rows_in_the_order_of_their_creation(world: World) -> None:
    world.create("a", "b", "c")
    world.create_from_file(world.upload(file_of("a", "b"))["name"])
    world.create_embed({"content": {"parts": [{"text": "x"}]}})
    embedded = b'{"key":"a","request":{"content":{"parts":[{"text":"x"}]}}}\n' * 4
    world.create_from_file(world.upload(embedded)["name"], EMBED_MODEL, "asyncBatchEmbedContent")
    assert jobs(world) == [3, 2, 1, 4]


def test_vertex_jobs_show_the_rows_of_objects_and_tables_from_their_creation_on(vertex: Vertex) -> None:
    vertex.put("more.jsonl", asked("e"), b"\n")
    vertex.fill([{"request": json.dumps(asked(text)["request"])} for text in "abc"], Column("request", "JSON"))
    vertex.make(inputConfig=from_gcs("gs://in/*.jsonl"))
    vertex.make(inputConfig=TABLE)
    vertex.make(inputConfig=from_gcs("gs://in/nothing.jsonl"))
    vertex.make(inputConfig={"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://p.d.none"}})
    assert jobs(vertex) == [5, 3, 0, 0]
    before = [hashes(vertex, number) for number in (1, 2)]
    vertex.pass_time("1h")
    assert jobs(vertex) == [5, 3, 0, 0]
    assert [hashes(vertex, number) for number in (1, 2)] == before
    assert before[1] == before[0][1:4]


def test_the_record_outlives_the_job_its_file_and_its_objects(vertex: Vertex) -> None:
    job = vertex.make()
    vertex.end(job)
    file = vertex.upload(file_of("a", "b"))
    filed = vertex.create_from_file(file["name"])
    before = hashes(vertex, 1), hashes(vertex, 2)
    vertex.ok("DELETE", f"/v1/{job['name']}")
    vertex.ok("DELETE", f"/v1beta/{filed['name']}")
    vertex.ok("DELETE", f"/v1beta/{file['name']}")
    vertex.http.delete("/storage/v1/b/in/o/rows.jsonl")
    assert jobs(vertex) == [4, 2]
    assert (hashes(vertex, 1), hashes(vertex, 2)) == before


def test_a_hash_does_not_depend_on_key_place_spelling_order_or_own_labels(vertex: Vertex) -> None:
    plain: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [{"text": "é"}]}],
        "generationConfig": {"maxOutputTokens": 5, "temperature": 1},
        "labels": {"team": "a"},
    }
    other = {
        "labels": {"batchctl-row-ones": "r7", "team": "a", "batchctl-row-thousands": "r0"},
        "generation_config": {"temperature": 1.0, "max_output_tokens": 5},
        "contents": [{"parts": [{"text": "é"}], "role": "user"}],
    }
    changed = {**plain, "generationConfig": {"maxOutputTokens": 6, "temperature": 1}}
    vertex.put("a.jsonl", {"request": plain}, {"key": "x", "request": other}, {"request": changed})
    vertex.make(inputConfig=from_gcs("gs://in/a.jsonl"))
    first, second, third = hashes(vertex, 1)
    assert first == second != third
    lines = [{"key": "9", "request": other}, {"request": plain}]
    vertex.create_from_file(vertex.upload(b"\n".join(json.dumps(line).encode() for line in lines))["name"])
    assert hashes(vertex, 2) == [first, first]
    vertex.end({"name": vertex.ok("GET", "/_emulator/jobs")["jobs"][0]["name"]})
    assert hashes(vertex, 1) == [first, second, third]


def test_outcomes_are_counted_for_each_job(world: World) -> None:
    world.rules({
        "match": {"displayName": "bad"},
        "fate": "rows",
        "rowOutcomes": [
            {"share": 0.25, "error": LATER},
            {"share": 0.33, "finishReason": "MAX_TOKENS"},
            {"share": 0.5, "response": {}},
        ],
    })  # fmt: skip
    world.create(*"abcd", name="bad")
    world.create("a")
    assert world.ok("GET", "/_emulator/jobs/1")["outcomes"] == {"unprocessed": 4}
    world.pass_time("1h")
    view = world.ok("GET", "/_emulator/jobs/1")
    assert view["outcomes"] == {"MAX_TOKENS": 1, "error 14": 1, "ok": 1, "response": 1}
    assert view["rows"] == 4
    assert found(world, 1) == ["error 14", "MAX_TOKENS", "response", "ok"]
    name = world.ok("GET", "/_emulator/jobs")["jobs"][1]["name"].rpartition("/")[2]
    assert world.ok("GET", f"/_emulator/jobs/{name}")["outcomes"] == {"ok": 1}


@pytest.mark.parametrize("name", ["0", "3", "none", "1/columns"])
def test_an_unknown_job_is_not_found(world: World, name: str) -> None:
    world.create()
    world.refused(404, "GET", f"/_emulator/jobs/{name}")


def test_rows_without_an_answer_may_be_sent_again(world: World) -> None:
    world.rules({"fate": "rows", "match": {"displayName": "first", "row": "k0"}, "rowError": LATER})
    world.create("a", "b", name="first")
    world.pass_time("1h")
    world.create("a")
    world.pass_time("1h")
    assert world.ok("GET", "/_emulator/rows") == {
        "sent": 3,
        "distinct": 2,
        "answered": 2,
        "sentAfterAnswer": 0,
        "rows": [],
    }


def test_rows_with_an_answer_that_are_sent_again_are_listed(world: World) -> None:
    world.create("a", "b")
    world.pass_time("1h")
    world.create("b", "c")
    assert world.ok("GET", "/_emulator/rows") == {
        "sent": 4,
        "distinct": 3,
        "answered": 2,
        "sentAfterAnswer": 1,
        "rows": [{"hash": hashes(world, 2)[0], "jobs": [1, 2]}],
    }
    world.create("a", model="models/gemini-2.5-pro")  # another model: another answer
    assert world.ok("GET", "/_emulator/rows")["sentAfterAnswer"] == 1


def test_rows_of_jobs_that_ended_early_or_failed_are_unprocessed(vertex: Vertex) -> None:
    vertex.rules(
        {"match": {"displayName": "half"}, "fate": "partial"},
        {"match": {"displayName": "export"}, "fate": "failExport"},
        {"match": {"displayName": "fail"}, "fate": "fail"},
        {"match": {"displayName": "slow"}, "running": "10m"},
    )
    for name in ("half", "export", "fail"):
        vertex.make(displayName=name)
    slow = vertex.make(displayName="slow")
    inline = vertex.create(*"abcd", name="slow")
    vertex.pass_time("5m1s")
    vertex.cancel(slow)
    vertex.ok("POST", f"/v1beta/{inline['name']}:cancel")
    vertex.pass_time("5m")
    half = ["ok", "ok", "unprocessed", "unprocessed"]
    assert [found(vertex, number) for number in (1, 2, 3, 4, 5)] == [half, half[2:] * 2, half[2:] * 2, half, half]


def test_a_row_that_cannot_be_read_counts_and_has_a_hash(vertex: Vertex) -> None:
    vertex.put("bad.jsonl", asked("a"), {"request": {"contents": [], "nope": 1}}, {"request": 5}, b"nonsense\n")
    vertex.make(inputConfig=from_gcs("gs://in/bad.jsonl"))
    assert (jobs(vertex), len(set(hashes(vertex, 1)))) == ([4], 4)


def test_partner_rows_and_legacy_embeddings_have_hashes_of_their_whole_request(vertex: Vertex) -> None:
    chat = {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}
    other = {"messages": [{"role": "system", "content": "t"}, {"role": "user", "content": "u"}]}
    vertex.put("chat.jsonl", *({"custom_id": str(at), "body": body} for at, body in enumerate([chat, other, chat])))
    vertex.make(inputConfig=from_gcs("gs://in/chat.jsonl"), model="publishers/meta/models/llama")
    vertex.put("text.jsonl", {"content": "a"}, {"content": "b"}, {"content": "a"})
    vertex.make(inputConfig=from_gcs("gs://in/text.jsonl"), model="publishers/google/models/text-embedding-005")
    for _ in range(2):
        for number in (1, 2):
            first, second, third = hashes(vertex, number)
            assert first == third != second
        vertex.pass_time("1h")


def test_a_store_of_an_earlier_release_gets_the_record_when_it_is_needed(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "old.db")
    vertex.rules({"fate": "rows", "match": {"row": "k0"}, "rowError": LATER}, {"fate": "rows", "match": {"row": "a"}})
    inline = vertex.create("a", "b")
    table = vertex.make(outputConfig=to_table("bq://demo"))
    gcs = vertex.make(outputConfig=TO_GCS)
    vertex.pass_time("2s")
    vertex.see(gcs)
    for name in ("sent_rows", "row_outcomes", "row_tries"):
        vertex.store.change(f"DROP TABLE {name}")
    vertex.emulator.close()
    vertex.emulator.store = Store(tmp_path / "old.db", lambda: vertex.moment)
    assert jobs(vertex) == [2, 4, 4]
    assert rows(vertex, 1) == []
    vertex.pass_time("1h")
    first, second = vertex.inline_results(inline)
    assert (first["error"], "response" in second) == (LATER, True)
    assert found(vertex, 1) == ["error 14", "ok"]
    assert vertex.see(table)["completionStats"] == {"successfulCount": "3", "failedCount": "1"}
    assert sum(bool(line["status"]) for line in vertex.output(gcs)) == 1
