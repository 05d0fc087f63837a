"""What the tests of the SDK share: the SDK in its two forms behind one face, and the emulator that it talks to."""

from __future__ import annotations

import asyncio
import inspect
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from google import genai
from google.auth.credentials import AnonymousCredentials

from batchctl.emulator.core import Emulator
from batchctl.emulator.seed import load_seed

MODEL = "gemini-2.5-flash"
EMBED_MODEL = "gemini-embedding-001"
AT_ONCE = {"pending": "0s", "running": "0s"}
"""The rule under which a job has ended when it is looked at for the first time."""
FOR_LONG = {"pending": "0s", "running": "24h"}


def new_client(url: str, *, key: str = "key", **options: Any) -> genai.Client:
    """A client of the SDK that talks to the emulator; `options` go into its HttpOptions."""
    return genai.Client(vertexai=False, api_key=key, http_options={"base_url": url, **options})


def asked(text: str, key: str | None = None, **config: Any) -> dict[str, Any]:
    """An inline request."""
    request: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if key is not None:
        request["metadata"] = {"key": key}
    return {**request, "config": config} if config else request


class NoToken(AnonymousCredentials):
    """Credentials of nobody, which say nothing of their own when they are refused."""

    def refresh(self, request: Any) -> None:
        """Do nothing."""


class Sdk:
    """One client. Calls of its asynchronous form are awaited on the spot, so that both forms run the same tests."""

    def __init__(self, client: genai.Client, runner: asyncio.Runner | None) -> None:
        self._runner = runner
        side = client if runner is None else client.aio
        self.batches = _Awaited(side.batches, self.run)
        self.files = _Awaited(side.files, self.run)
        self.models = _Awaited(side.models, self.run)

    def run(self, reply: Any) -> Any:
        """What the call gives in the end."""
        if inspect.isawaitable(reply):
            assert self._runner is not None
            return self._runner.run(_value(reply))
        return reply

    def all(self, pager: Any) -> list[Any]:
        """Everything that a pager goes through."""
        return list(pager) if self._runner is None else self._runner.run(_drained(pager))

    def next_page(self, pager: Any) -> list[Any]:
        page: list[Any] = self.run(pager.next_page())
        return page


class _Awaited:
    """A room of the client, such as `batches`, with its calls awaited."""

    def __init__(self, room: Any, run: Callable[[Any], Any]) -> None:
        self._room = room
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._room, name)
        return lambda **arguments: self._run(call(**arguments))


async def _value(reply: Any) -> Any:
    return await reply


async def _drained(pager: Any) -> list[Any]:
    return [item async for item in pager]


@dataclass(frozen=True)
class Service:
    """The served emulator: its address, its control calls, and the replies as they go over the wire."""

    url: str
    emulator: Emulator
    http: httpx.Client

    def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.http.request(method, path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def reset(self) -> None:
        self.call("POST", "/_emulator/reset")
        self.rules(AT_ONCE)

    def rules(self, *rules: dict[str, Any]) -> None:
        self.call("PUT", "/_emulator/rules", list(rules))

    def faults(self, *faults: dict[str, Any]) -> None:
        self.call("PUT", "/_emulator/faults", list(faults))

    def seed(self, **seed: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "seed.yaml"
            path.write_text(yaml.safe_dump(seed))
            load_seed(self.emulator, path)

    def calls(self, method: str) -> int:
        """How often a method was called."""
        count: int = self.call("GET", "/_emulator/requests")["byMethod"].get(method, 0)
        return count

    def jobs(self) -> list[Any]:
        """Every job ever made, deleted ones too."""
        found: list[Any] = self.call("GET", "/_emulator/jobs")["jobs"]
        return found

    def raw(self, name: str) -> Any:
        """A resource as it goes over the wire."""
        return self.call("GET", f"/v1beta/{name}")


def lines(content: bytes) -> Iterator[bytes]:
    """The lines of a result file."""
    return iter(content.splitlines())
