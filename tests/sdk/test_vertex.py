"""The SDK in its Vertex AI mode against the served emulator, and batchctl beside it on the same project."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from google import genai
from google.cloud import bigquery
from google.cloud import storage as gcs
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from tests.support.command_line import Cli
from tests.support.discovery import sent_faults
from tests.support.discovery_traffic import exchange_of, hold_to_documents
from tests.support.sdk_clients import AT_ONCE, FOR_LONG, Sdk, Service
from tests.support.sdk_vertex import (
    DATASET,
    EMBED_MODEL,
    JOBS,
    LOCATION,
    MODEL,
    PARENT,
    PROJECT,
    PUBLISHED,
    SEED,
    VertexStack,
)

TOKEN = Credentials("token")
SUCCEEDED = types.JobState.JOB_STATE_SUCCEEDED
ONE = "gs://input/one.jsonl"
TO = "gs://output/here"


def new_vertex(url: str, credentials: Credentials, **options: Any) -> genai.Client:
    """A client of the SDK in its Vertex AI mode."""
    return genai.Client(
        vertexai=True,
        project=PROJECT,
        location=LOCATION,
        credentials=credentials,
        http_options={"base_url": url, **options},
    )


def hold_sent(response: httpx.Response) -> None:
    """Whatever is taken of what the SDK sends is documented."""
    faults = sent_faults(exchange_of(response.request, response)) if response.status_code == 200 else []
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def vertex_client(sdk_server: Service) -> Iterator[genai.Client]:
    client = new_vertex(
        sdk_server.url, TOKEN, client_args={"event_hooks": {"response": [hold_to_documents, hold_sent]}}
    )
    yield client
    client.close()


@pytest.fixture(scope="module")
def vertex_runner(vertex_client: genai.Client) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner
        runner.run(vertex_client.aio.aclose())


@pytest.fixture
def seeded(service: Service) -> Service:
    """The emulator with what jobs read and write."""
    service.seed(**{**SEED, "settings": {}})
    return service


@pytest.fixture(params=["sync", "async"])
def sdk(
    request: pytest.FixtureRequest, seeded: Service, vertex_client: genai.Client, vertex_runner: asyncio.Runner
) -> Sdk:
    """The SDK, once in each form."""
    return Sdk(vertex_client, vertex_runner if request.param == "async" else None)


@pytest.fixture
def sync_sdk(seeded: Service, vertex_client: genai.Client) -> genai.Client:
    return vertex_client


def create(sdk: Any, src: Any = ONE, dest: Any = TO, model: str = MODEL, **config: Any) -> types.BatchJob:
    target = {} if dest is None else {"dest": dest}
    return sdk.batches.create(model=model, src=src, config={**target, **config})


def raw(service: Service, name: str) -> Any:
    """A resource as it goes over the wire."""
    answer = service.http.get(f"/v1/{name}", headers={"authorization": "Bearer t"})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def lines(seeded: Service) -> Iterator[Callable[[str], list[Any]]]:
    """Reads the lines of all files in a folder, by Google's own client."""
    client = gcs.Client(PROJECT, TOKEN, client_options={"api_endpoint": seeded.url})

    def read(folder: str) -> list[Any]:
        bucket, _, prefix = folder.removeprefix("gs://").partition("/")
        found = client.list_blobs(bucket, prefix=f"{prefix}/")
        return [json.loads(line) for blob in found for line in blob.download_as_bytes().splitlines()]

    yield read
    client.close()


@pytest.fixture
def table_rows(seeded: Service) -> Iterator[Callable[[str], list[Any]]]:
    """Reads the rows of a table, by Google's own client."""
    client = bigquery.Client(PROJECT, TOKEN, client_options={"api_endpoint": seeded.url})
    yield lambda table: [dict(row) for row in client.list_rows(table)]
    client.close()


def asked(line: dict[str, Any]) -> str:
    text: str = line["request"]["contents"][0]["parts"][0]["text"]
    return text


def test_from_files_to_files(sdk: Sdk, lines: Callable[[str], list[Any]]) -> None:
    made = create(sdk, display_name="Shop, spring")
    assert made.name.startswith(f"{PARENT}/batchPredictionJobs/")
    assert (made.display_name, made.model) == ("Shop, spring", PUBLISHED)
    assert (made.src.gcs_uri, made.src.format, made.dest.gcs_uri) == ([ONE], "jsonl", TO)
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.done, job.error) == (SUCCEEDED, True, None)
    assert job.completion_stats.successful_count == 3
    assert job.create_time <= job.start_time <= job.end_time <= job.update_time
    directory = job.output_info.gcs_output_directory
    assert directory.startswith(f"{TO}/prediction-model-")
    found = lines(directory)
    assert {asked(line): line["status"] for line in found} == dict.fromkeys("abc", "")
    for line in found:
        assert types.GenerateContentResponse.model_validate(line["response"]).text.endswith(asked(line))


def test_several_files(sdk: Sdk, lines: Callable[[str], list[Any]]) -> None:
    source = types.BatchJobSource(gcs_uri=[ONE, "gs://input/more/*.jsonl"], format="jsonl")
    job = sdk.batches.get(name=create(sdk, source).name)
    assert job.completion_stats.successful_count == 6
    assert sorted(map(asked, lines(job.output_info.gcs_output_directory))) == list("abcdef")


def test_from_a_table_to_a_table(sdk: Sdk, table_rows: Callable[[str], list[Any]]) -> None:
    made = create(sdk, "bq://demo.data.rows", "bq://demo.answers.mine")
    job = sdk.batches.get(name=made.name)
    assert (job.src.bigquery_uri, job.dest.bigquery_uri) == ("bq://demo.data.rows", "bq://demo.answers.mine")
    assert job.output_info.bigquery_output_table == "mine"
    rows = table_rows("demo.answers.mine")
    assert {row["label"]: asked(row) for row in rows} == {"x": "q", None: "r"}
    assert all(row["status"] == "" and row["response"]["candidates"] for row in rows)


def test_from_a_dataset_to_a_dataset(sdk: Sdk, table_rows: Callable[[str], list[Any]]) -> None:
    dest = types.BatchJobDestination(
        format="vertex-dataset",
        vertex_dataset=types.VertexMultimodalDatasetDestination(
            bigquery_destination="bq://demo.answers.multi", display_name="o"
        ),
    )
    made = create(sdk, DATASET, dest)
    assert made.src.vertex_dataset_name == DATASET
    job = sdk.batches.get(name=made.name)
    assert job.output_info.vertex_multimodal_dataset_name.startswith(f"{PARENT}/datasets/")
    assert len(table_rows("demo.answers.multi")) == 3
    again = create(sdk, job.output_info.vertex_multimodal_dataset_name)
    assert sdk.batches.get(name=again.name).state == types.JobState.JOB_STATE_FAILED, "its columns are taken"


def test_embeddings(sdk: Sdk, lines: Callable[[str], list[Any]]) -> None:
    job = sdk.batches.get(name=create(sdk, "gs://input/embed.jsonl", model=EMBED_MODEL).name)
    (line,) = lines(job.output_info.gcs_output_directory)
    assert (line["key"], bool(line["response"]["embedding"]["values"])) == ("k", True)


@pytest.mark.parametrize("src", [ONE, "bq://demo.data.rows"])
def test_names_of_the_sdks_own_making(sdk: Sdk, src: str) -> None:
    made = create(sdk, src, None)
    assert made.display_name.startswith("genai_batch_job_")
    job = sdk.batches.get(name=made.name)
    assert job.state == SUCCEEDED
    if src == ONE:
        assert job.output_info.gcs_output_directory.startswith("gs://input/one/dest/")
    else:
        assert job.dest.bigquery_uri.startswith("bq://demo.data.rows_dest_")


@pytest.mark.parametrize("src", ["gs://input/more/*", DATASET])
def test_a_job_without_a_destination_is_refused(sdk: Sdk, src: str) -> None:
    with pytest.raises(errors.ClientError, match="output_config"):
        create(sdk, src, None)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemini-2.5-pro", "publishers/google/models/gemini-2.5-pro"),
        ("meta/llama-4", "publishers/meta/models/llama-4"),
        (f"projects/{PROJECT}/locations/{LOCATION}/models/77", f"{PARENT}/models/77"),
    ],
)
def test_models(sdk: Sdk, model: str, name: str) -> None:
    made = create(sdk, model=model)
    assert (made.model, sdk.batches.get(name=made.name).state) == (name, SUCCEEDED)


def test_fields_that_the_sdk_lacks(sdk: Sdk, seeded: Service) -> None:
    extra = {"labels": {"team": "search"}, "modelParameters": {"x": [1]}, "serviceAccount": "a@b"}
    made = create(sdk, http_options={"extra_body": extra})
    told = raw(seeded, made.name)
    assert {name: told[name] for name in extra} == extra


def test_a_name_may_be_a_number_alone(sdk: Sdk) -> None:
    made = create(sdk)
    number = made.name.rpartition("/")[2]
    assert number.isdecimal()
    by_id = f"projects/{PROJECT}/locations/{LOCATION}/batchPredictionJobs/{number}"
    assert {sdk.batches.get(name=name).name for name in (number, by_id, made.name)} == {made.name}


def test_lists(sdk: Sdk) -> None:
    made = [create(sdk, display_name=f"{name}_1") for name in ("shop", "shop", "other")]
    labels = {"http_options": {"extra_body": {"labels": {"team": "search"}}}}
    made.append(create(sdk, "gs://nowhere/x", display_name="shop_2", **labels))
    names = [job.name for job in made]
    pager = sdk.batches.list(config={"page_size": 3})
    assert len(pager) == 3
    assert [job.name for job in sdk.all(pager)] == names[::-1]
    moment = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    def found(condition: str) -> list[int]:
        listed = sdk.all(sdk.batches.list(config={"page_size": 2, "filter": condition}))
        return [names.index(job.name) for job in listed]

    assert found('display_name:"shop_*"') == [3, 1, 0]
    assert found('state="JOB_STATE_SUCCEEDED" AND display_name="shop_1"') == [1, 0]
    assert found('NOT display_name="shop_1"') == [3, 2]
    assert found("labels.team=search") == found("labels.team:*") == [3]
    assert found("labels.team=other") == []
    assert found(f'create_time<"{moment}"') == [3, 2, 1, 0]
    assert found(f'create_time>"{moment}"') == []


def test_an_empty_list(sdk: Sdk) -> None:
    assert sdk.all(sdk.batches.list()) == []


def test_a_cancelled_job(sdk: Sdk, seeded: Service, lines: Callable[[str], list[Any]]) -> None:
    seeded.rules(FOR_LONG)
    made = create(sdk)
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.done, job.output_info) == (types.JobState.JOB_STATE_RUNNING, False, None)
    seeded.call("POST", "/_emulator/clock", {"advance": "9h"})
    sdk.batches.cancel(name=made.name)
    assert sdk.batches.get(name=made.name).state == types.JobState.JOB_STATE_CANCELLING
    seeded.call("POST", "/_emulator/clock", {"advance": "1s"})
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.done, job.error.code) == (types.JobState.JOB_STATE_CANCELLED, True, 1)
    assert job.completion_stats is None
    answered = [line for line in lines(job.output_info.gcs_output_directory) if "response" in line]
    assert len(answered) == 1


def test_deleting(sdk: Sdk, seeded: Service) -> None:
    made, kept = create(sdk), create(sdk)
    gone = sdk.batches.delete(name=made.name)
    assert (gone.done, gone.error) == (True, None)
    assert gone.name.startswith(f"{PARENT}/operations/")
    assert [job.name for job in sdk.all(sdk.batches.list())] == [kept.name]
    for call in (sdk.batches.get, sdk.batches.cancel, sdk.batches.delete):
        with pytest.raises(errors.ClientError) as caught:
            call(name=made.name)
        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    seeded.rules(FOR_LONG)
    working = create(sdk)
    with pytest.raises(errors.ClientError) as caught:
        sdk.batches.delete(name=working.name)
    assert (caught.value.code, caught.value.status) == (400, "FAILED_PRECONDITION")


@pytest.mark.parametrize(
    ("rule", "state", "done"),
    [
        ({**AT_ONCE, "fate": "fail"}, "FAILED", True),
        ({**AT_ONCE, "fate": "expire"}, "EXPIRED", True),
        ({**AT_ONCE, "fate": "partial"}, "PARTIALLY_SUCCEEDED", False),  # the SDK does not know that this is an end
        ({"fate": "stuck"}, "PENDING", False),
    ],
)
def test_states(sync_sdk: genai.Client, seeded: Service, rule: dict[str, Any], state: str, done: bool) -> None:
    seeded.rules(rule)
    name = create(sync_sdk).name
    job = sync_sdk.batches.get(name=name)
    assert (job.state.name, job.done) == (f"JOB_STATE_{state}", done)


@pytest.mark.parametrize(
    ("src", "dest", "words"),
    [
        ("gs://nowhere/in.jsonl", TO, "The bucket nowhere"),
        ("gs://input/none.jsonl", TO, "does not exist"),
        ("bq://demo.data.none", "bq://demo.answers", "was not found"),
        (ONE, "gs://nowhere/out", "The bucket nowhere"),
        ("bq://demo.data.rows", "bq://demo.data.rows", "already exists"),
        ("bq://demo.data.rows", "bq://demo.none.rows", "was not found"),
    ],
)
def test_what_cannot_be_read_or_written_fails_the_job_and_not_the_call(
    sync_sdk: genai.Client, src: str, dest: str, words: str
) -> None:
    job = sync_sdk.batches.get(name=create(sync_sdk, src, dest).name)
    assert job.state == types.JobState.JOB_STATE_FAILED
    assert job.error.code == 3
    assert job.error.message.startswith("Failed to import data.")
    assert words in job.error.message


@pytest.mark.parametrize(
    ("model", "words", "refusal"),
    [
        ("veo-3.0", "Do not support publisher model", (400, "INVALID_ARGUMENT")),
        ("gemini", "does not exist", (404, "NOT_FOUND")),
        ("gemini-embedding-2", "NOT_SUPPORTED_FOR_BATCH", (400, "INVALID_ARGUMENT")),
    ],
)
def test_models_that_take_no_batches(sdk: Sdk, model: str, words: str, refusal: tuple[int, str]) -> None:
    with pytest.raises(errors.ClientError, match=words) as caught:
        create(sdk, model=model)
    assert (caught.value.code, caught.value.status) == refusal


def test_published_models_can_be_got_and_listed(sync_sdk: genai.Client) -> None:
    model = sync_sdk.models.get(model=MODEL)
    assert (model.name, model.version) == (f"publishers/google/models/{MODEL}", "1")
    assert model.name in [found.name for found in sync_sdk.models.list(config={"page_size": 2})]


def test_tokens_are_counted_with_the_system_instruction(sdk: Sdk) -> None:
    plain = sdk.models.count_tokens(model=MODEL, contents="What is it?")
    more = sdk.models.count_tokens(
        model=MODEL,
        contents="What is it?",
        config={"system_instruction": "Be short", "tools": [{"google_search": {}}], "generation_config": {"seed": 1}},
    )
    assert (plain.total_tokens, more.total_tokens) == (3, 5)


@pytest.mark.parametrize(
    ("status", "name"),
    [(403, "PERMISSION_DENIED"), (429, "RESOURCE_EXHAUSTED"), (401, "UNAUTHENTICATED"), (503, "UNAVAILABLE")],
)
def test_refusals(sdk: Sdk, seeded: Service, status: int, name: str) -> None:
    made = create(sdk)
    seeded.faults({"method": "batchPredictionJobs.*", "kind": "status", "status": status})
    calls: list[Callable[[], Any]] = [
        lambda: create(sdk),
        lambda: sdk.batches.get(name=made.name),
        lambda: sdk.batches.cancel(name=made.name),
        lambda: sdk.batches.delete(name=made.name),
        sdk.batches.list,
    ]
    for call in calls:
        with pytest.raises(errors.APIError) as caught:
            call()
        assert (caught.value.code, caught.value.status) == (status, name)
    assert len(seeded.jobs()) == 1


def test_a_token_that_is_no_longer_good(seeded: Service) -> None:
    client = new_vertex(seeded.url, Credentials("expired"))
    with pytest.raises(errors.ClientError) as caught:
        create(client)
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    client.close()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeded: Service) -> VertexStack:
    """A stack on the served emulator; the working folder is its folder."""
    for name in list(os.environ):
        if name.startswith("BATCHCTL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATCHCTL_EMULATOR", seeded.url)
    stack = VertexStack(tmp_path / "stack")
    (stack.path / ".emulator.yaml").unlink()
    monkeypatch.chdir(stack.path)
    return stack


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


def test_both_see_the_same_job_and_results(
    sync_sdk: genai.Client, stack: VertexStack, cli: Cli, lines: Callable[[str], list[Any]]
) -> None:
    stack.write_job("gcs", **JOBS["gcs"], displayName="Shop")
    cli.ok("apply", "--yes")
    cli.ok("apply", "--yes")
    (listed,) = sync_sdk.batches.list(config={"filter": "labels.batchctl-job=gcs"})
    (shown,) = cli.ok("status", "-o", "json").json["jobs"]
    assert (listed.name, listed.display_name, listed.state) == (shown["remote"], "Shop", SUCCEEDED)
    read = {asked(line): line["response"] for line in lines(listed.output_info.gcs_output_directory)}
    printed = {row["index"]: row["response"] for row in cli.ok("results", "gcs").rows}
    assert printed == dict(enumerate(read[text] for text in "abc"))


def marked(job: str, uid: str = "a1b2c3") -> dict[str, str]:
    """The labels of a stack's mark."""
    parts = {"stack": "shop", "uid": uid, "job": job, "attempt": "1", "shard": "0"}
    more = {"digest": "0123456789ab", "token": "0123456789"}
    return {f"batchctl-{name}": value for name, value in {**parts, **more}.items()}


def test_jobs_of_the_sdk_are_left_alone(sync_sdk: genai.Client, seeded: Service, stack: VertexStack, cli: Cli) -> None:
    seeded.rules(FOR_LONG)
    marks: list[dict[str, str]] = [{}, {"team": "search"}, marked("gcs", "ffffff"), {"batchctl-stack": "shop"}]
    strangers = [create(sync_sdk, http_options={"extra_body": {"labels": labels}}).name for labels in marks]
    stack.write_job("gcs", **JOBS["gcs"])
    applied = cli.ok("apply", "--yes", "-o", "json").json
    assert applied["summary"]["create"] == 1
    found = cli("drift", "--unmanaged", "-o", "json").json["drift"]
    assert {item["job"]: item["kind"] for item in found} == dict.fromkeys(strangers, "Unmanaged")
    cli("apply", "--yes", "--prune-orphans")
    cli("destroy", "--yes")
    live = {job["name"]: job["state"] for job in seeded.jobs() if not job["deleted"]}
    assert {name: live[name] for name in strangers} == dict.fromkeys(strangers, "JOB_STATE_RUNNING")


def test_a_job_with_our_mark_is_adopted_or_an_orphan(
    sync_sdk: genai.Client, seeded: Service, stack: VertexStack, cli: Cli
) -> None:
    seeded.rules(FOR_LONG)
    stack.write_job("gcs", **JOBS["gcs"])
    cli.ok("apply", "--yes")
    (ours,) = seeded.jobs()
    (stack.path / ".batchctl" / "state.db").unlink()
    orphan = create(sync_sdk, http_options={"extra_body": {"labels": marked("gone")}}).name
    planned = cli("plan", "-o", "json").json
    assert {item["job"]: item["action"] for item in planned["actions"]} == {"gcs": "adopt"}
    assert [(item["kind"], orphan in item["detail"]) for item in planned["drift"]] == [("Orphan", True)]
    cli("apply", "--yes")
    assert cli.ok("status", "-o", "json").json["jobs"][0]["remote"] == ours["name"]
    assert len(seeded.jobs()) == 2


def test_what_the_sdk_does_to_our_jobs_is_drift(
    sync_sdk: genai.Client, seeded: Service, stack: VertexStack, cli: Cli
) -> None:
    seeded.rules(FOR_LONG)
    for name in ("gcs", "several"):
        stack.write_job(name, **JOBS[name])
    cli.ok("apply", "--yes")
    named = {job["job"]: job["remote"] for job in cli.ok("status", "-o", "json").json["jobs"]}
    sync_sdk.batches.cancel(name=named["gcs"])
    sync_sdk.batches.cancel(name=named["several"])
    seeded.call("POST", "/_emulator/clock", {"advance": "1s"})
    sync_sdk.batches.delete(name=named["several"])
    ran = cli("drift", "-o", "json")
    assert ran.code == 3
    assert {item["job"]: item["kind"] for item in ran.json["drift"]} == {"gcs": "Cancelled", "several": "Missing"}
