"""What the tests of Vertex AI share here: a seed that every kind of source finds something in, and a stack of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchctl.engine.clock import SystemClock
from tests.support.command_line import StackFolder

PROJECT, LOCATION = "demo", "us-central1"
NUMBER = 123456
PARENT = f"projects/{NUMBER}/locations/{LOCATION}"
MODEL = "gemini-2.5-flash"
PUBLISHED = f"publishers/google/models/{MODEL}"
DATASET = f"projects/{PROJECT}/locations/{LOCATION}/datasets/7"
EMBED_MODEL = "gemini-embedding-001"


def request(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def rows(*texts: str) -> dict[str, Any]:
    """An object with one request a line."""
    return {"lines": [{"request": request(text)} for text in texts]}


SEED: dict[str, Any] = {
    "settings": {"pending": "0s", "running": "0s", "operationDelay": "1s"},
    "projects": {PROJECT: NUMBER},
    "buckets": {
        "input": {
            "objects": {
                "one.jsonl": rows("a", "b", "c"),
                "more/2.jsonl": rows("d"),
                "more/3.jsonl": rows("e", "f"),
                "embed.jsonl": {"lines": [{"key": "k", "request": {"content": {"parts": [{"text": "x"}]}}}]},
            }
        },
        "output": {},
        "staging": {},
    },
    "datasets": ["demo.answers"],
    "tables": {"demo.data.rows": {"rows": [{"request": request("q"), "label": "x"}, {"request": request("r")}]}},
    "multimodalDatasets": [{"name": DATASET, "uris": ["gs://input/one.jsonl"]}],
}
JOBS: dict[str, dict[str, Any]] = {
    "gcs": {"src": "gs://input/one.jsonl", "dest": "gs://output/gcs/"},
    "several": {"src": {"gcsUri": ["gs://input/one.jsonl", "gs://input/more/*.jsonl"]}, "dest": "gs://output/several"},
    "table": {"src": "bq://demo.data.rows", "dest": "bq://demo.answers.table"},
    "table-anywhere": {"src": "bq://demo.data.rows", "dest": "bq://demo"},
    "dataset": {"src": DATASET, "dest": "gs://output/dataset"},
    "local": {"src": {"file": "rows.jsonl"}, "dest": "gs://output/local"},
    "embeddings": {"model": EMBED_MODEL, "src": "gs://input/embed.jsonl", "dest": "gs://output/embeddings"},
    "extra": {
        "src": "gs://input/one.jsonl",
        "dest": "gs://output/extra",
        "displayName": "Über alles",
        "extraBody": {
            "modelParameters": {"any": [1, {"thing": None}]},
            "serviceAccount": "runner@demo.iam.gserviceaccount.com",
            "encryptionSpec": {"kmsKeyName": "projects/demo/locations/us-central1/keyRings/r/cryptoKeys/k"},
        },
    },
}
"""Jobs that all end well."""


class VertexStack(StackFolder):
    """A stack's folder whose provider is on Vertex AI, on the emulator."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.write_stack(
            providers={
                "vertex": {
                    "type": "vertex",
                    "project": PROJECT,
                    "location": LOCATION,
                    "endpoint": "emulator",
                    "stagingBucket": "gs://staging/rows/",
                }
            }
        )
        (path / ".emulator.yaml").write_text(yaml.safe_dump(SEED))

    def write_jobs(self) -> None:
        """All of `JOBS`; the local file has rows of some size."""
        for name, spec in JOBS.items():
            self.write_job(name, labels={"team": "search"}, **spec)
        text = "x" * 6000
        lines = [f'{{"key": "k{number}", "text": "{number} {text}"}}\n' for number in range(100)]
        (self.path / "jobs" / "rows.jsonl").write_text("".join(lines))


@contextmanager
def no_waiting(patch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Nobody really sleeps; gives the sleeps. A hundred of them are a wait for ever."""
    slept: list[float] = []

    def sleep(_clock: SystemClock, seconds: float) -> None:
        assert len(slept) < 100, "it waits for ever"
        slept.append(seconds)

    patch.setattr(SystemClock, "sleep", sleep)
    yield slept
