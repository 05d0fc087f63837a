"""What the tests of this room share: a clock that tests move, and an API played from a script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.kinds import Kind
from batchctl.model.ports.providers import CreateRequest, Upload
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.providers.gemini.provider import open_gemini
from tests.support.open_providers import open_flat

KEY = "AIzaCanary-0123456789abcdefghijklmnopqr"
BASE = "https://generativelanguage.googleapis.com"
ACCOUNT = Account(Api.GEMINI, BASE)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
JOB = "batches/" + "a1" * 18
MARK = Mark("demo", "u1d2e3", AttemptKey("translate-fr", 2, 0), "d1:0123456789ab", "tok3n5abcd")


class MovedClock:
    """Stands still but for sleeps, which take no time and are remembered."""

    def __init__(self, time: datetime = NOW) -> None:
        self.time = time
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += timedelta(seconds=seconds)


Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Script:
    """Answers in order, the last one for ever; keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return answer(request)


def provider(script: Callable[[httpx.Request], httpx.Response], clock: MovedClock | None = None, **changes: Any):
    """A Gemini provider over a script."""
    settings: dict[str, Any] = {
        "api_key": KEY,
        "base_url": BASE,
        "uid": "abc123",
        "file_min_life": timedelta(hours=36),
        "create_timeout": timedelta(seconds=60),
        "display_name": 128,
        "clock": clock or MovedClock(),
        "random": lambda: 0.5,
        "transport": httpx.MockTransport(script),
    }
    return open_flat(open_gemini, ACCOUNT, **{**settings, **changes})


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(value).encode(), headers=headers)


def rpc_error(
    http: int, status: str = "", message: str = "m", *details: dict[str, Any], **headers: str
) -> httpx.Response:
    error: dict[str, Any] = {"code": http, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    return httpx.Response(
        http, json={"error": error}, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def error_info(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def operation(state: str = "BATCH_STATE_PENDING", name: str = JOB, **members: Any) -> dict[str, Any]:
    """An Operation as the API shows it; `metadata` members are merged in, other members stand on top."""
    metadata = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": "models/gemini-2.5-flash",
        "displayName": f"Translate {MARK}",
        "createTime": "2025-12-10T18:27:01.407650525Z",
        "updateTime": "2025-12-10T18:27:01.407650525Z",
        "batchStats": {"requestCount": "3", "pendingRequestCount": "3"},
        "state": state,
        "name": name,
        **members.pop("metadata", {}),
    }
    return {"name": name, "metadata": metadata, **members}


def create_request(**changes: Any) -> CreateRequest:
    settings: dict[str, Any] = {
        "mark": MARK,
        "kind": Kind.BATCH_JOB,
        "model": "gemini-2.5-flash",
        "display_name": "Translate",
        "source": inline(
            RequestRow("k1", {"contents": [{"parts": [{"text": "hé"}]}]}), RequestRow("k2", {"contents": []})
        ),
    }
    return CreateRequest(**{**settings, **changes})


def inline(*rows: RequestRow) -> InlineRows:
    return InlineRows(rows)


def upload_of(content: Iterable[bytes], size: int, display_name: str = "in.jsonl") -> Upload:
    """An upload; its hash is that of the size, for whoever needs one."""
    return Upload(content, size, hashlib.sha256(str(size).encode()).hexdigest(), display_name)
