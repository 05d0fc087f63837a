"""google-cloud-storage and google-cloud-bigquery: the data that batch jobs of Vertex AI read and write."""

from __future__ import annotations

import io
import sys
import warnings
from typing import Any

# set-up
import google.auth
from attempts import Attempts, expect
from google.cloud import bigquery, storage


def storage_client():
    # Without credentials this client is anonymous where STORAGE_EMULATOR_HOST is set, and gets a 401.
    credentials, project = google.auth.default()
    return storage.Client(project, credentials)


def bigquery_client():
    return bigquery.Client()


# end of set-up
warnings.filterwarnings("ignore", category=Warning)
ROWS = [{"request": '{"contents": []}', "label": "a"}, {"request": '{"contents": []}', "label": "b"}]
done = Attempts()


def with_storage() -> None:
    def attempt(operation: str, call: Any) -> Any:
        return done.attempt("storage", operation, call)

    client = attempt("find credentials", storage_client)
    bucket = attempt("create a bucket", lambda: client.create_bucket("mine"))
    attempt("check whether a bucket exists", lambda: expect(bucket.exists() and not client.bucket("none").exists()))
    attempt("list buckets", lambda: expect({"mine", "clients"} <= {one.name for one in client.list_buckets()}))
    blob = bucket.blob("in.jsonl")
    attempt("upload an object", lambda: blob.upload_from_string(b"{}\n" * 1000))
    attempt("upload an object unless it exists", lambda: _refused("PreconditionFailed", _again, blob))
    attempt("upload in chunks, resumable", lambda: _in_chunks(bucket))
    attempt("list objects", lambda: expect([one.name for one in bucket.list_blobs()] == ["big.bin", "in.jsonl"]))
    attempt("list objects, by pages", lambda: expect(len(list(bucket.list_blobs(page_size=1).pages)) == 2))
    attempt("list folders", lambda: _folders(bucket))
    attempt("download an object", lambda: expect(len(blob.download_as_bytes()) == 3000))
    attempt("download an object to a file", lambda: blob.download_to_filename("got.jsonl"))
    attempt("download a range", lambda: expect(blob.download_as_bytes(start=0, end=1) == b"{}"))
    attempt("read as a file", lambda: expect(blob.open("rb").read(2) == b"{}"))
    attempt("get metadata", lambda: (blob.reload(), expect(blob.size == 3000, blob.size)))
    attempt("change metadata", lambda: _changed(bucket))
    attempt("copy an object", lambda: bucket.copy_blob(blob, bucket, "copy.jsonl"))
    attempt("move an object", lambda: bucket.rename_blob(bucket.blob("copy.jsonl"), "moved.jsonl"))
    attempt("combine objects", lambda: bucket.blob("both").compose([blob, bucket.blob("moved.jsonl")]))
    attempt("delete an object", blob.delete)
    attempt("a missing object is not found", lambda: _refused("NotFound", blob.reload))
    attempt("a missing bucket is not found", lambda: _refused("NotFound", client.get_bucket, "none"))
    attempt("deleting a bucket with objects is refused", lambda: _refused("Conflict", bucket.delete))
    attempt("delete a bucket", lambda: bucket.delete(force=True))
    anonymous = storage.Client().bucket("clients").blob("in.jsonl")
    attempt("calls without a token are refused", lambda: _refused("InvalidOperation", anonymous.download_as_bytes))


def _refused(kind: str, call: Any, *arguments: Any) -> None:
    """The call raises an error of this name."""
    try:
        call(*arguments)
    except Exception as error:
        if type(error).__name__ == kind:
            return
        raise
    raise AssertionError(f"no {kind}")


def _again(blob: Any) -> None:
    blob.upload_from_string("x", if_generation_match=0)


def _folders(bucket: Any) -> None:
    bucket.blob("out/a/x").upload_from_string("x")
    listed = bucket.list_blobs(prefix="out/", delimiter="/")
    list(listed)
    bucket.blob("out/a/x").delete()
    expect(set(listed.prefixes) == {"out/a/"}, listed.prefixes)


def _changed(bucket: Any) -> None:
    blob = bucket.blob("big.bin")
    blob.metadata = {"made": "here"}
    blob.patch()
    expect(bucket.get_blob("big.bin").metadata == {"made": "here"})


def _in_chunks(bucket: Any) -> None:
    blob = bucket.blob("big.bin", chunk_size=256 * 1024)
    blob.upload_from_file(io.BytesIO(b"x" * 600_000))
    expect(blob.size == 600_000, blob.size)


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


SQL = {"The emulator supports load jobs only": "the emulator supports load jobs, not SQL"}


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
