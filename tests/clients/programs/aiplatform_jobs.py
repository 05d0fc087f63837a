"""google-cloud-aiplatform over REST: its jobs, the generative ones of `vertexai`, and the generated client."""

from __future__ import annotations

import os
from typing import Any

# set-up
import google.auth
import vertexai
from attempts import Attempts, expect
from google.cloud import aiplatform, aiplatform_v1, aiplatform_v1beta1

URL = os.environ["GOOGLE_VERTEX_BASE_URL"]
PROJECT, LOCATION = os.environ["GOOGLE_CLOUD_PROJECT"], os.environ["GOOGLE_CLOUD_LOCATION"]
# Its Cloud Storage client uses these, too.
credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
PLACE = {"project": PROJECT, "location": LOCATION, "credentials": credentials}
# The default transport is gRPC, which the emulator does not support: use REST, and the endpoint with its scheme.
aiplatform.init(**PLACE, api_endpoint=URL, api_transport="rest")
vertexai.init(**PLACE, api_endpoint=URL, api_transport="rest")
generated = [
    module.JobServiceClient(credentials=credentials, transport="rest", client_options={"api_endpoint": URL})
    for module in (aiplatform_v1, aiplatform_v1beta1)
]
# end of set-up
MODEL, SLOW, EMBED = (
    f"publishers/google/models/{name}" for name in ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001")
)
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
SRC = "gs://clients/in.jsonl"
ENDED = "JOB_STATE_SUCCEEDED"
done = Attempts()


def with_jobs() -> None:
    """`aiplatform.BatchPredictionJob`."""

    def attempt(operation: str, call: Any) -> Any:
        return done.attempt("vertex", operation, call, form="BatchPredictionJob")

    job = aiplatform.BatchPredictionJob
    made = attempt(
        "create a batch from Cloud Storage",
        lambda: job.submit(
            model_name=MODEL, job_display_name="job", gcs_source=SRC, gcs_destination_prefix="gs://clients/job"
        ),
    )
    rows = attempt(
        "create a batch from BigQuery",
        lambda: job.submit(
            model_name=MODEL,
            job_display_name="rows",
            bigquery_source="bq://emulator.clients.rows",
            bigquery_destination_prefix="bq://emulator.clients",
            instances_format="bigquery",
            predictions_format="bigquery",
        ),
    )
    slow = attempt(
        "create a batch that runs",
        lambda: job.submit(
            model_name=SLOW, job_display_name="slow", gcs_source=SRC, gcs_destination_prefix="gs://clients/slow"
        ),
    )
    attempt("get a batch", lambda: expect(job(made.resource_name).state.name == ENDED))
    attempt("list batches, by pages", lambda: _among([one.resource_name for one in job.list()], made.resource_name))
    attempt("list batches, with a filter", lambda: expect(len(job.list(filter='display_name="rows"')) == 1))
    attempt("read results from Cloud Storage", lambda: _objects(job(made.resource_name)))
    attempt("read results from BigQuery", lambda: expect(len(list(job(rows.resource_name).iter_outputs())) == 2))
    attempt("cancel a batch", lambda: (slow.cancel(), expect("CANCEL" in job(slow.resource_name).state.name)))
    attempt("delete a batch", made.delete)


def with_vertexai() -> None:
    """`vertexai.batch_prediction`, which is only for generative models."""

    def attempt(operation: str, call: Any) -> Any:
        return done.attempt("vertex", operation, call, form="vertexai.batch_prediction")

    try:
        from vertexai.batch_prediction import BatchPredictionJob as Job
    except ImportError as error:
        attempt("create a batch from Cloud Storage", lambda error=error: _raise(error))
        return
    made = attempt(
        "create a batch from Cloud Storage",
        lambda: Job.submit("gemini-2.5-flash", SRC, output_uri_prefix="gs://clients/vertexai"),
    )
    attempt(
        "create a batch from BigQuery",
        lambda: Job.submit("gemini-2.5-flash", "bq://emulator.clients.rows", output_uri_prefix="bq://emulator.clients"),
    )
    attempt(
        "get a batch", lambda: (made.refresh(), expect(made.has_succeeded and made.output_location.startswith("gs://")))
    )
    attempt("list batches, by pages", lambda: _among([one.resource_name for one in Job.list()], made.resource_name))
    attempt("delete a batch", made.delete)


def with_generated(client: Any, version: str) -> None:
    """The generated client."""

    def attempt(operation: str, call: Any) -> Any:
        return done.attempt("vertex", operation, call, form=f"JobServiceClient {version}")

    def create(name: str, model: str, source: dict[str, Any], target: dict[str, Any]) -> Any:
        body = {
            "display_name": name,
            "model": model,
            "labels": {"made": "generated"},
            "input_config": {"instances_format": next(iter(target)), **source},
            "output_config": {"predictions_format": next(iter(target)), **target[next(iter(target))]},
        }
        return client.create_batch_prediction_job(parent=PARENT, batch_prediction_job=body)

    objects = {"jsonl": {"gcs_destination": {"output_uri_prefix": f"gs://clients/{version}"}}}
    table = {"bigquery": {"bigquery_destination": {"output_uri": "bq://emulator.clients"}}}
    source = {"gcs_source": {"uris": [SRC]}}
    made = attempt("create a batch from Cloud Storage", lambda: create("generated", MODEL, source, objects))
    attempt(
        "create a batch from BigQuery",
        lambda: create("table", MODEL, {"bigquery_source": {"input_uri": "bq://emulator.clients.rows"}}, table),
    )
    attempt(
        "create a batch of embeddings",
        lambda: create("vectors", EMBED, {"gcs_source": {"uris": ["gs://clients/embed.jsonl"]}}, objects),
    )
    slow = attempt("create a batch that runs", lambda: create("slow", SLOW, source, objects))
    attempt("get a batch", lambda: expect(client.get_batch_prediction_job(name=made.name).state.name == ENDED))
    pages = {"parent": PARENT, "page_size": 1}
    attempt(
        "list batches, by pages",
        lambda: _among([one.name for one in client.list_batch_prediction_jobs(request=pages)], made.name),
    )
    filtered = {"parent": PARENT, "filter": 'labels.made="generated" AND display_name="slow"'}
    attempt(
        "list batches, with a filter",
        lambda: expect(slow.name in [one.name for one in client.list_batch_prediction_jobs(request=filtered)]),
    )
    attempt("cancel a batch", lambda: client.cancel_batch_prediction_job(name=slow.name))
    attempt("delete a batch", lambda: client.delete_batch_prediction_job(name=made.name).result(timeout=20))


def _objects(job: Any) -> None:
    names = [blob.name for blob in job.iter_outputs()]
    expect(any(name.endswith("predictions.jsonl") for name in names), names)


def _among(names: list[str], name: str) -> None:
    expect(name in names, names)


def _raise(error: Exception) -> None:
    raise error


def main() -> None:
    with_jobs()
    with_vertexai()
    for client, version in zip(generated, ("v1", "v1beta1"), strict=True):
        with_generated(client, version)
    done.tell()


if __name__ == "__main__":
    main()
