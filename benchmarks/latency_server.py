"""A stand-in for the Gemini API that answers every call after a fixed latency: the time that a client needs shows.

    python benchmarks/latency_server.py --latency 0.05 --job-seconds 2

It keeps jobs in memory, and does just what a create, a list, a get and a collection need. It answers by asyncio alone,
so that it takes less of the processor than any client. `GET /figures` gives the number of calls by method, and what the
client can know: in how many lists the job was that was in the fewest (`listed`), the number of jobs that were shown to
it as ended, when the last of them was (`time.monotonic`), and the number of calls up to then. `POST /seed` takes jobs
that exist already.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
_HEAD = re.compile(rb"(?i)content-length: *(\d+)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_PAGE = 1000
_NAME = 36
"""Letters of a job's name."""


class Service:
    """The jobs, in the order in which they were made, and the calls."""

    def __init__(self, job_seconds: float) -> None:
        self._job_seconds = job_seconds
        self._jobs: dict[str, tuple[float, str, str, bytes]] = {}
        """By name: when it was made, on two clocks, its display name, and the results as JSON."""
        self.calls: Counter[str] = Counter()
        self._listed: Counter[str] = Counter()
        """How many times lists have shown each job."""
        self._ended: set[str] = set()
        """The jobs that a reply has shown as ended."""
        self._last_end = 0.0
        self._calls_to_end = 0

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The body of the reply."""
        url = urlsplit(target)
        words = url.path.strip("/").split("/")
        if url.path == "/figures":
            return json.dumps(self._figures()).encode()
        if url.path == "/seed":
            return self._seed(json.loads(body))
        self.calls[method] += 1
        if method == "POST":
            return self._create(json.loads(body)["batch"])
        if words[-1] == "batches":
            return self._list(parse_qs(url.query))
        return self._shown(f"batches/{words[-1]}", whole=True)

    def _figures(self) -> dict[str, object]:
        ended = {"ended": len(self._ended), "lastEnd": self._last_end, "callsToEnd": self._calls_to_end}
        listed = min((self._listed[name] for name in self._jobs), default=0)
        return {"calls": self.calls, "jobs": len(self._jobs), "listed": listed, **ended}

    def _seed(self, jobs: list[tuple[str, str]]) -> bytes:
        """Take jobs that exist already, given by name and display name."""
        for name, display in jobs:
            self._jobs[name] = (time.monotonic(), _now(), display, b"[]")
        return b"{}"

    def _create(self, batch: dict[str, object]) -> bytes:
        number, name = len(self._jobs), ""
        while len(name) < _NAME:
            number, digit = divmod(number, len(_LETTERS))
            name += _LETTERS[digit]
        name = f"batches/{name}"
        requests = batch["inputConfig"]["requests"]["requests"]  # type: ignore[index]
        answer = {"candidates": [{"content": {"parts": [{"text": "ok"}], "role": "model"}, "finishReason": "STOP"}]}
        rows = [{"response": answer, "metadata": each.get("metadata", {})} for each in requests]
        display = str(batch.get("displayName") or batch.get("display_name"))
        self._jobs[name] = (time.monotonic(), _now(), display, json.dumps(rows).encode())
        return self._shown(name)

    def _shown(self, name: str, *, whole: bool = False) -> bytes:
        begun, made, display, rows = self._jobs[name]
        age = time.monotonic() - begun
        ended = age >= self._job_seconds
        state = "SUCCEEDED" if ended else "RUNNING" if age > self._job_seconds / 4 else "PENDING"
        stats = {"requestCount": "1", "successfulRequestCount" if ended else "pendingRequestCount": "1"}
        shown = {"@type": _TYPE, "model": "models/gemini-2.5-flash", "displayName": display, "createTime": made}
        shown |= {"updateTime": made, "batchStats": stats, "state": f"BATCH_STATE_{state}", "name": name}
        if ended:
            end = datetime.fromisoformat(made) + timedelta(seconds=self._job_seconds)
            shown["endTime"] = shown["updateTime"] = end.isoformat().replace("+00:00", "Z")
            if name not in self._ended:
                self._ended.add(name)
                self._last_end, self._calls_to_end = time.monotonic(), self.calls.total()
        text = json.dumps({"name": name, "metadata": shown, **({"done": True} if ended else {})})
        if not (ended and whole):
            return text.encode()
        inline = b'{"inlinedResponses":{"inlinedResponses":' + rows + b"}}"
        head = text.encode()
        cut = head.index(b'"updateTime"')
        return (
            head[:cut] + b'"output":' + inline + b"," + head[cut:-1]
            + b',"response":{"@type":"' + _TYPE.encode() + b'Output",' + inline[1:] + b"}"
        )  # fmt: skip

    def _list(self, query: dict[str, list[str]]) -> bytes:
        size, start = min(int(query["pageSize"][0]), _PAGE), int(query.get("pageToken", ["0"])[0])
        names = list(reversed(self._jobs))[start : start + size]
        self._listed.update(names)
        more = f'"nextPageToken":"{start + size}",' if start + size < len(self._jobs) else ""
        return b'{%s"operations":[%s]}' % (more.encode(), b",".join(map(self._shown, names)))


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Connection(asyncio.Protocol):
    """One connection. Calls on it are answered in turn, each after the latency."""

    def __init__(self, service: Service, latency: float) -> None:
        self._service = service
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer when a whole call has arrived."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _HEAD.search(self._received, 0, end)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self._received) < whole:
            return
        method, target, _ = self._received.split(b" ", 2)
        body, self._received = self._received[end + 4 : whole], self._received[whole:]
        reply = self._service.answer(method.decode(), target.decode(), body)
        asyncio.get_running_loop().call_later(self._latency, self._send, reply)

    def _send(self, reply: bytes) -> None:
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: {now}\r\ncontent-length: {len(reply)}\r\n\r\n"
        )
        if not self._transport.is_closing():
            self._transport.write(head.encode() + reply)


async def serve(port: int, latency: float, job_seconds: float) -> None:
    """Serve until the process ends. Prints the address first."""
    service = Service(job_seconds)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(service, latency), "127.0.0.1", port, backlog=512
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer (default: %(default)s)")
    parser.add_argument("--job-seconds", type=float, default=2.0, help="how long a job takes (default: %(default)s)")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.latency, asked.job_seconds))
