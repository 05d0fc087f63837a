"""What the tests of the command line share: running it, small stacks, and the emulator's control calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from batchctl.cli.main import run
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "specs" / "examples"
SOON = {"pending": "0s", "running": "1s"}
"""The rule under which a job runs at once, and has ended after the first wait."""
LONG = {"pending": "0s", "running": "10m"}
"""The rule under which a job still runs when a test looks again, however slow the machine is."""
PROGRAM = (sys.executable, "-c", "from batchctl.cli import main; main()")
"""The command line as a process of its own."""


@dataclass(frozen=True)
class Ran:
    """How one command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def actions(self) -> dict[str, str]:
        """The action of each job of a plan."""
        return {item["job"]: item["action"] for item in self.json["actions"]}

    def results(self) -> dict[str, str]:
        """The result of each job's action."""
        return {item["job"]: item["result"] for item in self.json["actions"]}

    def phases(self) -> dict[str, str]:
        """The phase of each job of a status."""
        return {item["job"]: item["phase"] for item in self.json["jobs"]}

    def changes(self, job: str) -> list[str]:
        """The paths of what changed in a job."""
        (action,) = [item for item in self.json["actions"] if item["job"] == job]
        return [change["path"] for change in action["changes"]]


class Cli:
    """The command line, in this process. Whatever happens, nobody may see a traceback."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = run(arguments)
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    def ok(self, *arguments: str) -> Ran:
        """The same, for what has to succeed."""
        ran = self(*arguments)
        assert ran.code == 0, ran
        return ran


def process(
    *arguments: str, env: dict[str, str] | None = None, program: Sequence[str] = PROGRAM, **options: Any
) -> Ran:
    """The command line as a process of its own, run to its end."""
    given = {"capture_output": True, "timeout": PATIENCE, **options}
    done = subprocess.run([*program, *arguments], text=True, check=False, env={**os.environ, **(env or {})}, **given)
    assert "Traceback" not in (done.stderr or "")
    return Ran(done.returncode, done.stdout or "", done.stderr or "")


def check_schema(name: str, document: Any) -> None:
    """Hold a document against one of the schemas that are published."""
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(document)


class Service:
    """The emulator from outside: what it was asked, what it has, and what people do there behind batchctl's back."""

    def __init__(self, url: str, let_go: Callable[[], None] = lambda: None) -> None:
        """`let_go` ends the delays of calls that are held (tests/support/held_calls.py)."""
        self.url, self.let_go = url, let_go
        # Without TLS: reading the certificates of all authorities takes 40 ms, and each test has a client of its own.
        self._client = httpx.Client(base_url=url, headers={"x-goog-api-key": "key"}, timeout=PATIENCE, verify=False)

    def close(self) -> None:
        self._client.close()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        reply = self._client.request(method, path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def reset(self) -> None:
        self._call("POST", "/_emulator/reset")
        self.rules(LONG)

    def rules(self, *rules: dict[str, Any]) -> None:
        """Put rules in force for jobs that are created from now on."""
        self._call("PUT", "/_emulator/rules", list(rules))

    def faults(self, *faults: dict[str, Any]) -> None:
        self._call("PUT", "/_emulator/faults", list(faults))

    def settings(self, **settings: Any) -> None:
        self._call("PUT", "/_emulator/settings", settings)

    def advance(self, time: str) -> None:
        self._call("POST", "/_emulator/clock", {"advance": time})

    def calls(self, method: str) -> int:
        """How often a method was called, this client's calls included."""
        count: int = self._call("GET", "/_emulator/requests")["byMethod"].get(method, 0)
        return count

    @property
    def creates(self) -> int:
        return self.calls("batches.create") + self.calls("batchPredictionJobs.create")

    def jobs(self) -> list[Any]:
        """Every job ever made, deleted ones too."""
        found: list[Any] = self._call("GET", "/_emulator/jobs")["jobs"]
        return found

    def sent_rows(self) -> dict[str, Any]:
        """The rows of all jobs, and which of them were sent again after an answer."""
        found: dict[str, Any] = self._call("GET", "/_emulator/rows")
        return found

    def vertex_job(self, name: str) -> Any:
        """A job on Vertex, as its API shows it."""
        reply = self._client.get(f"/v1/{name}", headers={"authorization": "Bearer somebody"})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def live(self) -> list[Any]:
        """The jobs that are not deleted."""
        return [job for job in self.jobs() if not job["deleted"]]

    def of(self, name: str) -> list[Any]:
        """All jobs with the mark of a stack's job, oldest first."""
        return [job for job in self.jobs() if f"/{name}@" in job["displayName"]]

    def cancel(self, remote: str) -> None:
        self._call("POST", f"/v1beta/{remote}:cancel")

    def delete(self, remote: str) -> None:
        version = "v1" if remote.startswith("projects/") else "v1beta"
        reply = self._client.delete(f"/{version}/{remote}", headers={"authorization": "Bearer somebody"})
        assert reply.status_code == 200, reply.text

    def put_object(self, bucket: str, name: str, text: str | bytes) -> None:
        params = {"uploadType": "media", "name": name}
        headers = {"authorization": "Bearer somebody"}
        reply = self._client.post(f"/upload/storage/v1/b/{bucket}/o", params=params, headers=headers, content=text)
        assert reply.status_code == 200, reply.text

    def seed(self, **seed: Any) -> None:
        self._call("PUT", "/_emulator/seed", seed)

    def upload(self, text: str) -> str:
        """A file at the Files API; gives its name."""
        size = str(len(text.encode()))
        start = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start",
                 "x-goog-upload-header-content-length": size, "x-goog-upload-header-content-type": "application/jsonl"}  # fmt: skip
        begun = self._client.post("/upload/v1beta/files", headers=start, json={"file": {}})
        last = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        reply = self._client.post(begun.headers["x-goog-upload-url"], headers=last, content=text)
        assert reply.status_code == 200, reply.text
        name: str = reply.json()["file"]["name"]
        return name

    def objects(self, bucket: str) -> dict[str, bytes]:
        """The content of each object of a bucket by its name."""
        token = {"authorization": "Bearer somebody"}
        base = f"/storage/v1/b/{bucket}/o"
        names = [item["name"] for item in self._client.get(base, headers=token).json().get("items", [])]
        paths = {name: f"{base}/{name.replace('/', '%2F')}" for name in names}
        return {
            name: self._client.get(path, headers=token, params={"alt": "media"}).content for name, path in paths.items()
        }

    def remove_object(self, bucket: str, name: str) -> None:
        reply = self._client.delete(f"/storage/v1/b/{bucket}/o/{name}", headers={"authorization": "Bearer somebody"})
        assert reply.status_code in {200, 204}, reply.text

    def make(self, display_name: str) -> str:
        """A job made by hand."""
        request = {"request": {"contents": [{"parts": [{"text": "hello"}]}]}}
        batch = {"displayName": display_name, "inputConfig": {"requests": {"requests": [request]}}}
        made = self._call("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", {"batch": batch})
        name: str = made["name"]
        return name


ROWS = [{"key": "one", "text": "first"}, {"key": "two", "text": "second"}, {"key": "three", "text": "third"}]


class StackFolder:
    """A stack's folder, with manifests that tests write and change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(exist_ok=True)

    def write_stack(self, *, name: str = "shop", uid: str = "a1b2c3", **spec: Any) -> None:
        """Write batchctl.yaml; its manifests lie in `jobs` and its provider is the emulator, unless `spec` says else."""
        providers = {"gemini": {"type": "gemini", "endpoint": "emulator"}}
        stack = {
            "apiVersion": "batchctl.dev/v1",
            "kind": "Stack",
            "metadata": {"name": name, "uid": uid},
            "spec": {"manifests": ["jobs"], "providers": providers, **spec},
        }
        (self.path / "jobs").mkdir(exist_ok=True)
        (self.path / "batchctl.yaml").write_text(as_yaml(stack))

    def job_path(self, name: str) -> Path:
        return self.path / "jobs" / f"{name}.yaml"

    def write_job(self, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Path:
        """Write one manifest: three rows, unless `spec` says else."""
        path = self.job_path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(manifest(name, labels=labels, **spec))
        return path


def manifest(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> str:
    """The text of a BatchJob. Jobs of different names do different work, unless a `runId` says else."""
    document = {
        "apiVersion": "batchctl.dev/v1",
        "kind": "BatchJob",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"model": "gemini-2.5-flash", "src": ROWS, "runId": name, **spec},
    }
    return as_yaml(document)


def as_yaml(document: Any) -> str:
    """A document as YAML, by libyaml, which takes a fifth of the time."""
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
    return text


def price_list(*prices: dict[str, Any]) -> str:
    """The text of a price list in dollars. Each price has a source and a day, unless it says else."""
    checked = {"source": "https://example.com/prices", "checked": date(2026, 11, 1)}
    head = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD"}
    return as_yaml({**head, "prices": [{**checked, **price} for price in prices]})
