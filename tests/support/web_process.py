"""`batchctl watch --serve` and `batchctl ui` as processes, with clients of their pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.command_line import PROGRAM
from tests.support.patience import PATIENCE


class WebProcess:
    """A process that serves a page, on a free port unless `--serve` is among the arguments."""

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        words = arguments if "--serve" in arguments else (*arguments, "--serve", "127.0.0.1:0")
        self._child = subprocess.Popen(
            [*PROGRAM, *words],
            cwd=folder,
            env={**os.environ, "PWD": str(folder or Path.cwd())},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.err: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.address = self.wait(lambda: next((line for line in self.err if "web page: " in line), None))
        self.address = self.address.strip().partition("web page: ")[2]
        base = self.address.partition("?")[0]
        self.client = httpx.Client(base_url=base, follow_redirects=True, timeout=PATIENCE, verify=False)
        assert self.client.get(self.address).status_code == 200

    def wait(self, look: Callable[[], Any]) -> Any:
        """What a look gives, as soon as it gives anything."""
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            assert time.monotonic() < deadline, self.err
            assert self._child.poll() is None, self.err
            time.sleep(0.02)
        return found

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def phases(self) -> dict[str, str]:
        return {item["job"]: item["phase"] for item in self.get("/api/jobs")["items"]}

    def follow(self) -> tuple[list[tuple[str, Any]], threading.Thread]:
        """Collect the messages of the event stream until its end, on a thread."""
        messages: list[tuple[str, Any]] = []

        def read() -> None:
            with self.client.stream("GET", "/events", timeout=PATIENCE) as answer:
                event = ""
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    event = value if name == "event" else event
                    if name == "data":
                        messages.append((event, json.loads(value)))

        thread = threading.Thread(target=read)
        thread.start()
        return messages, thread

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; gives the exit code."""
        self._child.send_signal(number)
        return self.join()

    def join(self) -> int:
        """Wait for the end; gives the exit code."""
        code = self._child.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert "Traceback" not in "".join(self.err)
        return code

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()
        self.client.close()

    def _read(self) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self.err.append(line)
