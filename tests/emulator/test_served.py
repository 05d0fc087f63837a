from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.asgi import asgi_app
from batchctl.emulator.core import Emulator
from batchctl.emulator.embedded import open_embedded
from batchctl.emulator.serve import EmulatorServer, serve
from tests.support.patience import PATIENCE

CREATE = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
BATCH = {
    "batch": {"inputConfig": {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "hi"}]}]}}]}}}
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def client(served_emulator: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        verify=False, base_url=served_emulator, headers={"x-goog-api-key": "k"}, timeout=PATIENCE
    ) as client:
        yield client


def faults(client: httpx.Client, **fault: Any) -> None:
    assert client.put("/_emulator/faults", json=[fault]).status_code == 200


def jobs(client: httpx.Client) -> int:
    return len(client.get("/_emulator/jobs").json()["jobs"])


def test_a_job_runs_over_the_wire(client: httpx.Client) -> None:
    created = client.post(CREATE, json=BATCH)
    assert created.headers["content-type"] == "application/json; charset=UTF-8"
    assert len(created.headers.get_list("date")) == 1
    client.post("/_emulator/clock", json={"advance": "3s"})
    done = client.get(f"/v1beta/{created.json()['name']}", params={"fields": "done,response/inlinedResponses"}).json()
    assert done["done"] is True
    assert "hi" in json.dumps(done["response"])
    assert (
        client.get("/v1beta/batches", params={"pageSize": 1}).json()["operations"][0]["name"] == created.json()["name"]
    )


def test_replies_do_not_wait_for_an_acknowledgement(client: httpx.Client) -> None:
    # A body that is held back until its headers are acknowledged takes 40 ms, every time but the first on a
    # connection. A busy machine takes as long often, and not every time.
    def seconds() -> float:
        start = time.perf_counter()
        client.get("/v1beta/batches")
        return time.perf_counter() - start

    for _ in range(5):
        seconds()
    assert any(seconds() < 0.03 for _ in range(500))


def test_files_go_up_and_results_come_down_in_pieces(client: httpx.Client) -> None:
    rows = 2000
    content = b"".join(b'{"key":"%d","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n' % row for row in range(rows))
    start = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    url = client.post("/upload/v1beta/files", json={"file": {"mimeType": "jsonl"}}, headers=start).headers[
        "x-goog-upload-url"
    ]
    assert url.startswith(str(client.base_url))
    send = {
        "x-goog-upload-command": "upload, finalize",
        "x-goog-upload-offset": "0",
        "content-type": "application/json",
    }
    file = httpx.post(url, content=content, headers=send, timeout=PATIENCE, verify=False).json()["file"]
    assert file["uri"].startswith(str(client.base_url))
    created = client.post(CREATE, json={"batch": {"inputConfig": {"fileName": file["name"]}}}).json()
    client.post("/_emulator/clock", json={"advance": "3s"})
    result = client.get(f"/download/v1beta/files/batch-{created['name'][8:]}:download", params={"alt": "media"})
    assert result.headers["transfer-encoding"] == "chunked"
    assert [json.loads(line)["key"] for line in result.text.splitlines()] == [str(row) for row in range(rows)]


@pytest.mark.parametrize(("when", "expected"), [("before", 0), ("after", 1)])
def test_a_cut_shows_nothing_of_a_reply(client: httpx.Client, when: str, expected: int) -> None:
    faults(client, method="batches.create", kind="cut", when=when, count=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
        client.post(CREATE, json=BATCH)
    assert "incomplete" not in str(caught.value)
    assert jobs(client) == expected
    assert client.post(CREATE, json=BATCH).status_code == 200


def test_a_cut_sends_no_bytes(client: httpx.Client) -> None:
    faults(client, kind="cut")
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), 10) as raw:
        raw.sendall(b"GET /v1beta")
        client.get("/_emulator/clock")
        raw.sendall(b"/batches HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert raw.recv(1000) == b""


def test_a_delayed_call_has_its_effect_after_a_disconnect(client: httpx.Client) -> None:
    faults(client, method="batches.create", kind="delay", delay="1s", when="before", count=1)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post(CREATE, json=BATCH, timeout=0.2)
    while jobs(client) == 0:
        assert time.monotonic() - began < PATIENCE
    assert time.monotonic() - began >= 1


def test_one_delay_does_not_stop_other_calls(client: httpx.Client) -> None:
    faults(client, method="batches.create", kind="delay", delay="1h")
    with pytest.raises(httpx.ReadTimeout):
        client.post(CREATE, json=BATCH, timeout=0.1)
    assert client.get("/v1beta/batches").json() == {}


ENVIRONMENT = (
    r"export GOOGLE_GEMINI_BASE_URL=(http://127\.0\.0\.1:\d+)\n"
    r"export GEMINI_API_KEY=emulator\n"
    r"export GOOGLE_VERTEX_BASE_URL=\1\n"
    r"export GOOGLE_CLOUD_PROJECT=emulator\n"
    r"export GOOGLE_CLOUD_LOCATION=us-central1\n"
    r"export GCE_METADATA_HOST=(127\.0\.0\.1:\d+)\n"
    r"export GCE_METADATA_IP=\2\n"
    r"export STORAGE_EMULATOR_HOST=\1\n"
    r"export BIGQUERY_EMULATOR_HOST=\1\n"
    r"export BATCHCTL_EMULATOR=\1\n"
    r"# .+ GOOGLE_API_KEY .+\n"
    r"# .+ genai\.Client\(vertexai=True, .+\n"
)


PROGRAM = """
import sys
from pathlib import Path
from batchctl.emulator.serve import serve
data, seed = (Path(text) if text else None for text in sys.argv[1:3])
serve("127.0.0.1", 0, data, seed, lambda line: print(line, flush=True))
print("ended", flush=True)
"""


@contextmanager
def process(data: str = "", seed: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, data, seed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as started:
        assert started.stdout is not None
        try:
            text = "".join(started.stdout.readline() for _ in range(ENVIRONMENT.count("\\n")))
            found = re.fullmatch(ENVIRONMENT, text)
            assert found, (text, started.stderr.read() if started.stderr else "")
            assert found[1] == f"http://{found[2]}"
            yield started, found[1]
        finally:
            if started.poll() is None:
                started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(number: signal.Signals) -> None:
    with process() as (started, url):
        assert httpx.get(f"{url}/_emulator/clock", timeout=PATIENCE, verify=False).status_code == 200
        httpx.put(f"{url}/_emulator/faults", json=[{"kind": "delay", "delay": "1h"}], timeout=PATIENCE, verify=False)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/v1beta/batches", timeout=0.2, verify=False)
        started.send_signal(number)
        out, err = started.communicate(timeout=PATIENCE)
    assert (started.returncode, out, err) == (0, "ended\n", "")


def test_a_folder_keeps_everything_and_a_seed_is_loaded_once(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("jobs: [{name: batches/demo, model: gemini-2.5-flash, rows: [{text: x}]}]", encoding="utf-8")
    names = []
    for _ in range(2):
        with process(str(tmp_path / "data"), str(seed)) as (started, url):
            httpx.post(url + CREATE, json=BATCH, headers={"x-goog-api-key": "k"}, timeout=PATIENCE, verify=False)
            names.append(
                {
                    job["name"]
                    for job in httpx.get(f"{url}/_emulator/jobs", timeout=PATIENCE, verify=False).json()["jobs"]
                }
            )
            started.terminate()
            started.communicate(timeout=PATIENCE)
    assert (tmp_path / "data" / "emulator.db").exists()
    assert names[0] < names[1]
    assert "batches/demo" in names[0]
    assert [len(each) for each in names] == [2, 3]


def test_a_port_in_use_is_an_error(served_emulator: str, tmp_path: Path) -> None:
    port = int(served_emulator.rpartition(":")[2])
    said: list[str] = []
    with pytest.raises(OSError, match=rf"127\.0\.0\.1 port {port}: Address already in use$"):
        serve("127.0.0.1", port, tmp_path, None, said.append)
    assert said == []


def test_signal_handlers_are_restored(tmp_path: Path) -> None:
    def ours(*_: object) -> None: ...

    seed = tmp_path / "seed.yaml"
    seed.write_text("settings: {pending: 0s}", encoding="utf-8")
    before = signal.signal(signal.SIGTERM, ours)
    try:
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
        serve("127.0.0.1", 0, tmp_path, seed, lambda _line: timer.is_alive() or timer.start())
        timer.join()
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("::", "http://[::1]:")]
)
def test_the_url_is_usable_by_clients(tmp_path: Path, host: str, url: str) -> None:
    emulator = Emulator(tmp_path / "e.db")
    server = EmulatorServer(emulator, host, 0, lambda _line: None)
    assert re.fullmatch(re.escape(url) + r"\d+", server.url)
    server.close()
    emulator.close()


def ask_app(emulator: Emulator, messages: list[dict[str, Any]], sent: list[Any]) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/v1beta/batches", "query_string": b"", "headers": [], "scheme": "http",
        "server": ("x", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi_app(emulator, time.sleep)(scope, receive, send))  # type: ignore[arg-type]


def test_a_server_that_cannot_disconnect_truncates_the_reply(tmp_path: Path) -> None:
    with httpx.Client(transport=open_embedded(tmp_path / "e.db"), base_url="http://e") as control:
        control.put("/_emulator/faults", json=[{"kind": "cut"}])
    emulator, sent = Emulator(tmp_path / "e.db"), []
    ask_app(emulator, [{"type": "http.request", "body": b""}], sent)
    assert sent == [{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}]
    emulator.close()


def test_a_caller_that_disconnects_first_gets_no_reply(tmp_path: Path) -> None:
    emulator, sent = Emulator(tmp_path / "e.db"), []
    ask_app(emulator, [{"type": "http.disconnect"}], sent)
    assert sent == []
    assert emulator.store.rows("SELECT * FROM counters") == []
    emulator.close()


def test_a_connection_is_kept_for_longer_than_clients_keep_it(tmp_path):
    """A server that closes one at the moment at which a client uses it again resets the call."""
    emulator = Emulator(tmp_path / "e.db")
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: None)
    assert server._server.config.timeout_keep_alive > 2 * httpx.Limits().keepalive_expiry
    server.close()
    emulator.close()
