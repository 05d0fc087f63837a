"""Helpers for tests of Vertex AI: a caller with a token, a bucket with rows, and short forms of the calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from batchctl.emulator.bigquery.tables import Column, add_dataset, append_rows, create_table, find_table, read_rows
from batchctl.emulator.seed import load_seed
from batchctl.emulator.storage.objects import add_bucket, match_objects, put_object
from tests.support.embedded_emulator import World

PARENT = "projects/demo/locations/us-central1"
JOBS = f"/v1/{PARENT}/batchPredictionJobs"
MODEL = "publishers/google/models/gemini-2.5-flash"
GCS = {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://in/rows.jsonl"]}}
TABLE = {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://p.d.t"}}
TO_GCS = {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://out/here"}}


def to_table(uri: str) -> dict[str, Any]:
    return {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": uri}}


def from_gcs(*uris: str) -> dict[str, Any]:
    return {"instancesFormat": "jsonl", "gcsSource": {"uris": list(uris)}}


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {"request": {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}}


class Vertex(World):
    """A world with the buckets `in` (which has four rows) and `out`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.http.headers["authorization"] = "Bearer token"
        for bucket in ("in", "out"):
            add_bucket(self.store, bucket, "demo", self.moment)
        self.put("rows.jsonl", *map(asked, "abcd"))

    @property
    def store(self) -> Any:
        return self.emulator.store

    def put(self, name: str, *lines: Any) -> None:
        content = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
        put_object(self.store, "in", name, [content], "text/plain", self.moment)

    def fill(self, rows: Sequence[dict[str, Any]], *columns: Column, table: str = "t") -> None:
        add_dataset(self.store, "p", "d", self.moment)
        made = create_table(self.store, "p", "d", table, columns, self.moment)
        append_rows(self.store, made, rows)

    def make(self, path: str = JOBS, **members: Any) -> dict[str, Any]:
        return self.ok("POST", path, json=body(**members))

    def see(self, job: dict[str, Any]) -> dict[str, Any]:
        return self.ok("GET", f"/v1/{job['name']}")

    def state_of(self, job: dict[str, Any]) -> str:
        return self.see(job)["state"].removeprefix("JOB_STATE_")

    def end(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job after its running time."""
        self.pass_time("3s")
        return self.see(job)

    def cancel(self, job: dict[str, Any]) -> None:
        assert self.ok("POST", f"/v1/{job['name']}:cancel") == {}

    def listed(self, **params: Any) -> list[dict[str, Any]]:
        return self.ok("GET", JOBS, params=params).get("batchPredictionJobs", [])

    def outputs(self, uri: str = "gs://out/**") -> dict[str, list[Any]]:
        """The lines of the objects there, by name."""
        return {
            item.name: [json.loads(line) for line in b"".join(self.store.read(item.blob)).splitlines()]
            for item in match_objects(self.store, uri)
        }

    def output(self, job: dict[str, Any]) -> list[Any]:
        """The lines of a finished job."""
        directory = self.see(job)["outputInfo"]["gcsOutputDirectory"]
        [lines] = self.outputs(f"{directory}/*").values()
        return lines

    def table_rows(self, dataset: str, table: str) -> list[dict[str, Any]]:
        found = find_table(self.store, "p", dataset, table)
        assert found is not None
        return list(read_rows(self.store, found))

    def seed(self, folder: Path, **seed: Any) -> None:
        path = folder / "seed.yaml"
        path.write_text(yaml.safe_dump(seed), encoding="utf-8")
        load_seed(self.emulator, path)


def body(**members: Any) -> dict[str, Any]:
    """A job's resource as a caller sends it; a member that is None is left out."""
    sound = {"displayName": "n", "model": MODEL, "inputConfig": GCS, "outputConfig": TO_GCS}
    return {name: value for name, value in {**sound, **members}.items() if value is not None}
