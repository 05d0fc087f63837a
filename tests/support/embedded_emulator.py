"""An emulator in this process whose clock is moved only by tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from batchctl.emulator.clock import SECOND, parse_duration, parse_timestamp
from batchctl.emulator.core import Emulator
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.settings import Settings
from tests.support.discovery_traffic import hold_to_documents

START = "2026-03-01T12:00:00Z"
MODEL = "models/gemini-2.5-flash"
EMBED_MODEL = "models/gemini-embedding-001"


@dataclass
class World:
    """One emulator, a client of it, and its real time."""

    path: Path
    settings: Settings | None = None
    moment: int = parse_timestamp(START)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.emulator = Emulator(self.path, settings=self.settings, real_time=lambda: self.moment)
        transport = EmbeddedTransport(self.emulator, self.slept.append)
        self.http = httpx.Client(
            transport=transport,
            base_url="http://emulator:1",
            headers={"x-goog-api-key": "k"},
            timeout=5,
            event_hooks={"response": [hold_to_documents]},
        )

    def pass_time(self, duration: str) -> None:
        self.moment += parse_duration(duration)

    def pass_millis(self, millis: int) -> None:
        self.moment += millis * SECOND // 1000

    def create(self, *texts: str, name: str | None = None, model: str = MODEL, **batch: Any) -> dict[str, Any]:
        """A generate job over inline rows, whose keys are k0, k1, …"""
        items = [
            {"request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}, "metadata": {"key": f"k{index}"}}
            for index, text in enumerate(texts or ("hello",))
        ]
        named = {} if name is None else {"displayName": name}
        return self.post_batch(model, {**named, "inputConfig": {"requests": {"requests": items}}, **batch})

    def create_embed(self, *requests: dict[str, Any], model: str = EMBED_MODEL) -> dict[str, Any]:
        items = [{"request": request} for request in requests]
        return self.post_batch(model, {"inputConfig": {"requests": {"requests": items}}}, "asyncBatchEmbedContent")

    def create_from_file(self, file: str, model: str = MODEL, method: str = "batchGenerateContent") -> dict[str, Any]:
        return self.post_batch(model, {"inputConfig": {"fileName": file}}, method)

    def post_batch(self, model: str, batch: Any, method: str = "batchGenerateContent") -> dict[str, Any]:
        return self.ok("POST", f"/v1beta/{model}:{method}", json={"batch": batch})

    def ok(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        reply = self.http.request(method, path, **more)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def refused(self, status: int, method: str, path: str, **more: Any) -> dict[str, Any]:
        reply = self.http.request(method, path, **more)
        assert reply.status_code == status, reply.text
        error = reply.json()["error"]
        assert error["code"] == status
        return error

    def get(self, job: dict[str, Any], **params: str) -> dict[str, Any]:
        return self.ok("GET", f"/v1beta/{job['name']}", params=params)

    def state(self, job: dict[str, Any]) -> str:
        return self.get(job)["metadata"]["state"].removeprefix("BATCH_STATE_")

    def finish(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job after its running time."""
        self.pass_time("3s")
        return self.get(job)

    def inline_results(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        return self.get(job)["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]

    def rules(self, *rules: dict[str, Any]) -> None:
        self.ok("PUT", "/_emulator/rules", json=list(rules))

    def faults(self, *faults: dict[str, Any]) -> None:
        self.ok("PUT", "/_emulator/faults", json=list(faults))

    def start_upload(self, size: int | None = None, **file: Any) -> str:
        headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        if size is not None:
            headers["x-goog-upload-header-content-length"] = str(size)
        reply = self.http.post("/upload/v1beta/files", json={"file": {"mime_type": "jsonl", **file}}, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.headers["x-goog-upload-url"]

    def send(self, url: str, content: bytes, offset: int = 0, command: str = "upload, finalize") -> httpx.Response:
        headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset), "x-goog-api-key": ""}
        return self.http.post(url, content=content, headers=headers)

    def upload(self, content: bytes, **file: Any) -> dict[str, Any]:
        reply = self.send(self.start_upload(len(content), **file), content)
        assert reply.status_code == 200, reply.text
        return reply.json()["file"]
