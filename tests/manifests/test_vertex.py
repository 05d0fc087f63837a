"""Valid jobs on Vertex and how they are read. Invalid ones are in the corpus, `broken/vertex`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.remote_sources import read_remote
from batchctl.model.canonical import sha256_json
from batchctl.model.capabilities import ApiLimits, SourceForm
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import RowReader
from batchctl.model.sources import LocalFile, RemoteSource
from batchctl.model.stack import ProviderConfig
from batchctl.rows.reader import RowFiles
from tests.support.broken_manifests import SOUND_VERTEX
from tests.support.manifest_files import PlainRows, lines, load_in, the_job, with_spec, with_stack, write

GOLDEN = Path(__file__).parent / "golden" / "vertex-digests.json"
STACK = with_stack(
    "providers: {v: {type: vertex, project: demo, location: europe-west1, stagingBucket: gs://demo-in/staging}}\n"
)
ACCOUNT = Account(Api.VERTEX, "https://europe-west1-aiplatform.googleapis.com", "demo", "europe-west1")
TEXT_ROWS = '{"key": "a", "text": "x"}\n{"key": "b", "text": "y"}\n'


def vertex_job(folder: Path, spec: str, stack: str = STACK, **options: object) -> DesiredJob:
    """The job of a stack on Vertex; `src` and `dest` unless they are given."""
    given = {line.split(":")[0] for line in spec.splitlines()}
    spec += "" if "src" in given else "\nsrc: gs://demo/in.jsonl"
    spec += "" if "dest" in given else "\ndest: gs://demo/out/"
    write(folder, {"rows.jsonl": TEXT_ROWS})
    return the_job(folder, with_spec(spec), stack, **options)


def test_a_small_job_on_vertex(tmp_path: Path) -> None:
    job = vertex_job(tmp_path, "")
    assert (job.provider, job.account, job.model) == ("v", ACCOUNT, "gemini-2.5-flash")
    assert (job.source, job.dest) == (RemoteSource(("gs://demo/in.jsonl",)), "gs://demo/out/")


@pytest.mark.parametrize(
    ("src", "uris"),
    [
        ("gs://demo/in.jsonl", ["gs://demo/in.jsonl"]),
        ("gs://demo/in/*.jsonl", ["gs://demo/in/*.jsonl"]),
        ("gs://demo/*", ["gs://demo/*"]),
        ("gs://my_bucket.example.com/a b/é//ü.jsonl", ["gs://my_bucket.example.com/a b/é//ü.jsonl"]),
        (f"gs://demo/{'é' * 512}", [f"gs://demo/{'é' * 512}"]),
        ("gs://demo/a..b/...", ["gs://demo/a..b/..."]),
        ("{gcsUri: gs://demo/in.jsonl}", ["gs://demo/in.jsonl"]),
        ("{gcsUri: [gs://demo/b, gs://demo/a]}", ["gs://demo/b", "gs://demo/a"]),
        ("bq://demo.answers.one", ["bq://demo.answers.one"]),
        ("{bigqueryUri: bq://demo.answers_2.one-2$20261122}", ["bq://demo.answers_2.one-2$20261122"]),
        ('"bq://example.com:demo.answers.één tafel"', ["bq://example.com:demo.answers.één tafel"]),
        ("projects/123/locations/europe-west1/datasets/7", ["projects/123/locations/europe-west1/datasets/7"]),
        (
            "{vertexDatasetName: projects/demo/locations/europe-west1/datasets/7}",
            ["projects/demo/locations/europe-west1/datasets/7"],
        ),
    ],
)
def test_sources_that_vertex_reads_itself(tmp_path: Path, src: str, uris: list[str]) -> None:
    assert vertex_job(tmp_path, f"src: {src}").source == RemoteSource(tuple(uris))


@pytest.mark.parametrize("uris", ["[gs://demo/a, gs://demo/a]", "[gs://demo/a, gs://demo]"])
def test_an_invalid_source_is_none(uris: str) -> None:
    (node,) = compose(uris.encode(), "x", Faults())
    faults = Faults()
    assert read_remote(SourceForm.GCS, node, None, faults) is None
    assert faults.any()


def test_a_local_file_goes_to_the_staging_bucket(tmp_path: Path) -> None:
    job = vertex_job(tmp_path, "src: {file: rows.jsonl}\nrequest: {generationConfig: {seed: 1}}")
    path = tmp_path / "rows.jsonl"
    assert job.source == LocalFile(path, PlainRows().fingerprint(path, Kind.BATCH_JOB).sha256, 2)
    assert job.request == {"generationConfig": {"seed": 1}}


@pytest.mark.parametrize(
    ("dest", "kept"),
    [
        ("gs://demo/out/", "gs://demo/out/"),
        ("gs://demo/out", "gs://demo/out/"),
        ("gs://demo", "gs://demo/"),
        ("gs://demo/", "gs://demo/"),
        ("{gcsUri: gs://demo/a/b}", "gs://demo/a/b/"),
        ("bq://demo", "bq://demo"),
        ("bq://demo.answers", "bq://demo.answers"),
        ("bq://demo.answers.one", "bq://demo.answers.one"),
        ("{bigqueryUri: 'bq://example.com:demo.answers'}", "bq://example.com:demo.answers"),
    ],
)
def test_a_destination_has_one_form(tmp_path: Path, dest: str, kept: str) -> None:
    job = vertex_job(tmp_path, f"dest: {dest}")
    assert job.dest == job.tree["dest"] == kept
    assert job.digest == "d1:" + sha256_json(dict(job.tree))


@pytest.mark.parametrize("other", ["gs://demo/elsewhere/", "bq://demo.answers"])
def test_another_destination_is_other_work(tmp_path: Path, other: str) -> None:
    assert vertex_job(tmp_path, "").digest != vertex_job(tmp_path, f"dest: {other}").digest


def test_a_slash_at_the_end_of_a_destination_is_the_same_work(tmp_path: Path) -> None:
    assert vertex_job(tmp_path, "").digest == vertex_job(tmp_path, "dest: {gcsUri: gs://demo/out}").digest


@pytest.mark.parametrize("rows", [PlainRows(), RowFiles()])
def test_a_release_never_changes_the_digests_of_jobs_on_vertex(rows: RowReader) -> None:
    """If this fails, every user's jobs would be bought again: fix the code, never the golden file."""
    found = {job.name: {"digest": job.digest, "tree": dict(job.tree)} for job in load_in(SOUND_VERTEX, rows=rows).jobs}
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("gemini-2.5-flash", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-2.5-flash@001", "gemini-2.5-flash@001"),
        ("meta/llama-3.3-70b", "meta/llama-3.3-70b"),
        ("publishers/meta/models/llama-3.3-70b@default", "publishers/meta/models/llama-3.3-70b@default"),
        ("projects/demo/locations/europe-west1/models/7", "projects/demo/locations/europe-west1/models/7"),
        ("projects/1/locations/europe-west1/models/a_b@2", "projects/1/locations/europe-west1/models/a_b@2"),
        (
            "'projects/example.com:demo/locations/europe-west1/models/7'",
            "projects/example.com:demo/locations/europe-west1/models/7",
        ),
    ],
)
def test_models_of_vertex(tmp_path: Path, model: str, kept: str) -> None:
    assert vertex_job(tmp_path, f"model: {model}").model == kept


# Rows for embeddings


@pytest.mark.parametrize("model", ["gemini-embedding-001", "google/gemini-embedding-001"])
def test_a_batch_job_with_an_embedding_model_has_rows_for_embeddings(tmp_path: Path, model: str) -> None:
    job = vertex_job(
        tmp_path, f"model: {model}\nsrc: {{file: rows.jsonl}}\nrequest: {{taskType: CLUSTERING, title: T}}"
    )
    path = tmp_path / "rows.jsonl"
    assert (job.kind, job.row_kind) == (Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB)
    assert isinstance(job.source, LocalFile)
    assert job.source.sha256 == PlainRows().fingerprint(path, Kind.EMBEDDINGS_BATCH_JOB).sha256
    assert job.source.sha256 != PlainRows().fingerprint(path, Kind.BATCH_JOB).sha256
    assert job.request == {"taskType": "CLUSTERING", "title": "T"}


def test_rows_of_another_kind_are_errors(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "rows.jsonl": '{"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}]}}\n',
            "job.yaml": with_spec("model: gemini-embedding-001\nsrc: {file: rows.jsonl}\ndest: gs://demo/out/"),
        },
    )
    (fault,) = lines(tmp_path, rows=RowFiles())
    assert fault.startswith("rows.jsonl:1:1: InvalidRow request.content is missing")


@pytest.mark.parametrize("model", ["text-embedding-005", "text-multilingual-embedding-002"])
def test_rows_of_the_old_form_in_a_bucket_are_allowed(tmp_path: Path, model: str) -> None:
    assert vertex_job(tmp_path, f"model: {model}").row_kind is Kind.EMBEDDINGS_BATCH_JOB


def test_the_kind_of_rows_follows_from_the_stacks_defaults_too(tmp_path: Path) -> None:
    defaults = (
        "{provider: v, model: gemini-embedding-001, dest: gs://demo/out, request: {taskType: CLUSTERING, store: true}}"
    )
    providers = f"providers:\n  v: {{{VERTEX}, stagingBucket: gs://demo-in}}\n  g: {{type: gemini}}\n"
    job = "apiVersion: batchctl.dev/v1\nkind: BatchJob\nmetadata: {name: a}\nspec: {src: {file: rows.jsonl}}\n"
    write(tmp_path, {"rows.jsonl": TEXT_ROWS})
    found = the_job(tmp_path, job, with_stack(f"{providers}defaults: {defaults}\n"))
    assert (found.row_kind, found.request) == (Kind.EMBEDDINGS_BATCH_JOB, {"taskType": "CLUSTERING"})
    own = job.replace("spec: {", "spec: {provider: g, dest: null, ")
    found = the_job(tmp_path, own, with_stack(f"{providers}defaults: {defaults}\n"))
    assert (found.row_kind, found.request) == (Kind.BATCH_JOB, {"store": True})


@pytest.mark.parametrize(
    ("spec", "request_taken"),
    [
        ("model: gemini-embedding-001", {"taskType": "CLUSTERING"}),
        ("model: gemini-2.5-flash", {"labels": {"a": "b"}}),
    ],
)
def test_of_the_request_defaults_each_kind_of_rows_has_its_own(
    tmp_path: Path, spec: str, request_taken: dict[str, object]
) -> None:
    stack = STACK + "  defaults: {request: {taskType: CLUSTERING, labels: {a: b}}}\n"
    assert vertex_job(tmp_path, f"{spec}\nsrc: {{file: rows.jsonl}}", stack).request == request_taken


# Providers

VERTEX = "type: vertex, project: demo, location: us-central1"


def provider(folder: Path, entry: str) -> ProviderConfig:
    write(folder, {"batchctl.yaml": with_stack(f"providers: {{p: {{{entry}}}}}\n")})
    return load_in(folder).stack.providers["p"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [("gs://demo", "gs://demo/"), ("gs://demo/", "gs://demo/"), ("gs://demo/a/b", "gs://demo/a/b/")],
)
def test_a_staging_bucket_has_one_form(tmp_path: Path, written: str, kept: str) -> None:
    config = provider(tmp_path, f"{VERTEX}, stagingBucket: {written}")
    assert config == ProviderConfig("p", Api.VERTEX, None, "demo", "us-central1", kept)


def test_limits_of_a_provider_override_those_of_its_api(tmp_path: Path) -> None:
    assert provider(tmp_path, VERTEX).limits is provider(tmp_path, f"{VERTEX}, limits: {{}}").limits is None
    some = provider(tmp_path, f"{VERTEX}, limits: {{rows: 5, fileBytes: 7.0}}").limits
    assert some == ApiLimits(None, 5, 1_000_000, 7, None)
    others = provider(tmp_path, "type: gemini, limits: {embeddingRows: 5, inlineBytes: 7}").limits
    assert others == ApiLimits(100, None, 5, 2 * 2**30, 7)


def test_the_emulator_serves_vertex_too(tmp_path: Path) -> None:
    job = vertex_job(tmp_path, "", with_stack(f"providers: {{v: {{{VERTEX}, endpoint: emulator}}}}\n"))
    assert job.account == Account(Api.VERTEX, "emulator", "demo", "us-central1")


def test_one_stack_has_jobs_on_both_apis(tmp_path: Path) -> None:
    stack = with_stack(f"providers:\n  v: {{{VERTEX}}}\n  g: {{type: gemini}}\n")
    write(
        tmp_path,
        {
            "batchctl.yaml": stack,
            "a.yaml": with_spec("provider: v\nsrc: bq://demo.a.b\ndest: bq://demo.c", name="a"),
            "b.yaml": with_spec("provider: g", name="b"),
            "c.yaml": with_spec("provider: g", "EmbeddingsBatchJob", "c"),
        },
    )
    assert [job.account.api for job in load_in(tmp_path).jobs] == [Api.VERTEX, Api.GEMINI, Api.GEMINI]


@pytest.mark.parametrize(
    ("limits", "own", "most"),
    [
        ("rows: 2", "", 2),
        ("rows: 1", "{maxRows: 5}", 1),
        ("rows: 9", "{maxRows: 5}", 5),
        ("embeddingRows: 1", "", 200_000),
    ],
)
def test_more_rows_than_the_limit_are_split(tmp_path: Path, limits: str, own: str, most: int) -> None:
    stack = STACK.replace("staging}", f"staging, limits: {{{limits}}}}}")
    assert limits in stack
    sharding = f"sharding: {own}\n" if own else ""
    spec = with_spec(f"src: {{file: rows.jsonl}}\n{sharding}dest: gs://demo/out/")
    write(tmp_path, {"batchctl.yaml": stack, "job.yaml": spec, "rows.jsonl": TEXT_ROWS})
    (made,) = load_in(tmp_path).jobs
    assert made.sharding.rows == most


@pytest.mark.parametrize("api", list(Api))
@pytest.mark.parametrize(
    ("request_defaults", "more"),
    [
        ("{}", 0),
        ("{generationConfig: {seed: 1}}", 2 * len('"generationConfig":{"seed":1}')),
        ("{toolConfig: {}}", len('"toolConfig":{}')),
        (
            "{toolConfig: {}, systemInstruction: {parts: [{text: é}]}}",
            len('"toolConfig":{}') + 2 * len('"systemInstruction":{"parts":[{"text":"é"}]}'.encode()),
        ),
    ],
)
def test_the_size_of_a_file_includes_defaults_for_rows_without_them(
    tmp_path: Path, api: Api, request_defaults: str, more: int
) -> None:
    rows = '{"key": "a", "request": {"contents": [], "toolConfig": null}}\n{"key": "b", "text": "hi"}\n'
    size = len(rows) + more
    vertex = "project: demo, location: us, stagingBucket: gs://demo, "
    dest = "dest: gs://demo/out" if api is Api.VERTEX else ""
    job = with_spec(f"src: {{file: rows.jsonl}}\nrequest: {request_defaults}\n{dest}")
    entry = f"{{type: {api}, {vertex if api is Api.VERTEX else ''}limits: {{fileBytes: 30}}}}"
    stack = with_stack(f"providers: {{p: {entry}}}")
    write(tmp_path, {"batchctl.yaml": stack, "job.yaml": job, "rows.jsonl": rows})
    (made,) = load_in(tmp_path).jobs
    assert (made.source.size, made.input_bytes, made.sharding.bytes) == (size, size, 30)


@pytest.mark.parametrize(
    ("src", "request_defaults", "size"),
    [
        ("[{key: a, text: é}]", "{}", len('{"contents":[{"role":"user","parts":[{"text":"é"}]}]}'.encode())),
        (
            "[{key: a, request: {contents: [{parts: [{text: x}]}]}}]",
            "{toolConfig: {}}",
            len('{"contents":[{"parts":[{"text":"x"}]}]}"toolConfig":{}'),
        ),
        (
            "[{key: a, request: {contents: [{parts: [{text: x}]}], toolConfig: null}}]",
            "{toolConfig: {}}",
            len('{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":null}'),
        ),
    ],
)
def test_rows_in_the_manifest_are_counted_with_their_defaults(
    tmp_path: Path, src: str, request_defaults: str, size: int
) -> None:
    job = with_spec(f"src: {src}\nrequest: {request_defaults}")
    for limit, good in ((size, True), (size - 1, False)):
        stack = with_stack(f"providers: {{g: {{type: gemini, limits: {{inlineBytes: {limit}}}}}}}")
        write(tmp_path, {"batchctl.yaml": stack, "job.yaml": job})
        if good:
            assert len(load_in(tmp_path).jobs) == 1
        else:
            assert f"have {size} bytes as JSON, and the provider's limits.inlineBytes is {limit}" in lines(tmp_path)[0]


# Labels, extraBody, adopt


def test_labels_up_to_the_limit_go_to_vertex(tmp_path: Path) -> None:
    labels = {f"l{number}": "" for number in range(55)} | {"k" * 64: "v" * 64, "1_-": "_"}
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("src: gs://demo/in\ndest: gs://demo/out")})
    text = (tmp_path / "job.yaml").read_text().replace("classify}", f"classify, labels: {json.dumps(labels)}}}")
    (tmp_path / "job.yaml").write_text(text)
    (job,) = load_in(tmp_path).jobs
    assert len(job.labels) == 57
    assert job.labels == labels


def test_the_extra_body_of_vertex(tmp_path: Path) -> None:
    body = {"modelParameters": {"labels": 1}, "serviceAccount": "x@y", "encryptionSpec": {"kmsKeyName": "k"}}
    job = vertex_job(tmp_path, f"extraBody: {json.dumps(body)}")
    assert job.extra_body == body


@pytest.mark.parametrize(
    "adopt",
    [
        "456",
        "projects/demo/locations/europe-west1/batchPredictionJobs/456",
        "projects/123/locations/europe-west1/batchPredictionJobs/456",
    ],
)
def test_a_job_on_vertex_is_adopted(tmp_path: Path, adopt: str) -> None:
    text = with_spec(f'adopt: "{adopt}"')
    job = the_job(tmp_path, text.replace("  src: [{key: a, text: hello}]\n", ""), STACK)
    assert (job.adopt, job.dest) == (adopt, None)
    assert "dest" not in job.tree


def test_one_remote_job_has_one_owner_however_it_is_written(tmp_path: Path) -> None:
    head = "apiVersion: batchctl.dev/v1\nkind: BatchJob\n"
    full = "projects/123/locations/europe-west1/batchPredictionJobs/456"
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "a.yaml": f'{head}metadata: {{name: one}}\nspec: {{model: m, adopt: "456"}}\n',
            "b.yaml": f"{head}metadata: {{name: two}}\nspec: {{model: m, adopt: {full}}}\n",
            "c.yaml": f'{head}metadata: {{name: three}}\nspec: {{model: m, adopt: "457"}}\n',
        },
    )
    assert lines(tmp_path) == [
        f'b.yaml:1:1: DuplicateName "adopt" names {full}, which one adopts too (first at a.yaml:1:1)'
    ]


def test_without_a_provider_a_jobs_own_forms_are_still_checked(tmp_path: Path) -> None:
    spec = "provider: vertx\nsrc: {gcsUri: [gs://demo/a, gs://demo]}\nadopt: batches/x\nmodel: meta/llama\nextraBody: {labels: {}}"
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec)})
    assert [line.split(" ")[:2] for line in lines(tmp_path)] == [
        ["job.yaml:5:13:", "UnknownProvider"],
        ["job.yaml:6:31:", "InvalidValue"],
    ]


def test_a_provider_without_a_location_hides_no_other_fault(tmp_path: Path) -> None:
    stack = with_stack("providers: {v: {type: vertex, project: demo}}\n")
    spec = "src: projects/demo/locations/europe-west1/datasets/1\ndest: gs://demo/*"
    write(tmp_path, {"batchctl.yaml": stack, "job.yaml": with_spec(spec)})
    assert [line.split(" ")[:2] for line in lines(tmp_path)] == [
        ["batchctl.yaml:5:19:", "MissingField"],
        ["job.yaml:6:9:", "InvalidValue"],
    ]


def test_the_api_version_is_not_part_of_the_account(tmp_path: Path) -> None:
    plain = provider(tmp_path, VERTEX)
    other = provider(tmp_path, f"{VERTEX}, apiVersion: v1beta1, userProject: billing")
    assert (plain.api_version, plain.user_project) == ("v1", None)
    assert (other.api_version, other.user_project) == ("v1beta1", "billing")
    assert resolve_account(plain, {}) == resolve_account(other, {})


def test_bigquery_is_not_offered_in_global(tmp_path: Path) -> None:
    stack = with_stack("providers: {v: {type: vertex, project: demo, location: global}}\n")
    spec = "model: gemini-2.5-flash\nsrc: bq://demo.d.t\ndest: bq://demo.o\n"
    write(tmp_path, {"batchctl.yaml": stack, "job.yaml": with_spec(spec)})
    says = "batch jobs in the location global cannot use BigQuery, and the provider v is there"
    assert [line.partition(": WrongProvider ")[2].partition(" (")[0] for line in lines(tmp_path)] == [says, says]
