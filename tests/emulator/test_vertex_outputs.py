from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.bigquery.tables import Column
from batchctl.emulator.settings import Settings
from batchctl.emulator.storage.objects import match_objects
from batchctl.emulator.vertex.echo import normalised
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.request.check import check_row_request
from tests.support.vertex_calls import TABLE, Vertex, asked, from_gcs, to_table

EMBEDDING = "publishers/google/models/gemini-embedding-001"
LEGACY = "publishers/google/models/text-embedding-005"


def run(vertex: Vertex, *lines: Any, **members: Any) -> list[Any]:
    """The output of a job over these lines, in the order of the input."""
    vertex.put("mine.jsonl", *lines)
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"), **members)
    assert vertex.end(job)["state"] == "JOB_STATE_SUCCEEDED"
    output = vertex.output(job)
    half = len(lines) // 2
    return output[half:] + output[:half]


def text_of(line: Any) -> str:
    return line["request"]["contents"][0]["parts"][0]["text"]


def test_a_line_has_status_time_request_and_response(vertex: Vertex) -> None:
    [line] = run(vertex, asked("hello", labels={"my_id": "1"}, generation_config={"temperature": 0.5}))
    response = line.pop("response")
    assert line == {
        "status": "",
        "processed_time": "2026-03-01T12:00:03.000+00:00",
        **asked("hello", labels={"my_id": "1"}, generation_config={"temperature": 0.5}),
    }
    answer = response["candidates"][0]["content"]["parts"][0]["text"]
    assert answer == "[batchctl emulator] gemini-2.5-flash answers to: hello"
    assert response["modelVersion"] == "gemini-2.5-flash"


@pytest.mark.parametrize(("count", "order"), [(1, "a"), (2, "ba"), (3, "cab"), (4, "cdab"), (5, "deabc")])
def test_the_order_is_not_that_of_the_input(vertex: Vertex, count: int, order: str) -> None:
    vertex.put("mine.jsonl", *map(asked, "abcde"[:count]))
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"))
    vertex.end(job)
    lines = vertex.output(job)
    assert "".join(map(text_of, lines)) == order
    for line in lines:
        assert line["response"]["candidates"][0]["content"]["parts"][0]["text"].endswith(f": {text_of(line)}")
    times = [line["processed_time"] for line in sorted(lines, key=text_of)]
    assert times == sorted(times)
    assert times[-1] == "2026-03-01T12:00:03.000+00:00"


def test_json_is_answered_where_json_is_asked_for(vertex: Vertex) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": {"type": "STRING", "enum": ["A", "B"]}}
    [line] = run(vertex, asked("x", generationConfig=config))
    assert json.loads(line["response"]["candidates"][0]["content"]["parts"][0]["text"]) == "A"


def problem(code: int, message: str, status: str, phrase: str) -> str:
    return f"{phrase}: {json.dumps({'error': {'code': code, 'message': message, 'status': status}})}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"request": {"contents": [{"parts": [{"text": "x"}]}]}}, "Please use a valid role: user, model."),
        ({"request": {"contents": [{"role": "boss", "parts": []}]}}, "Please use a valid role: user, model."),
        ({"request": {"labels": {"a": "b"}}}, "* GenerateContentRequest.contents: contents is not specified"),
        (asked("x", size=1), 'Invalid JSON payload received. Unknown name "size": Cannot find field.'),
        (
            asked("x", generationConfig={"topK": 1, "top_k": 2}),
            (
                "Invalid JSON payload received. Invalid value at 'generation_config.top_k', the field is given in both"
                " spellings"
            ),
        ),
        (
            asked("x", generationConfig={"candidateCount": "many"}),
            "Invalid JSON payload received. Invalid value at 'generation_config.candidate_count' (TYPE_INT64), 'many'",
        ),
    ],
)
def test_an_invalid_request_is_an_error_of_its_row(vertex: Vertex, line: Any, message: str) -> None:
    good, bad = run(vertex, asked("good"), line)
    assert good["status"] == ""
    assert (bad["request"], bad["response"]) == (line["request"], {})
    assert bad["status"] == problem(400, message, "INVALID_ARGUMENT", "Bad Request")
    [job] = vertex.listed()
    assert job["completionStats"] == {"successfulCount": "1", "failedCount": "1"}


UNDOCUMENTED = [
    {"serviceTier": "flex"},
    {"contents": [{"role": "USER", "parts": [{"text": "x", "mediaResolution": {"numTokens": 64}}]}]},
    {"contents": [{"role": "Model", "parts": [{"text": "x", "videoMetadata": {"contentLayers": ["AUDIO"]}}]}]},
    {"contents": [{"role": "user", "parts": [{"text": "x", "documentMetadata": {"startPage": 1}}]}]},
    {"tools": [{"googleMaps": {"authConfig": {"apiKey": "k"}}}]},
]


@pytest.mark.parametrize("members", UNDOCUMENTED)
def test_what_validate_only_warns_of_is_answered(vertex: Vertex, members: dict[str, Any]) -> None:
    request = asked("x")["request"] | members
    problems = list(check_row_request(request, Kind.BATCH_JOB, Api.VERTEX))
    assert problems
    assert all(problem.is_warning for problem in problems)
    [line] = run(vertex, {"request": request})
    assert (line["status"], bool(line["response"])) == ("", True)


def schema(properties: dict[str, Any]) -> dict[str, Any]:
    return asked("x", generationConfig={"responseSchema": {"type": "OBJECT", "properties": properties}})


def deep(levels: int) -> dict[str, Any]:
    return {"p": {"type": "OBJECT"} if levels == 1 else {"type": "OBJECT", "properties": deep(levels - 1)}}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            [asked("x", tools=[{"googleSearch": {}}])],
            "row 1: field request.tools.item.googleSearch is a struct without fields",
        ),
        ([asked("x"), schema({"$defs": {"a": 1}})], "row 2: invalid field name '$defs' in request.generationConfig"),
        ([schema({"Metric A": {"type": "STRING"}})], "row 1: invalid field name 'Metric A'"),
        (
            [schema({"a": {"type": "STRING"}}), schema({"a": {"type": ["STRING", "NULL"]}})],
            "responseSchema.properties.a.type has two types",
        ),
        ([schema(deep(7))], "is nested more than 15 levels"),
        (
            [schema({"City": {"type": "STRING"}}), schema({"city": {"type": "STRING"}})],
            "row 2: Duplicate (case insensitive) field names: request.generationConfig.responseSchema.properties.City",
        ),
        ([{"request": {}}], "row 1: field request is a struct without fields"),
    ],
)
def test_rows_that_cannot_be_imported_fail_the_job(vertex: Vertex, lines: list[Any], says: str) -> None:
    vertex.put("mine.jsonl", *lines)
    job = vertex.end(vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl")))
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 3
    assert job["error"]["message"].startswith("Failed to import data. ")
    assert says in job["error"]["message"]


def test_rows_that_can_be_imported(vertex: Vertex) -> None:
    rows = [
        asked("x", tools=[{"googleSearch": {"excludeDomains": []}}]),
        schema(deep(5)),
        {"request": {"contents": {"role": "user", "parts": {"text": "y"}}}},
    ]
    assert [line["status"] for line in run(vertex, *rows[:2])] == ["", ""]
    [line] = run(vertex, rows[2])
    assert line["status"] == ""


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (8, problem(429, "m", "RESOURCE_EXHAUSTED", "Too Many Requests")),
        (9, problem(400, "m", "FAILED_PRECONDITION", "Bad Request")),
        (13, problem(500, "m", "INTERNAL", "Internal Server Error")),
        (1, problem(499, "m", "CANCELLED", "CANCELLED")),
        (2, problem(500, "m", "UNKNOWN", "Internal Server Error")),
    ],
)
def test_a_rule_fails_rows(vertex: Vertex, code: int, status: str) -> None:
    vertex.rules({"fate": "rows", "match": {"row": "b*"}, "rowError": {"code": code, "message": "m"}})
    assert [line["status"] for line in run(vertex, *map(asked, ["a", "b1", "b2"]))] == ["", status, status]


@pytest.mark.parametrize(
    ("glob", "share", "failing"),
    [("*", 1, "abc"), ("*", 0.5, "ac"), ("id-2", 1, "b"), ("c", 1, "c"), ("other", 1, "")],
)
def test_a_rule_matches_a_row_by_label_or_text(vertex: Vertex, glob: str, share: float, failing: str) -> None:
    vertex.rules({"fate": "rows", "match": {"row": glob}, "rowError": {"share": share}})
    lines = [asked(text, labels={"id": f"id-{number}"}) for number, text in enumerate("abc", 1)]
    assert "".join(text_of(line) for line in run(vertex, *lines) if line["status"]) == failing


def test_wildcards_and_several_uris_are_read(vertex: Vertex) -> None:
    for name in ("w/2.jsonl", "w/1.jsonl", "w/x.txt", "other.jsonl"):
        vertex.put(name, asked(name))
    job = vertex.make(inputConfig=from_gcs("gs://in/other.jsonl", "gs://in/w/*.jsonl"))
    vertex.end(job)
    assert [text_of(line) for line in vertex.output(job)] == ["w/2.jsonl", "other.jsonl", "w/1.jsonl"]


@pytest.mark.parametrize(
    ("prefix", "start"), [("gs://out/here", "here/"), ("gs://out/a/b/", "a/b/"), ("gs://out", ""), ("gs://out/", "")]
)
def test_the_output_has_a_directory_of_its_own(vertex: Vertex, prefix: str, start: str) -> None:
    destination = {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": prefix}}
    jobs = [vertex.make(outputConfig=destination) for _ in range(2)]
    vertex.pass_time("1h")
    times = ["12:00:03.000000Z", "12:00:03.000001Z"]
    directories = [vertex.see(job)["outputInfo"]["gcsOutputDirectory"] for job in jobs]
    assert directories == [f"gs://out/{start}prediction-model-2026-03-01T{time}" for time in times]
    assert [f"gs://out/{name}" for name in vertex.outputs()] == [f"{each}/predictions.jsonl" for each in directories]


def test_the_output_exists_even_if_objects_are_listed_first(vertex: Vertex) -> None:
    vertex.make()
    path = "/storage/v1/b/out/o"
    vertex.pass_time("2s")
    assert vertex.ok("GET", path).get("items", []) == []
    vertex.pass_time("1s")
    [item] = vertex.ok("GET", path, params={"prefix": "here/"})["items"]
    assert item["updated"].startswith("2026-03-01T12:00:03")
    vertex.pass_time("1h")
    assert vertex.ok("GET", path)["items"] == [item]


def test_the_output_may_be_several_files(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "files.db", Settings(output_files=3))
    job = vertex.end(vertex.make())
    outputs = vertex.outputs(f"{job['outputInfo']['gcsOutputDirectory']}/*")
    assert [name.rpartition("/")[2] for name in outputs] == [f"predictions_{number:04}.jsonl" for number in (1, 2, 3)]
    assert [[text_of(line) for line in lines] for lines in outputs.values()] == [["c", "d"], ["a", "b"], []]
    vertex.http.close()


def test_imported_rows_are_deleted_after_the_output_is_written(vertex: Vertex) -> None:
    vertex.end(vertex.make())
    used = {item.blob for bucket in ("in", "out") for item in match_objects(vertex.store, f"gs://{bucket}/**")}
    assert {blob for (blob,) in vertex.store.rows("SELECT DISTINCT blob FROM pieces")} == used


@pytest.mark.parametrize("config", ["embed_content_config", "embedContentConfig"])
def test_embeddings_have_their_key(vertex: Vertex, config: str) -> None:
    request = {"content": {"parts": [{"text": "x"}]}, config: {"output_dimensionality": 3, "taskType": "CLUSTERING"}}
    good, bad = run(
        vertex,
        {"key": "k1", "request": request},
        {"key": "k2", "request": {"content": {"role": "user"}}},
        model=EMBEDDING,
    )
    assert good["response"]["tokenCount"] == "1"
    assert len(good["response"]["embedding"]["values"]) == 3
    assert {name: good[name] for name in good.keys() - {"response"}} == {"key": "k1", "request": request}
    assert (bad["key"], bad["response"]) == ("k2", {})
    assert "content is not specified" in bad["status"]


def test_legacy_embeddings_have_predictions(vertex: Vertex) -> None:
    [line] = run(vertex, {"content": "some words"}, model=LEGACY)
    [prediction] = line["predictions"]
    assert prediction["embeddings"]["statistics"] == {"token_count": 3, "truncated": False}
    assert len(prediction["embeddings"]["values"]) == 768
    assert (line["instance"], line["status"]) == ({"content": "some words"}, "")


@pytest.mark.parametrize(
    ("model", "line", "left"),
    [
        (EMBEDDING, {"key": "k", "request": {"content": {"parts": [{"text": "x"}]}}}, None),
        (LEGACY, {"content": "x"}, {"instance": {"content": "x"}}),
    ],
)
def test_unprocessed_rows_contain_only_the_input(vertex: Vertex, model: str, line: Any, left: Any) -> None:
    vertex.put("mine.jsonl", line, line)
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"), model=model)
    vertex.pass_time("1s")
    vertex.cancel(job)
    vertex.end(job)
    assert vertex.output(job) == [left or line] * 2


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (
            {"generation_config": {"top_k": 40.0, "temperature": 0}},
            "",
            {"generationConfig": {"temperature": 0, "topK": 40}},
        ),
        ({"a": "", "b": [], "c": False, "d": 0, "e": None, "f": {}}, "", {"f": {}}),
        ({"parts": [{"text": ""}]}, "", {"parts": [{"text": ""}]}),
        ({"labels": {"my_key": ""}}, "", {"labels": {"my_key": ""}}),
        ({"properties": {"a_b": {"min_items": 1, "nullable": False}}}, "", {"properties": {"a_b": {"minItems": 1}}}),
        (
            {"response_json_schema": {"min_x": 0, "y": [{"a_b": ""}]}},
            "",
            {"responseJsonSchema": {"min_x": 0, "y": [{"a_b": ""}]}},
        ),
        ({"some_name": [1.5, 2.0]}, "modelParameters", {"some_name": [1.5, 2]}),
    ],
)
def test_the_echo_may_be_normalised(value: Any, name: str, expected: Any) -> None:
    """A float with an integer value is printed as an integer."""
    assert json.dumps(normalised(value, name), sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_fault_normalises_the_echo(vertex: Vertex) -> None:
    line = asked("x", generation_config={"temperature": 1.0, "stop_sequences": []}, safety_settings=[])
    vertex.put("mine.jsonl", line)
    vertex.faults({"kind": "echoNormalised", "method": "batchPredictionJobs.create", "count": 1})
    parameters = {"b_c": 1.0, "a": 2}
    members = {"inputConfig": from_gcs("gs://in/mine.jsonl"), "modelParameters": parameters}
    changed, plain = vertex.make(**members), vertex.make(**members)
    vertex.pass_time("3s")
    assert list(vertex.see(changed)["inputConfig"]) == ["gcsSource", "instancesFormat"]
    assert list(vertex.see(plain)["inputConfig"]) == ["instancesFormat", "gcsSource"]
    assert (list(changed["modelParameters"]), changed["modelParameters"]) == (["a", "b_c"], parameters)
    assert "normalised" not in changed
    [other], [same] = vertex.output(changed), vertex.output(plain)
    assert same["request"] == line["request"]
    assert other["request"] == {**asked("x")["request"], "generationConfig": {"temperature": 1}}
    assert list(other["request"]) == ["generationConfig", "contents"]
    assert '"temperature":1}' in json.dumps(other["request"], separators=(",", ":"))
    assert other["response"]["candidates"] == same["response"]["candidates"]


def test_an_export_that_fails_counts_the_rows_and_leaves_an_empty_folder(vertex: Vertex) -> None:
    vertex.rules({"fate": "failExport"})
    job = vertex.end(vertex.make())
    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_FAILED", 7)
    assert job["error"]["message"].startswith("Failed to export data.")
    assert job["completionStats"] == {"successfulCount": "4"}
    folder = job["outputInfo"]["gcsOutputDirectory"]
    assert folder.startswith("gs://out/here/prediction-model-")
    assert vertex.ok("GET", "/storage/v1/b/out/o").get("items", []) == []


def test_a_failed_export_to_a_table_names_no_table(vertex: Vertex) -> None:
    vertex.rules({"fate": "failExport", "error": {"code": 7, "message": "no right"}})
    vertex.fill([asked("a")], Column("request", "JSON"))
    job = vertex.end(vertex.make(inputConfig=TABLE, outputConfig=to_table("bq://p.d.new")))
    assert (job["state"], job["error"]) == ("JOB_STATE_FAILED", {"code": 7, "message": "no right"})
    assert "outputInfo" not in job
    vertex.refused(404, "GET", "/bigquery/v2/projects/p/datasets/d/tables/new")
