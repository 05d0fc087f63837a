"""Helpers for tests of Cloud Storage and BigQuery: a caller with a token, and short forms of the calls."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.embedded_emulator import World

BUCKET = "demo"
OBJECTS = f"/storage/v1/b/{BUCKET}/o"
UPLOAD = f"/upload{OBJECTS}"
UNIT = 256 * 1024
PROJECT = "/bigquery/v2/projects/p"
JOBS = f"{PROJECT}/jobs"
TABLES = f"{PROJECT}/datasets/d/tables"


class Plane(World):
    """A world whose caller has a token."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.http.headers["authorization"] = "Bearer token"

    def put(self, name: str, content: bytes, **params: Any) -> dict[str, Any]:
        query = {"uploadType": "media", "name": name, **params}
        return self.ok("POST", UPLOAD, params=query, content=content, headers={"content-type": "text/plain"})

    def read(self, name: str, **headers: str) -> httpx.Response:
        return self.http.get(object_path(name), params={"alt": "media"}, headers=headers)

    def names(self, **params: Any) -> list[str]:
        return [item["name"] for item in self.ok("GET", OBJECTS, params=params).get("items", [])]

    def session(self, path: str = UPLOAD, body: Any = None, **more: Any) -> str:
        """The address of a new session."""
        params = {"uploadType": "resumable", **more.pop("params", {})}
        reply = self.http.post(path, params=params, json=body, **more)
        assert (reply.status_code, reply.content) == (200, b""), reply.text
        return reply.headers["location"]

    def piece(self, url: str, content: bytes, place: str, **headers: str) -> httpx.Response:
        return self.http.put(url, content=content, headers={"content-range": place, **headers})

    def table(self, name: str, *columns: dict[str, Any]) -> dict[str, Any]:
        reference = {"projectId": "p", "datasetId": "d", "tableId": name}
        return self.ok("POST", TABLES, json={"tableReference": reference, "schema": {"fields": list(columns)}})

    def insert(self, name: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = {"rows": [{"json": row} for row in rows], **more}
        return self.ok("POST", f"{TABLES}/{name}/insertAll", json=body)

    def data(self, name: str, **params: Any) -> list[list[Any]]:
        """The values of a table's first page."""
        page = self.ok("GET", f"{TABLES}/{name}/data", params=params)
        return [[cell["v"] for cell in row["f"]] for row in page.get("rows", [])]


def object_path(name: str) -> str:
    return f"{OBJECTS}/{quote(name, safe='')}"


def related(
    resource: Any, content: bytes, content_type: str = "text/plain", newline: bytes = b"\r\n"
) -> dict[str, Any]:
    """A request body of two parts, with its header."""
    parts = [
        b"--mark",
        b"content-type: application/json",
        b"",
        json.dumps(resource).encode(),
        b"--mark",
        f"Content-Type: {content_type}".encode(),
        b"",
        content,
        b"--mark--",
    ]
    return {
        "content": newline.join(parts),
        "headers": {"content-type": 'multipart/related; boundary="mark"'},
        "params": {"uploadType": "multipart"},
    }


def column(name: str, kind: str, mode: str = "NULLABLE", *fields: dict[str, Any]) -> dict[str, Any]:
    resource = {"name": name, "type": kind, "mode": mode}
    return {**resource, "fields": list(fields)} if fields else resource
