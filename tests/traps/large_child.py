"""One job with a very large inline output, from create to results, in a process whose memory is bounded.

Called as `large_child.py FOLDER ITEMS ITEM_BYTES LIMIT`; prints what became of it. The reply is made while it is read.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.support.engine import World, inline, job

NAME = "batches/" + "a1" * 18
CREATED, ENDED = "2026-11-22T12:00:00.000000001Z", "2026-11-22T12:00:01.407650525Z"


class Rows(httpx.SyncByteStream):
    """The answer to a get: all items, twice over, each with an image in it."""

    def __init__(self, items: int, item_bytes: int) -> None:
        self._items = items
        self._image = "A" * item_bytes

    def __iter__(self) -> Iterator[bytes]:
        times = f'"state":"BATCH_STATE_SUCCEEDED","endTime":"{ENDED}"'
        yield f'{{"name":"{NAME}","done":true,"metadata":{{{times},"output":'.encode()
        yield from self._output()
        yield b'},"response":'
        yield from self._output()
        yield b"}"

    def _output(self) -> Iterator[bytes]:
        yield b'{"inlinedResponses":{"inlinedResponses":['
        for number in range(self._items):
            parts = {"parts": [{"inlineData": {"mimeType": "image/png", "data": self._image}}]}
            item = {"response": {"candidates": [{"content": parts}]}, "metadata": {"key": f"k{number}"}}
            yield (b"," if number else b"") + json.dumps(item).encode()
        yield b"]}}"


class Api(httpx.BaseTransport):
    """As much of the API as this one job meets."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._batch: dict[str, object] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            name = json.loads(request.read())["batch"]["displayName"]
            self._batch = {"displayName": name, "createTime": CREATED, "state": "BATCH_STATE_SUCCEEDED"}
        if "output" in request.url.params.get("fields", ""):
            return httpx.Response(200, stream=self._rows)
        operation = {"name": NAME, "done": True, "metadata": {**self._batch, "endTime": ENDED}}
        is_list = request.url.path.endswith("/batches")
        return httpx.Response(200, json={"operations": [operation] if self._batch else []} if is_list else operation)


def _peak() -> int:
    """The most memory that this program had in use, in bytes; unlike ru_maxrss, without its parent's."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def main() -> None:
    folder, items, item_bytes, limit = Path(sys.argv[1]), *map(int, sys.argv[2:])
    threading.stack_size(512 * 1024)
    world = World(folder / "world")
    world.here.wire = Api(Rows(items, item_bytes))
    # From here on: what stands in memory now is Python and the libraries.
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    report = world.watch(job("huge", inline(*(f"k{number}" for number in range(items)))))
    attempt = world.attempt("huge")
    path = world.results / "huge" / "current" / "results.jsonl"
    told = {
        "phase": str(report.last.jobs[0].phase),
        "ok": attempt.rows.ok,
        "bytes": path.stat().st_size,
        "peak": _peak(),
    }
    world.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
