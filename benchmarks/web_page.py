"""Measures the web page of a stack with many jobs: the size and the time of what a browser asks for first.

    python benchmarks/web_page.py [--jobs N] [--rounds N] [--json FILE]

`batchctl ui` serves the page. Each answer is compared with one of the same size from a bare application of Starlette,
in turn, over a connection that is kept open. What follows a change of the state is measured in this process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent))
from many_jobs import write_manifests, write_state
from timing import ENV, ROOT, machine

FIRST = (
    "/",
    "/api/summary",
    "/api/jobs?limit=100",
    "/api/graph",
    "/api/timeline?limit=100",
    "/api/plan",
    "/api/events",
)
"""What a browser asks for when it opens the page, besides its files, and then the other views."""
_BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
def answer(request):
    return Response(b"x" * int(request.path_params["size"]), media_type="application/json")
uvicorn.run(Starlette(routes=[Route("/{size}", answer)]), port=int(sys.argv[1]), log_level="error", http="h11")
"""
T = TypeVar("T")
_PATIENCE = 300
_MS = 1000


@contextmanager
def serving(command: Sequence[str], port: int, path: str) -> Iterator[http.client.HTTPConnection]:
    """A server, and a connection to it once it answers."""
    process = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
            try:
                if ask(connection, path)[0]:
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} does not answer")
            time.sleep(0.1)
        yield connection
    finally:
        process.terminate()
        process.wait()


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, float]:
    """The bytes of an answer, or 0 if it is an error, and the seconds until it was complete."""
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    return len(content) if answer.status == http.client.OK else 0, time.perf_counter() - begun


def first_message(port: int) -> tuple[int, float]:
    """The bytes of the first message of the stream, and the seconds until it was complete."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    size = 0
    while not (line := answer.readline()).startswith(b"data:"):
        size += len(line)
    connection.close()
    return size + len(line), time.perf_counter() - begun


def change(stack: Path, rounds: int) -> Mapping[str, list[float]]:
    """The processor seconds of what follows a change of the state: the plan, the jobs as the page lists them."""
    os.chdir(stack)
    from batchctl.cli.common import Common
    from batchctl.cli.web import as_recorded
    from batchctl.cli.workspace import open_workspace
    from batchctl.reconcile import Options
    from batchctl.server.view import View

    workspace = open_workspace(Common(), offline=True)
    view = View(as_recorded(workspace, Options()), "bench", 1, None)
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(2, 2 + rounds):
        snapshot = timed(found, "plan of the record", partial(as_recorded, workspace, Options()))
        view = timed(found, "jobs of the page", partial(View, snapshot, "bench", number, view))
        timed(found, "jobs that changed", partial(view.since, number - 1))
    return found


def timed(found: Mapping[str, list[float]], name: str, work: Callable[[], T]) -> T:
    """What some work gives; its processor time is noted."""
    begun = time.process_time()
    made = work()
    found[name].append(time.process_time() - begun)
    return made


def main() -> int:
    """Ask both servers in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs of the stack (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=21, help="times that each is asked (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8431, help="the first of two ports (default: %(default)s; 0: any)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    ports = (asked.port, asked.port + 1) if asked.port else (free_port(), free_port())
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    print(f"{asked.jobs:,} jobs, {asked.rounds} rounds", flush=True)
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-") as name:
        stack = Path(name).resolve() / "stack"
        write_manifests(stack, asked.jobs)
        write_state(stack)
        found = addresses(stack, asked.rounds, ports)
        work = change(stack, max(1, asked.rounds // 7))
        os.chdir(ROOT)
    show(found, work)
    if asked.json is not None:
        figures = {"machine": machine(), "jobs": asked.jobs, "addresses": found, "afterChange": work}
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def addresses(stack: Path, rounds: int, ports: tuple[int, int]) -> dict[str, dict[str, object]]:
    """For each address the bytes of its answer, and the seconds of both servers."""
    port, other_port = ports
    program = "from batchctl.cli import main; main()"
    ours = [sys.executable, "-c", program, "-C", str(stack), "ui", "--serve", f"127.0.0.1:{port}"]
    bare = [sys.executable, "-c", _BARE, str(other_port)]
    found: dict[str, dict[str, object]] = {}
    with serving(ours, port, "/api/summary") as page, serving(bare, other_port, "/1") as other:
        for path in FIRST:
            size = ask(page, path)[0]
            pairs = [(ask(page, path)[1], ask(other, f"/{size}")[1]) for _ in range(rounds)]
            found[path] = {"bytes": size, "ours": [one for one, _ in pairs], "bare": [one for _, one in pairs]}
        messages = [first_message(port) for _ in range(rounds)]
        found["/events, first message"] = {"bytes": messages[0][0], "ours": [one for _, one in messages], "bare": []}
    return found


def show(found: Mapping[str, Mapping[str, object]], work: Mapping[str, Sequence[float]]) -> None:
    """Print both tables. The ratio says how many times as long as a bare answer of the same size one takes."""
    print(f"\n{'':26} {'kB':>8} {'ms':>8} {'bare ms':>8} {'ratio':>6}")
    for path, one in found.items():
        ours, bare = (one[name] for name in ("ours", "bare"))
        middle = statistics.median(ours) * _MS
        beside = f"{statistics.median(bare) * _MS:8.2f} {middle / statistics.median(bare) / _MS:6.1f}" if bare else ""
        print(f"{path:26} {one['bytes'] / _MS:8.1f} {middle:8.2f} {beside}")
    print(f"\n{'after a change':26} {'CPU s':>8}")
    for name, times in work.items():
        print(f"{name:26} {statistics.median(times):8.3f}")


if __name__ == "__main__":
    sys.exit(main())
