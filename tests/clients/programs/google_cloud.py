"""google-cloud-storage and google-cloud-bigquery: what stands beside a batch job of Vertex AI."""

from __future__ import annotations

import io
import sys
import warnings
from typing import Any

# set-up
import google.auth
from attempts import Attempts, expect
from google.cloud import bigquery, storage


def storage_client() -> storage.Client:
    # Without credentials this client is anonymous where STORAGE_EMULATOR_HOST is set, and gets a 401.
    credentials, project = google.auth.default()
    return storage.Client(project, credentials)


def bigquery_client() -> bigquery.Client:
    return bigquery.Client()


# end of set-up
warnings.filterwarnings("ignore", category=Warning)
ROWS = [{"request": '{"contents": []}', "label": "a"}, {"request": '{"contents": []}', "label": "b"}]
done = Attempts()


def with_storage() -> None:
    client = done.attempt("storage", "find credentials", storage_client)
    bucket = done.attempt("storage", "create a bucket", lambda: client.create_bucket("mine"))
    blob = bucket.blob("in.jsonl")
    done.attempt("storage", "upload an object", lambda: blob.upload_from_string(b"{}\n" * 1000))
    done.attempt("storage", "upload in chunks, resumable", lambda: _in_chunks(bucket))
    done.attempt("storage", "list objects", lambda: _listed(client))
    done.attempt("storage", "download an object", lambda: expect(len(blob.download_as_bytes()) == 3000))
    done.attempt("storage", "download a range", lambda: expect(blob.download_as_bytes(start=0, end=1) == b"{}"))
    done.attempt("storage", "read as a file", lambda: expect(blob.open("rb").read(2) == b"{}"))
    done.attempt("storage", "get metadata", lambda: (blob.reload(), expect(blob.size == 3000, blob.size)))
    done.attempt(
        "storage",
        "upload over a known generation",
        lambda: blob.upload_from_string("x", if_generation_match=blob.generation),
    )
    done.attempt("storage", "copy an object", lambda: bucket.copy_blob(blob, bucket, "copy.jsonl"))
    done.attempt("storage", "delete an object", blob.delete)
    done.attempt(
        "storage",
        "download without credentials",
        lambda: storage.Client().bucket("clients").blob("in.jsonl").download_as_bytes(),
        because=ANONYMOUS,
    )


ANONYMOUS = {
    "Anonymous credentials cannot be refreshed": "401 without a token, as at the service; the setting `anonymousReads: allow` opens reads",
}


def _in_chunks(bucket: Any) -> None:
    blob = bucket.blob("big.bin", chunk_size=256 * 1024)
    blob.upload_from_file(io.BytesIO(b"x" * 600_000))
    expect(blob.size == 600_000, blob.size)


def _listed(client: Any) -> None:
    expect([one.name for one in client.list_blobs("mine", page_size=1)] == ["big.bin", "in.jsonl"])


def with_bigquery() -> None:
    client = done.attempt("bigquery", "find credentials", bigquery_client)
    done.attempt("bigquery", "create a dataset", lambda: client.create_dataset("mine"))
    schema = [bigquery.SchemaField("request", "JSON"), bigquery.SchemaField("label", "STRING")]
    done.attempt(
        "bigquery", "create a table", lambda: client.create_table(bigquery.Table(f"{client.project}.mine.t", schema))
    )
    done.attempt("bigquery", "insert rows", lambda: expect(client.insert_rows_json("mine.t", ROWS) == []))
    done.attempt("bigquery", "load rows from a file", lambda: _load(client))
    uri = "gs://clients/in.jsonl"
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", autodetect=True)
    done.attempt(
        "bigquery",
        "load rows from Cloud Storage",
        lambda: client.load_table_from_uri(uri, "mine.loaded", job_config=config).result(),
    )
    done.attempt("bigquery", "get a table", lambda: expect(client.get_table("mine.t").num_rows == 4))
    done.attempt("bigquery", "list tables", lambda: expect("t" in [one.table_id for one in client.list_tables("mine")]))
    done.attempt(
        "bigquery", "read rows", lambda: expect([row["label"] for row in client.list_rows("mine.t")] == ["a", "b"] * 2)
    )
    done.attempt(
        "bigquery",
        "query in SQL",
        lambda: list(client.query("SELECT label FROM mine.t", job_retry=None).result()),
        because=SQL,
    )
    done.attempt("bigquery", "delete a table", lambda: client.delete_table("mine.t"))


SQL = {"The emulator runs load jobs only": "the emulator has load jobs, and no SQL"}


def _load(client: Any) -> None:
    config = bigquery.LoadJobConfig(
        schema=[bigquery.SchemaField("request", "JSON"), bigquery.SchemaField("label", "STRING")]
    )
    client.load_table_from_json(ROWS, "mine.t", job_config=config).result()


def main() -> None:
    {"storage": with_storage, "bigquery": with_bigquery}[sys.argv[1]]()
    done.tell()


if __name__ == "__main__":
    main()
