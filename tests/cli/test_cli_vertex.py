"""Vertex from outside: what goes wrong there is a clear error on its job, and the other jobs go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_kit import Cli, Ran, Service, StackFolder
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

NAMES = ("a", "b", "c")
ROW = {"request": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}}
SEED = {
    "buckets": {"input": {"objects": {"rows.jsonl": {"lines": [ROW, ROW]}}}, "output": {}},
    "tables": {"demo.in.rows": {"rows": [{"key": "one", **ROW}]}, "demo.out.taken": {"rows": [{"key": "x"}]}},
}
GOOD = {"src": "gs://input/rows.jsonl", "dest": "gs://output/here/"}
CREATE = "batchPredictionJobs.create"


@pytest.fixture
def vertex(stack: StackFolder, quick: list[float]) -> StackFolder:
    """A stack with one job that will do well, on an emulator with a bucket and a table."""
    provider(stack)
    (stack.path / ".emulator.yaml").write_text(yaml.safe_dump(SEED))
    stack.write_job("good", **GOOD)
    return stack


def provider(stack: StackFolder, endpoint: str = "emulator", **changes: Any) -> None:
    settings = {"type": "vertex", "endpoint": endpoint, "project": "demo", "location": "us-central1", **changes}
    stack.write_stack(providers={"vertex": settings})


def outcome(ran: Ran, name: str) -> dict[str, Any]:
    (found,) = [item for item in ran.json["actions"] if item["job"] == name]
    return found


def phases(cli: Cli) -> dict[str, str]:
    return cli.ok("status", "-o", "json").phases()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"src": "gs://no-such/rows.jsonl"}, "no-such"),
        ({"src": "gs://input/no-such.jsonl"}, "no-such.jsonl"),
        ({"src": "gs://input/no-such-*.jsonl"}, "no-such-*"),
        ({"dest": "gs://no-such/x/"}, "no-such"),
        ({"src": "bq://demo.in.nothing", "dest": "bq://demo.out"}, "demo.in.nothing"),
        ({"src": "bq://demo.in.rows", "dest": "bq://demo.nowhere.new"}, "demo.nowhere"),
        ({"src": "bq://demo.in.rows", "dest": "bq://demo.out.taken"}, "already exists"),
    ],
    ids=["no bucket", "no object", "no match", "no bucket to write to", "no table", "no dataset", "the table exists"],
)
def test_what_the_api_finds_wrong_later(vertex: StackFolder, cli: Cli, spec: dict[str, str], words: str) -> None:
    vertex.write_job("bad", **{**GOOD, **spec})
    ran = cli("apply", "--yes", "--wait", "-o", "json")
    assert ran.code == 4
    assert phases(cli) == {"bad": "Failed", "good": "Succeeded"}
    assert words in cli("status").out


@pytest.mark.parametrize(
    ("fault", "code", "phase"),
    [
        ({"status": 403}, "PermissionDenied", "Rejected"),
        ({"status": 404}, "NotFound", "Rejected"),
    ],
    ids=["403", "404"],
)
def test_a_refused_create(vertex: StackFolder, cli: Cli, service: Service, fault: Any, code: str, phase: str) -> None:
    vertex.write_job("other", **GOOD)
    service.faults({"method": CREATE, "kind": "status", "count": 1, **fault})
    ran = cli("apply", "--yes", "-o", "json")
    assert ran.code == 1
    (bad,) = [item for item in ran.json["actions"] if item["result"] == "failed"]
    assert bad["error"]["code"] == code
    assert bad["error"]["hint"]
    (well,) = {"good", "other"} - {bad["job"]}
    assert outcome(ran, well)["result"] == "done"
    assert phases(cli)[bad["job"]] == phase


def test_a_quota_that_is_used_up_costs_no_attempt(vertex: StackFolder, cli: Cli, service: Service) -> None:
    service.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    cli("apply", "--yes")
    assert service.live() == []
    cli.ok("apply", "--yes", "--wait")
    assert phases(cli) == {"good": "Succeeded"}
    assert [job["labels"]["batchctl-attempt"] for job in service.live()] == ["1"]


def test_a_list_that_is_refused_touches_nothing(vertex: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    vertex.job_path("good").unlink()
    vertex.write_job("new", **GOOD)
    service.faults({"method": "batchPredictionJobs.list", "kind": "status", "status": 403})
    ran = cli("apply", "--yes")
    assert ran.code == 1
    assert "PermissionDenied" in ran.err
    assert [job["deleted"] for job in service.jobs()] == [False]


def test_a_local_file_and_a_bucket_that_is_not_there(vertex: StackFolder, cli: Cli) -> None:
    provider(vertex, stagingBucket="gs://no-such-bucket")
    (vertex.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "hi"}\n')
    vertex.write_job("local", src={"file": "rows.jsonl"}, dest="gs://output/local/")
    ran = cli("apply", "--yes", "-o", "json")
    assert ran.code == 1
    error = outcome(ran, "local")["error"]
    assert (error["code"], "no-such-bucket" in error["hint"]) == ("NotFound", True)
    assert outcome(ran, "good")["result"] == "done"


def test_a_file_is_never_sent_twice(vertex: StackFolder, cli: Cli, service: Service) -> None:
    provider(vertex, stagingBucket="gs://output")
    (vertex.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "hi"}\n')
    for name in ("one", "two"):
        vertex.write_job(name, src={"file": "rows.jsonl"}, dest="gs://output/local/")
    cli.ok("apply", "--yes", "--wait")
    vertex.write_job("two", src={"file": "rows.jsonl"}, dest="gs://output/local/", runId="again")
    cli.ok("apply", "--yes", "--wait")
    assert service.calls("storage.objects.upload") == 1
    assert [row["key"] for name in ("one", "two") for row in cli.ok("results", name).rows] == ["a", "a"]


def test_a_job_that_was_made_by_hand_is_taken_in_by_its_name(vertex: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    (ours,) = service.jobs()
    where = ours["name"].rpartition("/")[0]
    seed = {
        "jobs": [
            {
                "api": "vertex",
                "name": f"{where}/4711",
                "displayName": "by hand",
                "model": "gemini-2.5-flash",
                "input": "gs://input/rows.jsonl",
                "output": "gs://output/hand/",
            }
        ]
    }
    service._call("PUT", "/_emulator/seed", seed)
    assert cli.ok("plan", "-o", "json").json["unmanaged"] is None
    (drift,) = cli.ok("drift", "--unmanaged", "-o", "json").json["drift"]
    assert (drift["kind"], drift["job"]) == ("Unmanaged", f"{where}/4711")
    before = service.calls(CREATE)
    cli.ok("import", "projects/demo/locations/us-central1/batchPredictionJobs/4711", "--as", "hand")
    cli.ok("apply", "--yes", "--wait")
    assert phases(cli)["hand"] == "Succeeded"
    assert len(cli.ok("results", "hand").rows) == 2
    assert service.calls(CREATE) == before
    assert cli("drift", "--unmanaged", "-o", "json").json["drift"] == []


class _Tokens(BaseHTTPRequestHandler):
    given = 0

    def do_POST(self) -> None:
        type(self).given += 1
        body = json.dumps({"access_token": f"token-{self.given}", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def token_service() -> Iterator[str]:
    _Tokens.given = 0
    server = HTTPServer(("127.0.0.1", 0), _Tokens)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def key_file(path: Path, token_uri: str) -> Path:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "robot@demo.iam.gserviceaccount.com",
        "private_key": key.decode(),
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(account))
    return path


def test_a_token_that_runs_out_in_the_middle_of_an_apply(
    vertex: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider(vertex, service.url)
    service._call("PUT", "/_emulator/seed", SEED)
    for name in NAMES:
        vertex.write_job(name, **GOOD)
    service.faults({"method": CREATE, "kind": "status", "status": 401, "count": 1})
    with token_service() as uri:
        monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "paying-project")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path / "key.json", uri)))
        ran = cli.ok("apply", "--yes", "--wait", "-o", "json")
        assert set(ran.results().values()) == {"done"}
        assert len(service.live()) == len(NAMES) + 1
        doctor = cli.ok("doctor").out
    assert _Tokens.given in {2, 3}
    assert "robot@demo.iam.gserviceaccount.com" in doctor
    assert "paying-project" in doctor
    assert "token-" not in ran.out + ran.err + doctor


def test_no_credentials(
    vertex: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider(vertex, service.url)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    ran = cli("apply", "--yes")
    assert ran.code == 1
    assert "NoCredentials" in ran.err
    assert "gcloud auth application-default login" in ran.err
    assert service.jobs() == []
