"""Rules for rows that follow their content, pass with time, come in another order, or belong to jobs that end early."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.bigquery.tables import find_table, read_rows
from tests.support.embedded_emulator import World
from tests.support.patience import PATIENCE
from tests.support.vertex_calls import Vertex, asked, from_gcs, to_table

LATER = {"code": 14, "message": "later"}
TEXTS = [f"text {number}" for number in range(200)]
BY_CONTENT = [
    {"by": "content", "share": 0.1, "times": 1, "error": LATER},
    {"by": "content", "share": 0.05, "error": {"code": 3, "message": "invalid"}},
    {
        "by": "content",
        "share": 0.1,
        "finishReason": "MAX_TOKENS",
        "unless": {"maxOutputTokens": 4096, "model": "*-pro"},
    },
]
MODEL = "models/gemini-2.5-flash"


def kind_of(result: dict[str, Any]) -> str:
    if "error" in result or result.get("status"):
        error = result.get("error") or json.loads(result["status"].partition(": ")[2])["error"]
        return f"error {error['message']}"
    return str(result["response"]["candidates"][0]["finishReason"])


def send(world: World, texts: Sequence[str], model: str = MODEL, **config: Any) -> dict[str, str]:
    """Send the rows to the Developer API as one job; the outcomes by text."""
    requests = [{"contents": [{"role": "user", "parts": [{"text": text}]}]} for text in texts]
    if config:
        requests = [{**request, "generationConfig": config} for request in requests]
    items = [{"request": request, "metadata": {"key": str(at)}} for at, request in enumerate(requests)]
    job = world.post_batch(model, {"inputConfig": {"requests": {"requests": items}}})
    world.finish(job)
    return {texts[int(item["metadata"]["key"])]: kind_of(item) for item in world.inline_results(job)}


def send_vertex(vertex: Vertex, texts: Sequence[str], **members: Any) -> dict[str, str]:
    """Send the rows to Vertex as one job, with batchctl's labels; the outcomes by text."""
    lines = (asked(text, labels={"batchctl-row-ones": f"r{at}"}) for at, text in enumerate(texts))
    vertex.put("sent.jsonl", *lines)
    job = vertex.make(inputConfig=from_gcs("gs://in/sent.jsonl"), **members)
    vertex.end(job)
    return {line["request"]["contents"][0]["parts"][0]["text"]: kind_of(line) for line in vertex.output(job)}


def test_outcomes_by_content_follow_the_row_to_every_job_and_position(vertex: Vertex) -> None:
    outcomes = [{**outcome} for outcome in BY_CONTENT]
    del outcomes[0]["times"]
    vertex.rules({"rowOutcomes": outcomes})
    whole = send(vertex, TEXTS)
    counts = Counter(whole.values())
    assert 10 <= counts["error later"] <= 30
    assert 3 <= counts["error invalid"] <= 20
    assert 8 <= counts["MAX_TOKENS"] <= 30
    shards = [send(vertex, TEXTS[start:][::-1]) for start in (150, 100)]
    assert all(whole[text] == kind for shard in shards for text, kind in shard.items())
    assert send_vertex(vertex, TEXTS[::-1]) == whole


def test_a_seed_chooses_other_rows(world: World) -> None:
    found = []
    for seed in (0, 1, 0):
        world.rules({"rowOutcomes": BY_CONTENT, "seed": seed})
        found.append(send(world, TEXTS))
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("api", [send, send_vertex])
def test_an_error_that_passes_is_gone_when_the_row_is_sent_again(vertex: Vertex, api: Any) -> None:
    vertex.rules({"rowOutcomes": [{"times": 2, "error": LATER}]})
    assert [api(vertex, ["a"]) for _ in range(4)] == [{"a": "error later"}] * 2 + [{"a": "STOP"}] * 2
    assert api(vertex, ["b", "a"]) == {"b": "error later", "a": "STOP"}
    vertex.rules({"rowOutcomes": [{"times": 1, "error": LATER}]})
    assert [api(vertex, ["a"]) for _ in range(2)] == [{"a": "error later"}, {"a": "STOP"}]


def test_sends_are_counted_for_each_api_and_for_rows_of_any_settings(vertex: Vertex) -> None:
    vertex.rules({"rowOutcomes": [{"times": 1, "error": LATER}]})
    assert send(vertex, ["a"]) == send_vertex(vertex, ["a"]) == {"a": "error later"}
    assert send(vertex, ["a"], maxOutputTokens=5) == {"a": "STOP"}
    assert send(vertex, ["x", "x"])["x"] == "STOP"


def test_a_cut_goes_away_with_more_tokens_or_another_model(world: World) -> None:
    world.rules({"rowOutcomes": BY_CONTENT})
    cut = [text for text, kind in send(world, TEXTS).items() if kind == "MAX_TOKENS"]
    assert set(send(world, cut, maxOutputTokens=4095).values()) == {"MAX_TOKENS"}
    assert set(send(world, cut, maxOutputTokens=4096).values()) == {"STOP"}
    assert set(send(world, cut, "models/gemini-2.5-pro").values()) == {"STOP"}


def test_a_refused_create_counts_no_send(world: World) -> None:
    world.rules({"rowOutcomes": [{"times": 1, "error": LATER}]})
    good = b'{"key":"k","request":{"contents":[{"parts":[{"text":"a"}]}]}}\n'
    for content in (good + b"{}\n", good + b'{"key":"k","request":{"nope":1}}\n'):
        body = {"batch": {"inputConfig": {"fileName": world.upload(content)["name"]}}}
        world.refused(400, "POST", f"/v1beta/{MODEL}:batchGenerateContent", json=body)
    assert world.ok("GET", "/_emulator/jobs") == {"jobs": []}
    assert send(world, ["a"]) == {"a": "error later"}


def test_results_come_in_another_order_each_once(vertex: Vertex) -> None:
    content = b"\n".join(
        json.dumps({"key": str(at), "request": asked(str(at))["request"]}).encode() + b"\r" for at in range(2500)
    )
    file = vertex.upload(content)["name"]
    vertex.put("many.jsonl", content)
    orders = []
    for seed in (0, 0, 5):
        vertex.rules({"order": "shuffled", "seed": seed, "rowError": {"share": 0.5}})
        job, other = vertex.create_from_file(file), vertex.make(inputConfig=from_gcs("gs://in/many.jsonl"))
        done = vertex.finish(job)["metadata"]["output"]["responsesFile"]
        reply = vertex.http.get(f"/v1beta/{done}:download?alt=media")
        results = [json.loads(line) for line in reply.text.splitlines()]
        orders.append([int(result["key"]) for result in results])
        assert [kind_of(result).startswith("error") for result in results] == [at % 2 == 0 for at in orders[-1]]
        assert [int(line["key"]) for line in vertex.output(other)] == orders[-1]
    assert orders[0] == orders[1] != orders[2]
    assert all(sorted(order) == list(range(2500)) and order[:1000] != list(range(1000)) for order in orders)


def test_a_usual_order_is_that_of_the_input(world: World) -> None:
    world.rules({"order": "usual"})
    job = world.create(*"abcdef")
    world.finish(job)
    assert [item["metadata"]["key"] for item in world.inline_results(job)] == [f"k{at}" for at in range(6)]


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_expired_job_has_the_results_of_the_rows_that_were_done(vertex: Vertex, shuffled: bool) -> None:
    order: dict[str, Any] = {"order": "shuffled"} if shuffled else {}
    vertex.rules({"fate": "expire", "done": 0.6, "rowError": {"share": 0.5}, **order})
    job = vertex.create(*"abcdefghij")
    vertex.put("ten.jsonl", *({"key": f"k{at}", **asked(text)} for at, text in enumerate("abcdefghij")))
    other = vertex.make(inputConfig=from_gcs("gs://in/ten.jsonl"))
    running = vertex.get(job)
    assert "output" not in running["metadata"]
    metadata = vertex.finish(job)["metadata"]
    results = metadata["output"]["inlinedResponses"]["inlinedResponses"]
    keys = [item["metadata"]["key"] for item in results]
    failed = sum("error" in item for item in results)
    assert (metadata["state"], len(keys)) == ("BATCH_STATE_EXPIRED", 6)
    assert (keys == [f"k{at}" for at in range(6)]) is not shuffled
    assert metadata["batchStats"] == {
        "requestCount": "10",
        "successfulRequestCount": str(6 - failed),
        "failedRequestCount": str(failed),
        "pendingRequestCount": "4",
    }
    resource = vertex.see(other)
    assert (resource["state"], "error" in resource) == ("JOB_STATE_EXPIRED", False)
    assert resource["completionStats"] == {
        "successfulCount": str(6 - failed),
        "failedCount": str(failed),
        "incompleteCount": "4",
    }
    lines = vertex.output(other)
    assert {line["key"] for line in lines if "response" in line} == set(keys)
    assert [sorted(line) for line in lines if "response" not in line] == [["key", "request"]] * 4
    for number in (1, 2):
        outcomes = vertex.ok("GET", f"/_emulator/jobs/{number}")["outcomes"]
        assert outcomes == {"error 13": failed, "ok": 6 - failed, "unprocessed": 4}


def test_an_expired_job_without_a_share_has_no_results(vertex: Vertex) -> None:
    vertex.rules({"fate": "expire"})
    job, other = vertex.create(), vertex.make()
    assert "output" not in vertex.finish(job)["metadata"]
    assert "outputInfo" not in vertex.see(other)


def test_an_expiring_job_that_is_cancelled_has_what_was_done_by_then(world: World) -> None:
    world.rules({"fate": "expire", "done": 0.6, "running": "10s"})
    job = world.create(*"abcdefghij")
    world.pass_time("4s")
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    assert len(world.inline_results(job)) == 3


def test_a_partial_job_may_have_another_share(vertex: Vertex) -> None:
    vertex.rules({"fate": "partial", "done": 0.75})
    assert vertex.end(vertex.make())["completionStats"] == {"successfulCount": "3", "incompleteCount": "1"}


def test_a_rule_covers_the_nth_job_that_the_rest_of_its_match_covers(vertex: Vertex) -> None:
    vertex.create(name="early")
    vertex.rules(
        {"match": {"nth": 3, "api": "gemini"}, "fate": "fail"},
        {"match": {"nth": [1, 2], "displayName": "x*"}, "fate": "expire"},
        {"match": {"nth": 1, "api": "vertex"}, "fate": "failExport"},
    )
    made = [vertex.create(name=name) for name in ("a", "b", "xa", "xb", "xc")]
    other = [vertex.make(), vertex.make()]
    vertex.pass_time("3s")
    states = [vertex.state(job) for job in made]
    assert states == ["SUCCEEDED", "FAILED", "EXPIRED", "EXPIRED", "SUCCEEDED"]
    assert [vertex.state_of(job) for job in other] == ["FAILED", "SUCCEEDED"]


def test_a_rule_covers_jobs_by_their_labels(vertex: Vertex) -> None:
    vertex.rules({"match": {"labels": {"batchctl-shard": "2", "batchctl-job": "t*"}}, "fate": "expire"})
    labels = [
        {"batchctl-shard": "2", "batchctl-job": "two"},
        {"batchctl-shard": "1", "batchctl-job": "two"},
        {"batchctl-shard": "2"},
        None,
    ]
    made = [vertex.make(labels=label) for label in labels]
    inline = vertex.create()
    vertex.pass_time("3s")
    assert [vertex.state_of(job) for job in made] == ["EXPIRED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
    assert vertex.state(inline) == "SUCCEEDED"


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"fate": "rows", "done": 0.5}, "rules[0].done:"),
        ({"done": 0.5}, "rules[0].done:"),
        ({"fate": "expire", "done": 1.5}, "rules[0].done:"),
        ({"fate": "expire", "output": {"early": 0.5}}, "rules[0].output:"),
        ({"fate": "stuck", "order": "shuffled"}, "rules[0].order:"),
        ({"fate": "fail", "rowError": {}}, "rules[0].rowError:"),
        ({"order": "random"}, "rules[0].order:"),
        ({"seed": 1}, "rules[0].seed:"),
        ({"seed": 1, "order": "usual"}, "rules[0].seed:"),
        ({"seed": 1, "rowOutcomes": [{"by": "position", "error": {}}]}, "rules[0].seed:"),
        ({"rowOutcomes": [{"by": "key", "error": {}}]}, "rules[0].rowOutcomes[0].by:"),
        ({"rowOutcomes": [{"times": 0, "error": {}}]}, "rules[0].rowOutcomes[0].times:"),
        ({"rowOutcomes": [{"unless": {}, "error": {}}]}, "rules[0].rowOutcomes[0].unless:"),
        ({"match": {"nth": 0}}, "rules[0].match.nth:"),
        ({"match": {"labels": {"a": "b"}, "api": "gemini"}}, "rules[0]: matches no job, because"),
        ({"match": {"row": "k*"}, "fate": "expire"}, "rules[0].match.row:"),
    ],
)
def test_rules_that_could_never_show_are_refused(world: World, rule: dict[str, Any], place: str) -> None:
    reply = world.refused(400, "PUT", "/_emulator/rules", json=[rule])
    assert place in json.dumps(reply)


def test_output_may_be_varied_in_a_job_that_expires_with_results(vertex: Vertex) -> None:
    vertex.rules({"fate": "expire", "done": 0.5, "output": {"asNumbers": True}})
    vertex.put("ten.jsonl", *({"key": f"00{at}", **asked("x")} for at in range(2)))
    job = vertex.make(inputConfig=from_gcs("gs://in/ten.jsonl"))
    vertex.end(job)
    assert sorted(line["key"] for line in vertex.output(job)) == [0, 1]


def test_answers_depend_on_the_request_alone(vertex: Vertex) -> None:
    first = vertex.create("a", "b")
    vertex.pass_time("5h")
    second = vertex.create("b", name="other")
    vertex.pass_time("5h")
    before, after = vertex.inline_results(first)[1], vertex.inline_results(second)[0]
    assert before["response"] == after["response"]
    assert before["response"]["responseId"] != vertex.inline_results(first)[0]["response"]["responseId"]
    lines = [asked("b", labels={"batchctl-row-ones": f"r{at}"}) for at in range(2)]
    vertex.put("b.jsonl", asked("b"), *lines)
    job = vertex.make(inputConfig=from_gcs("gs://in/b.jsonl"))
    vertex.end(job)
    answers = [line["response"] for line in vertex.output(job)]
    assert answers == [before["response"]] * 3
    chat = {"custom_id": "r", "body": {"messages": [{"role": "user", "content": "u"}]}}
    vertex.put("chat.jsonl", chat, {**chat, "custom_id": "s"})
    partner = vertex.make(inputConfig=from_gcs("gs://in/chat.jsonl"), model="publishers/meta/models/llama")
    vertex.end(partner)
    assert len({line["id"] for line in vertex.output(partner)}) == 1


EXAMPLE = Path(__file__).parents[2] / "docs" / "emulator-control.md"


def example_rules() -> Any:
    """The rules of the documentation's last example."""
    text = EXAMPLE.read_text(encoding="utf-8").partition("All of this in one file")[2]
    return json.loads(text.partition("```json\n")[2].partition("```")[0])


def test_the_example_of_the_documentation_works_over_http(served_emulator: str) -> None:
    """3 % pass, 1 % stay, 2 % are cut, the order is shuffled, and the third job expires when 60 % is done."""
    with httpx.Client(
        verify=False, base_url=served_emulator, headers={"x-goog-api-key": "k"}, timeout=PATIENCE
    ) as client:
        assert client.put("/_emulator/rules", json=example_rules()).status_code == 200
        texts = [f"question {number}" for number in range(2000)]
        shards = [texts[start : start + 500] for start in range(0, 2000, 500)]
        results = [_run(client, shard) for shard in shards]
        assert [len(result) for result in results] == [500, 500, 300, 500]
        found = {text: kind for result in results for text, kind in result.items()}
        counts = Counter(found.values())
        assert 30 <= counts["error try later"] <= 90
        assert 8 <= counts["error invalid"] <= 40
        assert 15 <= counts["MAX_TOKENS"] <= 70
        again = _run(client, [text for text in texts if found.get(text) != "STOP"])
        later = [text for text in texts if found.get(text) == "error try later"]
        assert {again[text] for text in later} == {"STOP"}
        kept = [text for text in texts if found.get(text, "STOP") not in {"STOP", "error try later"}]
        assert all(again[text] == found[text] for text in kept)
        witness = client.get("/_emulator/rows").json()
        assert (witness["distinct"], witness["sentAfterAnswer"]) == (2000, 0)
        assert [job["rows"] for job in client.get("/_emulator/jobs").json()["jobs"]] == [500] * 4 + [len(again)]


def _run(client: httpx.Client, texts: Sequence[str]) -> dict[str, str]:
    requests = [{"contents": [{"role": "user", "parts": [{"text": text}]}]} for text in texts]
    items = [{"request": request, "metadata": {"key": text}} for request, text in zip(requests, texts, strict=True)]
    batch = {"batch": {"inputConfig": {"requests": {"requests": items}}}}
    job = client.post(f"/v1beta/{MODEL}:batchGenerateContent", json=batch).json()
    client.post("/_emulator/clock", json={"advance": "1m"})
    results = client.get(f"/v1beta/{job['name']}").json()["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
    found = {item["metadata"]["key"]: kind_of(item) for item in results}
    assert list(found) != list(texts)[: len(found)]
    return found


RETRYABLE = "A retryable error occurred: RESOURCE_EXHAUSTED error from online prediction: Quota exceeded."


@pytest.mark.parametrize("status", [RETRYABLE, {"code": 8, "message": "Resource exhausted"}])
def test_a_row_of_vertex_may_have_a_status_in_any_words(vertex: Vertex, status: Any) -> None:
    error = {"code": 8, "message": "short", "status": status}
    for rule in ({"fate": "rows", "rowError": error}, {"rowOutcomes": [{"error": error}]}):
        vertex.rules(rule)
        job = vertex.make()
        vertex.end(job)
        assert [line["status"] for line in vertex.output(job)] == [status] * 4
        assert {"successfulCount", "failedCount"} & vertex.see(job)["completionStats"].keys() == {"failedCount"}
        inline = vertex.create("a")
        vertex.finish(inline)
        assert vertex.inline_results(inline)[0]["error"] == {"code": 8, "message": "short"}
    table = vertex.make(outputConfig=to_table("bq://demo"))
    info = vertex.end(table)["outputInfo"]
    found = find_table(
        vertex.store, "demo", info["bigqueryOutputDataset"].rpartition(".")[2], info["bigqueryOutputTable"]
    )
    assert found is not None
    text = status if isinstance(status, str) else json.dumps(status)
    assert [row["status"] for row in read_rows(vertex.store, found)] == [text] * 4
    chat = {"custom_id": "r", "body": {"messages": [{"role": "user", "content": "u"}]}}
    vertex.put("chat.jsonl", chat)
    partner = vertex.make(inputConfig=from_gcs("gs://in/chat.jsonl"), model="publishers/meta/models/llama")
    vertex.end(partner)
    assert vertex.output(partner)[0]["error"] == {"code": "server_error", "message": text}


def test_answers_without_candidates_have_no_finish_reason_to_change(vertex: Vertex) -> None:
    vertex.rules({"rowOutcomes": [{"finishReason": "MAX_TOKENS"}]})
    job = vertex.create_embed({"content": {"parts": [{"text": "x"}]}})
    chat = {"custom_id": "r", "body": {"messages": [{"role": "user", "content": "u"}]}}
    vertex.put("chat.jsonl", chat)
    partner = vertex.make(inputConfig=from_gcs("gs://in/chat.jsonl"), model="publishers/meta/models/llama")
    vertex.end(partner)
    assert "embedding" in vertex.inline_results(job)[0]["response"]
    assert vertex.output(partner)[0]["response"]["status_code"] == 200
    assert [vertex.ok("GET", f"/_emulator/jobs/{number}")["outcomes"] for number in (1, 2)] == [{"ok": 1}] * 2


def test_rows_of_partners_that_were_not_processed_have_no_answer(vertex: Vertex) -> None:
    vertex.rules({"fate": "expire", "done": 0.5})
    chats = [{"custom_id": name, "body": {"messages": [{"role": "user", "content": "u"}]}} for name in "ab"]
    vertex.put("chat.jsonl", *chats)
    partner = vertex.make(inputConfig=from_gcs("gs://in/chat.jsonl"), model="publishers/meta/models/llama")
    vertex.end(partner)
    other, first = vertex.output(partner)
    assert other == chats[1]
    assert (first["custom_id"], first["response"]["status_code"]) == ("a", 200)
