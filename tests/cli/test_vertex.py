"""Vertex from outside: what goes wrong there is a clear error on its job, and the other jobs go on."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.command_line import SOON, Cli, Ran, Service, StackFolder

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
    ("fault", "code", "phase", "exit_code"),
    [
        ({"status": 403}, "PermissionDenied", "Waiting", 7),
        ({"status": 404}, "NotFound", "Rejected", 4),
    ],
    ids=["403", "404"],
)
def test_a_refused_create(
    vertex: StackFolder, cli: Cli, service: Service, fault: Any, code: str, phase: str, exit_code: int
) -> None:
    vertex.write_job("other", **GOOD)
    service.faults({"method": CREATE, "kind": "status", "count": 1, **fault})
    ran = cli("apply", "--yes", "-o", "json")
    assert ran.code == exit_code
    (bad,) = [item for item in ran.json["actions"] if item["error"] is not None]
    assert bad["error"]["code"] == code
    assert bad["error"]["hint"]
    (well,) = {"good", "other"} - {bad["job"]}
    assert outcome(ran, well)["result"] == "done"
    assert phases(cli)[bad["job"]] == phase


@pytest.mark.parametrize("api", ["gemini", "vertex"])
@pytest.mark.parametrize(("refusals", "failed"), [(1, 0), (2, 1)])
def test_a_401_costs_one_more_call_and_a_second_one_its_job(
    vertex: StackFolder, cli: Cli, service: Service, api: str, refusals: int, failed: int
) -> None:
    create = CREATE if api == "vertex" else "batches.create"
    names = {"good", "other"}
    for name in names:
        vertex.write_job(name, **(GOOD if api == "vertex" else {}))
    settings = {"type": api, "endpoint": "emulator"}
    place = {"project": "demo", "location": "us-central1"} if api == "vertex" else {}
    vertex.write_stack(providers={api: {**settings, **place}}, limits={"concurrency": 1})
    service.faults({"method": create, "kind": "status", "status": 401, "count": refusals})
    ran = cli("apply", "--yes", "-o", "json")
    assert ran.code == (1 if failed else 0)
    errors = [item["error"]["code"] for item in ran.json["actions"] if item["result"] == "failed"]
    assert errors == ["Unauthenticated"] * failed
    assert service.creates == len(names) + 1
    assert len(service.live()) == len(names) - failed
    cli.ok("apply", "--yes")
    assert len(service.live()) == len(names)


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
    # Once for both jobs; again for the second run, as the first one's end took the file along.
    assert service.calls("storage.objects.upload") == 2
    assert service.calls("storage.objects.delete") == 2
    assert [row["key"] for name in ("one", "two") for row in cli.ok("results", name).rows] == ["a", "a"]


def test_a_file_is_sent_once_for_all_accounts_with_one_staging_bucket(
    vertex: StackFolder, cli: Cli, service: Service
) -> None:
    """All jobs are under way with it before the first has sent it."""
    common = {"type": "vertex", "endpoint": "emulator", "project": "demo", "stagingBucket": "gs://output"}
    vertex.write_stack(providers={place: {**common, "location": place} for place in ("us-central1", "us")})
    (vertex.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "hi"}\n')
    service.faults({"method": "storage.objects.insert", "kind": "delay", "delay": "1s", "count": 1})
    vertex.job_path("good").unlink()
    for number, place in enumerate(("us-central1", "us", "us")):
        source = {"src": {"file": "rows.jsonl"}, "dest": "gs://output/local/", "provider": place}
        vertex.write_job(f"job-{number}", **source)
    cli.ok("apply", "--yes")
    assert service.calls("storage.objects.insert") == 1
    assert len(service.live()) == 3


def test_all_accounts_have_one_token(
    vertex: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = {"type": "vertex", "endpoint": service.url, "project": "demo"}
    vertex.write_stack(providers={place: {**common, "location": place} for place in ("us-central1", "us", "eu")})
    vertex.write_job("good", provider="us", **GOOD)
    with token_service() as uri:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path / "key.json", uri)))
        cli.ok("doctor")
        assert _Tokens.given == 1


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
    (drift,) = cli("drift", "--unmanaged", "-o", "json").json["drift"]
    assert (drift["kind"], drift["job"]) == ("Unmanaged", f"{where}/4711")
    before = service.calls(CREATE)
    cli.ok("import", "projects/demo/locations/us-central1/batchPredictionJobs/4711", "--as", "hand")
    cli.ok("apply", "--yes", "--wait")
    assert phases(cli)["hand"] == "Succeeded"
    assert len(cli.ok("results", "hand").rows) == 2
    assert service.calls(CREATE) == before
    assert cli("drift", "--unmanaged", "-o", "json").json["drift"] == []


def labelled(name: str, number: str = "7") -> dict[str, Any]:
    """A row of somebody else's, with a label such as batchctl gives to its own rows."""
    return {"contents": [{"role": "user", "parts": [{"text": name}]}], "labels": {"batchctl-row": number}}


@pytest.mark.parametrize("source", ["bq://demo.in.labelled", "gs://input/labelled.jsonl"])
def test_a_position_is_never_taken_from_a_row_of_others(
    vertex: StackFolder, cli: Cli, service: Service, source: str
) -> None:
    """A table has no order, and a file that is gone tells none: two rows that carry one number are two results."""
    rows = [{"request": labelled(name)} for name in ("one", "two")]
    seed = {
        "buckets": {"input": {"objects": {"labelled.jsonl": {"lines": rows}}}},
        "tables": {"demo.in.labelled": {"rows": rows}},
    }
    service._call("PUT", "/_emulator/seed", seed)
    vertex.write_job("good", src=source, dest="bq://demo.out" if source.startswith("bq") else "gs://output/x/")
    cli.ok("apply", "--yes")
    service.advance("10s")
    service.remove_object("input", "labelled.jsonl")
    ran = cli.ok("apply", "--yes", "--wait")
    assert "2 rows ok, 0 failed" in ran.err
    assert "match no input row" not in ran.err
    assert [row["index"] for row in cli.ok("results", "good").rows] == [None, None]


def test_rows_that_come_back_changed_and_twice_and_early_are_all_placed(
    vertex: StackFolder, cli: Cli, service: Service
) -> None:
    service._call("PUT", "/_emulator/seed", SEED)
    provider(vertex, stagingBucket="gs://output")
    service._call("PUT", "/_emulator/rules", [{"output": {"early": 0.5, "repeated": 0.5, "asNumbers": True}}])
    rows = [
        {
            "key": f"00{number}",
            "id": f"0{number}",
            "request": {"contents": [{"role": "user", "parts": [{"text": "7"}]}]},
        }
        for number in range(5)
    ]
    rows += [{"custom_id": "r1", "request": {"contents": {"role": "user", "parts": {"text": "08"}}}}]
    (vertex.path / "jobs" / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    vertex.write_job("good", src={"file": "rows.jsonl"}, dest="gs://output/x")
    cli.ok("apply", "--yes", "--wait")
    (status,) = cli.ok("status", "-o", "json").json["jobs"]
    assert status["rows"] == {"total": 6, "ok": 6, "failed": 0, "verdicts": {"OK": 6}}
    shown = cli.ok("results", "good")
    assert "warning" not in shown.err
    assert [(row["key"], row["index"], row["input"], row["attempt"]) for row in shown.rows] == [
        *((f"00{number}", number, {"id": f"0{number}"}, 1) for number in range(5)),
        (None, 5, {"custom_id": "r1"}, 1),
    ]


def test_a_line_beyond_the_limit_of_the_stack_costs_its_own_row(
    vertex: StackFolder, cli: Cli, service: Service
) -> None:
    rows = [
        {"key": key, "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}}
        for key, text in (("long", "x" * 2**20), ("short", "y"))
    ]
    service._call("PUT", "/_emulator/seed", SEED)
    service.put_object("input", "long.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    settings = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us-central1"}
    vertex.write_stack(providers={"vertex": {**settings, "stagingBucket": "gs://output"}}, limits={"lineBytes": 2**20})
    vertex.write_job("good", src="gs://input/long.jsonl", dest="gs://output/x")
    cli.ok("apply", "--yes", "--wait")
    long, short = cli.ok("results", "good").rows
    assert (short["key"], short["index"], "response" in short) == ("short", 1, True)
    assert (long["key"], long["index"], long["error"]["code"]) == ("long", 0, 15)
    kept = vertex.path / "results" / "good" / "current" / long["error"]["rawFile"]
    assert json.loads(kept.read_text())["request"] == rows[0]["request"]
    (vertex.path / "jobs" / "rows.jsonl").write_text(json.dumps(rows[0]))
    vertex.write_job("local", src={"file": "rows.jsonl"}, dest="gs://output/x")
    assert "longer than 1,048,576 bytes, which is the stack's limits.lineBytes" in cli("validate").err


def test_a_file_of_rows_for_another_publishers_model(vertex: StackFolder, cli: Cli, service: Service) -> None:
    service._call("PUT", "/_emulator/seed", SEED)
    provider(vertex, stagingBucket="gs://output")
    rows = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": [{"role": "user", "content": "same"}]},
        }
        for number in range(3)
    ]
    (vertex.path / "jobs" / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    vertex.write_job("good", src={"file": "rows.jsonl"}, dest="gs://output/x", model="meta/llama")
    cli.ok("apply", "--yes", "--wait")
    found = cli.ok("results", "good").rows
    assert [(row["index"], row["input"]["custom_id"], row["response"]["status_code"]) for row in found] == [
        (number, f"r{number}", 200) for number in range(3)
    ]


def test_a_job_of_whose_rows_none_could_be_placed_has_not_succeeded(
    vertex: StackFolder, cli: Cli, service: Service
) -> None:
    def put(*names: str) -> None:
        rows = [{"request": {"contents": [{"role": "user", "parts": [{"text": name}]}]}} for name in names]
        service.put_object("input", "named.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))

    service._call("PUT", "/_emulator/seed", SEED)
    put("one", "two")
    lifecycle = {"ttlAfterFinished": "1s", "backoffLimit": 1}
    vertex.write_job("good", src="gs://input/named.jsonl", dest="gs://output/x/", lifecycle=lifecycle)
    vertex.write_job("next", src="gs://input/named.jsonl", dest="gs://output/x/", dependsOn=["good"])
    cli.ok("apply", "--yes")
    service.advance("10s")
    put("three", "four")
    for _ in range(2):
        ran = cli("apply", "--yes", "--wait")
        assert ran.code == 4
        service.advance("1h")
    found = phases(cli)
    assert found["good"] == "Failed"
    assert found["next"] != "Succeeded"
    (status, _) = cli("status", "-o", "json").json["jobs"]
    assert "no result matches any of its 2 rows" in status["reason"]
    assert [job["deleted"] for job in service.jobs()] == [False]
    rows = cli("results", "good").rows
    assert [(row["index"], "response" in row) for row in rows] == [(None, True)] * 2


def test_rows_that_do_not_fit_together_are_told_wherever_the_job_is_shown(
    vertex: StackFolder, cli: Cli, service: Service
) -> None:
    """The input is another one when the results come: one of its rows was never asked, one result is of no row."""

    def put(*names: str) -> None:
        rows = [{"request": {"contents": [{"role": "user", "parts": [{"text": name}]}]}} for name in names]
        service.put_object("input", "named.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))

    service._call("PUT", "/_emulator/seed", SEED)
    put("one", "two", "three")
    vertex.write_job("good", src="gs://input/named.jsonl", dest="gs://output/x/")
    cli.ok("apply", "--yes")
    service.advance("10s")
    put("one", "two", "four", "five")
    assert "2 rows ok, 0 failed, 2 without a result, 1 that match no input row" in cli.ok("apply", "--yes").err
    (status,) = cli.ok("status", "-o", "json").json["jobs"]
    assert (status["phase"], status["rows"]) == (
        "Succeeded",
        {"total": 4, "ok": 2, "failed": 0, "verdicts": {"NO_RESULT": 2, "OK": 2}},
    )
    assert status["reason"] == "succeeded; 2 of 4 rows have no result"
    described = cli.ok("describe", "good").out
    assert "succeeded; 2 of 4 rows have no result" in described
    assert "1 that match no input row" in described
    shown = cli.ok("results", "good")
    assert sorted(str(row["index"]) for row in shown.rows) == ["0", "1", "None"]
    assert "warning: good: 2 input rows have no result" in shown.err
    assert "NO_RESULT" not in shown.err, "it is one warning"
    assert "warning: good: 1 result matches no input row" in shown.err
    (vertex.path / "results" / "good" / "current" / "manifest.json").unlink()
    shown = cli("results", "good", "--log-format", "json")
    assert (shown.code, len(shown.rows)) == (1, 3)
    assert "whether rows are missing is not known" in json.loads(shown.err.splitlines()[0])["message"]


def test_tables_of_a_project_with_a_domain(vertex: StackFolder, cli: Cli, service: Service) -> None:
    tables = {"example.com:old.in.rows": {"rows": [ROW, ROW]}, "example.com:old.out.other": {"rows": [{"key": "x"}]}}
    service._call("PUT", "/_emulator/seed", {"tables": tables})
    vertex.write_job("good", src="bq://example.com:old.in.rows", dest="bq://example.com:old.out")
    cli.ok("apply", "--yes", "--wait")
    assert [row["index"] for row in cli.ok("results", "good").rows] == [None, None]


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


def test_an_export_that_fails_is_told_in_the_apis_words(vertex: StackFolder, cli: Cli, service: Service) -> None:
    service.seed(**SEED)
    service.put_object(
        "input", "rows.jsonl", json.dumps({"request": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}})
    )
    service.rules({**SOON, "fate": "failExport"})
    vertex.write_job("good", src="gs://input/rows.jsonl", dest="gs://output/x", lifecycle={"backoffLimit": 0})
    # Results that are refused are waited for during an hour.
    assert cli("apply", "--yes", "--wait", "--timeout", "10m").code == 4
    [job] = cli("status", "-o", "json").json["jobs"]
    assert job["phase"] == "Failed"
    assert "Failed to export data" in job["reason"]


@pytest.mark.parametrize("name", ["predictions.jsonl.gz", "predictions.jsonl"])
def test_packed_results_are_named_and_not_lost(vertex: StackFolder, cli: Cli, service: Service, name: str) -> None:
    service.seed(**SEED)
    row = json.dumps({"request": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}})
    service.put_object("input", "rows.jsonl", row)
    vertex.write_job("good", src="gs://input/rows.jsonl", dest="gs://output/x")
    cli.ok("apply", "--yes")
    service.advance("1h")
    written = service.objects("output")
    [result] = written
    service.remove_object("output", result.replace("/", "%2F"))
    folder = result.rpartition("/")[0]
    service.put_object("output", f"{folder}/{name}", gzip.compress(written[result]))
    assert cli("apply", "--yes", "--wait", "--timeout", "5m").code in {1, 7}
    told = cli("explain", "good").out
    assert f"{name}: the result file is compressed" in told
    assert "ResultsLost" not in told
    service.put_object("output", f"{folder}/predictions.jsonl", written[result])
    cli.ok("apply", "--yes", "--wait")
    assert [row["index"] for row in cli.ok("results", "good").rows] == [0]
