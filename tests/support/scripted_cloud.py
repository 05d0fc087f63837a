"""What the tests of Cloud Storage and BigQuery share: a small bucket that answers as the reference says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

import httpx

from batchctl.model.ports.providers import Upload
from batchctl.providers.cloud.bigquery import BigQuery
from batchctl.providers.cloud.storage import Storage
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.retry import Retry
from tests.support.scripted_api import KEY, MovedClock, reply, rpc_error

GCS = "https://storage.googleapis.com"
BQ = "https://bigquery.googleapis.com"

Answering = Callable[[httpx.Request], httpx.Response]


def endpoint(answering: Answering, clock: MovedClock, base: str) -> Endpoint:
    return Endpoint(base, ApiKey(KEY), ServerClock(clock), httpx.MockTransport(answering))


def storage(
    answering: Answering, clock: MovedClock | None = None, base: str = GCS, patience: Retry | None = None
) -> Storage:
    moved = clock or MovedClock()
    return Storage(endpoint(answering, moved, base), patience or Retry(moved, lambda: 0.5))


def bigquery(answering: Answering, clock: MovedClock | None = None, patience: Retry | None = None) -> BigQuery:
    moved = clock or MovedClock()
    return BigQuery(endpoint(answering, moved, BQ), patience or Retry(moved, lambda: 0.5))


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def upload_of(content: bytes, *, size: int | None = None, sha256: str | None = None, step: int = 7) -> Upload:
    pieces: Iterable[bytes] = (content[at : at + step] for at in range(0, len(content), step))
    found = sha256 or hashlib.sha256(content).hexdigest()
    return Upload(pieces, len(content) if size is None else size, found, "rows")


def precondition_failed() -> httpx.Response:
    return rpc_error(412, "", "At least one of the pre-conditions you specified did not hold.")


class Bucket:
    """Objects by name, with the resumable protocol. `faults` come up in order, one a byte-carrying PUT."""

    def __init__(self, name: str = "b", **objects: bytes) -> None:
        self.name = name
        self.objects: dict[str, bytes] = dict(objects)
        self.generations: dict[str, int] = dict.fromkeys(objects, 1)
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[Bucket, httpx.Request], httpx.Response | None] | None] = []
        self.session = f"{GCS}/upload/storage/v1/b/{name}/o?uploadType=resumable&upload_id=u1"
        self.target = ""
        self.taken = b""
        self.final: httpx.Response | None = None
        self.page = 2

    def put(self, name: str, data: bytes) -> None:
        self.objects[name] = data
        self.generations[name] = self.generations.get(name, 0) + 1

    def resource(self, name: str) -> dict[str, Any]:
        data = self.objects[name]
        generation = str(self.generations[name])
        return {"name": name, "size": str(len(data)), "generation": generation, "md5Hash": md5(data)}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.raw_path.decode().partition("?")[0]
        params = dict(request.url.params)
        if request.method == "PUT":
            return self._put(request)
        if path == f"/upload/storage/v1/b/{self.name}/o":
            return self._start(params)
        if path == f"/storage/v1/b/{self.name}/o":
            return self._list(params)
        found = re.fullmatch(f"/storage/v1/b/{self.name}/o/([^/]+)", path)
        if found is None:
            return rpc_error(404, "", "The specified bucket does not exist.")
        if request.method == "DELETE":
            name = unquote(found[1])
            gone = self.objects.pop(name, None) is None
            return rpc_error(404, "", f"No such object: {self.name}/{name}") if gone else httpx.Response(204)
        return self._get(unquote(found[1]), params, request)

    def _list(self, params: dict[str, str]) -> httpx.Response:
        names = sorted(name for name in self.objects if name.startswith(params["prefix"]))
        start = int(params.get("pageToken", "0"))
        page: dict[str, Any] = {"items": [self.resource(name) for name in names[start : start + self.page]]}
        if start + self.page < len(names):
            page["nextPageToken"] = str(start + self.page)
        return reply({} if not page["items"] else page)

    def _get(self, name: str, params: dict[str, str], request: httpx.Request) -> httpx.Response:
        media = params.get("alt") == "media"
        if name not in self.objects:
            text = f"No such object: {self.name}/{name}"
            return httpx.Response(404, text=text) if media else rpc_error(404, "", text)
        if not media:
            return reply(self.resource(name))
        if params["ifGenerationMatch"] != str(self.generations[name]):
            return precondition_failed()
        data = self.objects[name]
        if "range" not in request.headers:
            return httpx.Response(200, content=data)
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        headers = {"content-range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return httpx.Response(206, content=data[start:], headers=headers)

    def _start(self, params: dict[str, str]) -> httpx.Response:
        assert params["uploadType"] == "resumable"
        assert params["ifGenerationMatch"] == "0"
        self.target = params["name"]
        if self.target in self.objects:
            return precondition_failed()
        return httpx.Response(200, headers={"location": self.session})

    def _put(self, request: httpx.Request) -> httpx.Response:
        if request.headers["content-range"].startswith("bytes */") and self.final is None and self.taken is not None:
            total = int(request.headers["content-range"].partition("/")[2])
            return self.take(request) if len(self.taken) == total else self.standing()
        fault = self.faults.pop(0) if self.faults else None
        answer = fault(self, request) if fault else None
        return answer or self.take(request)

    def take(self, request: httpx.Request, part: int | None = None) -> httpx.Response:
        if self.final is not None:
            return self.final
        span, _, total = request.headers["content-range"].removeprefix("bytes ").partition("/")
        if span != "*":
            start, end = map(int, span.split("-"))
            assert start == len(self.taken)
            assert end - start + 1 == len(request.content)
        self.taken += request.content[:part]
        if len(self.taken) < int(total):
            return self.standing()
        if self.target in self.objects:
            return precondition_failed()
        self.put(self.target, self.taken)
        self.final = reply(self.resource(self.target))
        return self.final

    def standing(self) -> httpx.Response:
        headers = {"range": f"bytes=0-{len(self.taken) - 1}"} if self.taken else {}
        return httpx.Response(308, headers=headers)


def lines(*values: Any) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()
