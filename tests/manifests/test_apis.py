"""Each API has its rules, its capabilities, its name and its type in the schema: adding one changes these places."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.apis import RULES, is_for
from batchctl.manifests.apis.protocol import ApiRules
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.schema import load_schema
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.kinds import Kind
from batchctl.model.stack import ProviderConfig
from tests.support.manifest_files import STACK, load_in, with_spec, write

BATCH, EMBED = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB

GEMINI = ProviderConfig("g", Api.GEMINI)
VERTEX = ProviderConfig("v", Api.VERTEX, project="demo", location="us-central1")
IN_GLOBAL = ProviderConfig("v", Api.VERTEX, project="demo", location="global")
IN_EU = ProviderConfig("v", Api.VERTEX, project="demo", location="eu")
TUNED = "projects/demo/locations/us-central1/models/1"
JOB = "projects/{project}/locations/{location}/batchPredictionJobs/{id}"


def test_no_api_is_missing_in_a_table() -> None:
    types = load_schema("stack")["definitions"]["provider"]["properties"]["type"]["enum"]
    assert set(RULES) == set(CAPABILITIES) == set(API_NAMES) == set(Api) == set(types)


@pytest.mark.parametrize("api", list(Api))
def test_batchctl_sends_the_mark_itself(api: Api) -> None:
    rules: ApiRules = RULES[api]
    carrier = "labels" if CAPABILITIES[api].labels else "displayName"
    assert carrier in rules.create_fields
    assert ("outputConfig" in rules.create_fields) == bool(CAPABILITIES[api].dests)


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (GEMINI, "https://generativelanguage.googleapis.com"),
        (VERTEX, "https://us-central1-aiplatform.googleapis.com"),
        (IN_GLOBAL, "https://aiplatform.googleapis.com"),
        (IN_EU, "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_real_api_has_one_url_for_each_account(config: ProviderConfig, url: str) -> None:
    assert RULES[config.api].google_url(config) == url


@pytest.mark.parametrize(
    ("config", "model", "message"),
    [
        (GEMINI, "gemini-2.5-flash", None),
        (GEMINI, "publishers/google/models/gemini-2.5-flash", "Gemini has no models like"),
        (VERTEX, "publishers/google/models/gemini-2.5-flash", None),
        (VERTEX, "tunedModels/a", "Vertex has no models like"),
        (VERTEX, TUNED, None),
        (IN_EU, TUNED, 'the model is in "us-central1"'),
        (IN_GLOBAL, TUNED, "tuned models do not run in the location global"),
    ],
)
def test_the_models_of_each_api(config: ProviderConfig, model: str, message: str | None) -> None:
    misfit = RULES[config.api].model_misfit(model, config)
    assert (misfit and misfit.message.startswith(message or "")) == (True if message else None)


@pytest.mark.parametrize(
    ("config", "kind", "model", "hint"),
    [
        (GEMINI, BATCH, "gemini-2.5-flash", None),
        (GEMINI, BATCH, "gemini-embedding-001", "write kind: EmbeddingsBatchJob"),
        (GEMINI, EMBED, "gemini-embedding-001", None),
        (GEMINI, EMBED, "gemini-2.5-flash", "write kind: BatchJob, or a model such as gemini-embedding-001"),
        (GEMINI, EMBED, "newer-embedder", None),
        (GEMINI, BATCH, "tunedModels/embedding-of-mine", None),
        (GEMINI, BATCH, "imagen-4.0-generate-001", "use a Gemini model"),
        (VERTEX, BATCH, "google/veo-3.0", "use a Gemini model"),
        (VERTEX, BATCH, "publishers/x/models/veo-3.0", None),
        (VERTEX, BATCH, "gemini-embedding-001", None),
        (VERTEX, BATCH, "publishers/google/models/gemini-embedding-2", "use a provider in one of them: global, us, eu"),
        (IN_EU, BATCH, "gemini-embedding-2", None),
        (IN_EU, BATCH, "gemini-embedding-001", "use a provider in one of them: us-central1, us-east4, us-west1"),
        (IN_GLOBAL, BATCH, "gemini-embedding-2", None),
    ],
)
def test_models_that_the_api_is_likely_to_refuse(
    config: ProviderConfig, kind: Kind, model: str, hint: str | None
) -> None:
    doubt = RULES[config.api].model_doubt(model, kind, config)
    assert (doubt and doubt.hint.startswith(hint or "")) == (True if hint else None)


def test_a_doubt_is_a_warning_at_the_model(tmp_path: Path) -> None:
    """The create call of such a job is free: what is documented about models may be older than the API."""
    manifest = with_spec("model: imagen-4.0-generate-001")
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": manifest})
    (warning,) = load_in(tmp_path).warnings
    assert (warning.code, str(warning.location).partition("job.yaml:")[2]) == (Code.DOUBTFUL_MODEL, "5:10")


@pytest.mark.parametrize(
    ("config", "name", "message"),
    [
        (GEMINI, "batches/a1", None),
        (GEMINI, "17", "Gemini has no batch jobs like"),
        (VERTEX, "17", None),
        (VERTEX, "batches/a1", "Vertex has no batch jobs like"),
        (VERTEX, JOB.format(project="demo", location="us-central1", id="17"), None),
        (VERTEX, JOB.format(project="demo", location="us-central1", id="x"), "Vertex has no batch jobs like"),
        (VERTEX, JOB.format(project="demo", location="eu", id="17"), 'the job is in "eu"'),
        (VERTEX, JOB.format(project="other", location="us-central1", id="17"), 'the job is in the project "other"'),
        (VERTEX, JOB.format(project="123", location="us-central1", id="17"), None),
    ],
)
def test_the_job_names_of_each_api(config: ProviderConfig, name: str, message: str | None) -> None:
    misfit = RULES[config.api].job_misfit(name, config)
    assert (misfit and misfit.message.startswith(message or "")) == (True if message else None)


def test_a_message_names_the_apis_that_have_a_capability() -> None:
    assert is_for(lambda can: can.labels) == "is for Vertex only"
    assert is_for(lambda can: can.webhooks) == "is for Gemini only"
