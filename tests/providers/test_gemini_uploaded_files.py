"""Uploads are identified by their name: the same content is sent once, and other programs' files are never used."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.ports.providers import Upload
from batchctl.providers.gemini.uploaded_files import file_name
from tests.support.scripted_api import BASE, NOW, MovedClock, provider, reply, rpc_error

CONTENT = b'{"key": "a", "request": {}}\n'
SHA = hashlib.sha256(CONTENT).hexdigest()
HEX, RAW = base64.b64encode(SHA.encode()).decode(), base64.b64encode(bytes.fromhex(SHA)).decode()


def time(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def resource(**changes: Any) -> dict[str, Any]:
    file = {"sizeBytes": str(len(CONTENT)), "sha256Hash": HEX, "expirationTime": time(48), "state": "ACTIVE"}
    return {**file, **changes}


class FilesApi:
    """The Files API with existing files, by the order in which their names are requested."""

    def __init__(self, *there: dict[str, Any] | httpx.Response | None, final: httpx.Response | None = None) -> None:
        self.there = list(there)
        self.final = final
        self.names: list[str] = []
        self.sent = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        command = request.headers.get("x-goog-upload-command")
        if command == "start":
            return self.start(json.loads(request.content)["file"]["name"])
        if command is None:
            assert request.url.path == f"/v1/{self.names[-1]}"
            found = self.there[len(self.names) - 1]
            return reply(found) if isinstance(found, dict) else rpc_error(403, "PERMISSION_DENIED")
        self.sent += len(request.content)
        if self.final is not None:
            return self.final
        file = resource(name=self.names[-1])
        return reply({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    def start(self, name: str) -> httpx.Response:
        self.names.append(name)
        found = self.there[len(self.names) - 1] if len(self.names) <= len(self.there) else None
        if isinstance(found, httpx.Response):
            return found
        if found is not None and self.final is None:
            return rpc_error(409, "ALREADY_EXISTS")
        url = f"{BASE}/upload/v1/files?upload_id=u1"
        return httpx.Response(200, headers={"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"})


def put(api: FilesApi, clock: MovedClock | None = None, **changes: Any) -> str:
    upload = Upload([CONTENT], len(CONTENT), SHA, "in.jsonl")
    name, expires = provider(api, clock, **changes).upload_file(upload)
    assert expires is not None
    return name


GONE = resource(sha256Hash="")
CASES = [
    pytest.param([], 0, True, id="nothing is there: sent"),
    pytest.param([resource()], 0, False, id="ours with life enough: used again"),
    pytest.param([resource(sha256Hash=RAW)], 0, False, id="the hash in the usual spelling"),
    pytest.param([resource(expirationTime=time(36))], 0, False, id="just enough life"),
    pytest.param([resource(expirationTime=time(35.99))], 1, True, id="too little life: the next name"),
    pytest.param([resource(expirationTime=None)], 1, True, id="nobody knows how long it lives"),
    pytest.param([resource(sha256Hash="eHg=")], 1, True, id="another content"),
    pytest.param([resource(sizeBytes="3")], 1, True, id="another size"),
    pytest.param([resource(state="FAILED")], 1, True, id="it was not accepted"),
    pytest.param([rpc_error(403, "PERMISSION_DENIED")], 1, True, id="somebody else's: 403 at the start"),
    pytest.param([rpc_error(409, "ALREADY_EXISTS")], 1, True, id="taken, and not shown to us"),
    pytest.param([GONE, GONE, resource()], 2, False, id="the third name is ours"),
]


@pytest.mark.parametrize(("there", "number", "is_sent"), CASES)
def test_existing_files_of_the_same_name(there, number, is_sent):
    api = FilesApi(*there)
    span = int(NOW.timestamp() // (12 * 3600))
    assert put(api) == file_name("abc123", SHA, span, number)
    assert api.sent == (len(CONTENT) if is_sent else 0)


def test_all_names_are_taken():
    api = FilesApi(*[GONE] * 9)
    with pytest.raises(errors.BadReply, match="5 names are taken"):
        put(api)
    assert (len(set(api.names)), api.sent) == (5, 0)


def test_a_key_without_permission_to_upload_is_named():
    with pytest.raises(errors.PermissionDenied):
        put(FilesApi(*[rpc_error(403, "PERMISSION_DENIED")] * 9))


def test_a_clash_of_another_kind_surfaces():
    with pytest.raises(errors.Conflict):
        put(FilesApi(*[rpc_error(408, "DEADLINE_EXCEEDED")] * 9))


def test_another_process_was_quicker():
    api = FilesApi(resource(), final=rpc_error(409, "ALREADY_EXISTS"))
    assert put(api) == api.names[0]
    api = FilesApi(GONE, final=rpc_error(409, "ALREADY_EXISTS"))
    with pytest.raises(errors.Conflict):
        put(api)


def test_a_name_is_one_content_of_one_stack_in_one_span_of_time():
    def name(hours: float = 0.0, **changes: Any) -> str:
        return put(FilesApi(), MovedClock(NOW + timedelta(hours=hours)), **changes)

    within = timedelta(hours=12).total_seconds() - NOW.timestamp() % timedelta(hours=12).total_seconds()
    assert name(within / 3600 - 0.01) == name()
    others = {name(), name(12), name(uid="xyz987"), name(12, file_min_life=timedelta(hours=47)), name(24)}
    assert len(others) == 5
    assert all(len(one) <= len("files/") + 40 for one in others)
