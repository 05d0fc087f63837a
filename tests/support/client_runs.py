"""Runs a client's program against `batchctl emulator serve`, as its user would: only with the printed environment."""

from __future__ import annotations

import json
import os
import re
import shlex
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.client_installs import Installed
from tests.support.client_registry import HERE, Client, Outcomes
from tests.support.patience import PATIENCE

SEED = HERE / "seed.yaml"
RULES = [
    {"match": {"model": "gemini-2.5-pro"}, "fate": "stuck"},
    {"pending": "0s", "running": "0s"},
]
"""Jobs of gemini-2.5-pro wait, so that a cancel has a target; other jobs have ended when they are first read."""
_KEPT = ("PATH", "LANG", "TMPDIR")
_TIMEOUT = 240
_EXPORT = re.compile(r"export (\w+)=(.*)")


@dataclass(frozen=True)
class Service:
    """A served emulator, and the environment that it printed."""

    url: str
    environment: dict[str, str]

    def empty(self) -> None:
        """Only the seed and the rules."""
        with httpx.Client(base_url=f"{self.url}/_emulator", timeout=PATIENCE, verify=False) as http:
            http.post("/reset").raise_for_status()
            http.put("/seed", content=SEED.read_bytes()).raise_for_status()
            http.put("/rules", json=RULES).raise_for_status()


@dataclass
class Run:
    """The result of a program."""

    outcomes: Outcomes = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    """Other hosts that the program tried to contact, in order; the proxy blocked all of them."""


@contextmanager
def served() -> Iterator[Service]:
    """`batchctl emulator serve`, as a process of its own on a free port."""
    command = [str(Path(sys.executable).parent / "batchctl"), "emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            environment = {}
            for line in process.stdout:
                if found := _EXPORT.fullmatch(line.strip()):
                    environment[found[1]] = shlex.split(found[2])[0]
                if "BATCHCTL_EMULATOR" in environment:
                    break  # the last one
            yield Service(environment["BATCHCTL_EMULATOR"], environment)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def run(client: Client, installed: Installed, service: Service, folder: Path) -> Run:
    """Run the client's program in an empty folder over a new store. Raises AssertionError if it crashes."""
    service.empty()
    with _fence() as (proxy, hosts):
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(folder),
            "HTTPS_PROXY": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            **service.environment,
            **client.environment,
        }
        done = subprocess.run(
            [*installed.command, *client.arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    assert done.returncode == 0, f"{client.name} ended with {done.returncode}: {done.stderr[-3000:]}"
    outcomes: Outcomes = {}
    for line in done.stdout.splitlines():
        said = json.loads(line)
        outcomes.setdefault(said["api"], {})[said["operation"]] = said["outcome"].replace(
            service.url, "$BATCHCTL_EMULATOR"
        )
    return Run(outcomes, list(dict.fromkeys(hosts)))


@contextmanager
def _fence() -> Iterator[tuple[str, list[str]]]:
    """A proxy that blocks everything: its URL, and the hosts that were requested."""
    hosts: list[str] = []

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words = self.rfile.readline().decode("latin-1").split()
            hosts.append(words[1].removesuffix(":443") if len(words) > 1 else "?")
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", hosts
        finally:
            server.shutdown()
