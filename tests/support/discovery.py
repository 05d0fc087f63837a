"""Holds calls and their replies against Google's public discovery documents, which google-api-python-client ships.

The Developer API has no such document there; `gemini_document.yaml` is ours, made from the reference.

Owns which call a path is, and what may stand in its query, its body and its reply. Shares no code with what it checks.

The file is long because requests and replies are checked by one walk over one document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import googleapiclient
import yaml

from tests.support.discovery_values import UNTYPED, Schema, Values, Way

_DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
GEMINI = "generativelanguage"
_GEMINI = Path(__file__).with_name("gemini_document.yaml")
_SERVICES = {
    "/v1/projects/": "aiplatform.v1",
    "/v1beta1/projects/": "aiplatform.v1beta1",
    "/v1/publishers/": "aiplatform.v1",
    "/v1beta1/publishers/": "aiplatform.v1beta1",
    "/storage/v1/": "storage.v1",
    "/upload/storage/v1/": "storage.v1",
    "/bigquery/v2/": "bigquery.v2",
    "/upload/bigquery/v2/": "bigquery.v2",
    **{
        f"{start}/{version}/{collection}": GEMINI
        for version in ("v1", "v1alpha", "v1beta")
        for start, collections in {
            "": ("models", "tunedModels", "batches", "files"),
            "/upload": ("files",),
            "/download": ("files",),
        }.items()
        for collection in collections
    },
}
_READ_MASK = "readMask"
_EMPTY = frozenset({304, 308})
_RPC_NAMES = frozenset({
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
})  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """One call and its reply, whole."""

    verb: str
    path: str
    """As it went over the wire, percent-encoded."""
    query: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    status: int = 200
    reply: bytes = b""

    def __str__(self) -> str:
        return f"{self.verb} {self.path} ({self.status})"

    @property
    def is_session(self) -> bool:
        """Whether it belongs to an upload that has begun, whose address no document describes."""
        return self.path.startswith("/upload/") and any(name == "upload_id" for name, _ in self.query)

    @property
    def is_upload(self) -> bool:
        """Whether it begins an upload, or is one."""
        return self.path.startswith("/upload/") and not self.is_session

    def param(self, name: str) -> str | None:
        """The first query parameter of that name."""
        return next((value for found, value in self.query if found == name), None)


@dataclass(frozen=True)
class Method:
    """A call that a document knows."""

    id: str
    definition: Mapping[str, Any]
    template: tuple[str, ...]
    """The path's parts; one in braces stands for anything but nothing."""

    def takes(self, path: Sequence[str]) -> bool:
        """Whether the path is one of this call."""
        return len(path) == len(self.template) and all(map(_fits, self.template, path))

    @property
    def plain(self) -> int:
        """How many signs of the path are given: of two calls, the one with more is meant."""
        return sum(len(part.partition("{")[0]) + len(part.rpartition("}")[2]) for part in self.template)


class Service:
    """One service's document."""

    def __init__(self, name: str) -> None:
        self.document: Mapping[str, Any] = _document(name)
        self.values = Values(self.document["schemas"])

    def find(self, verb: str, path: str) -> Method | None:
        """The call of that path."""
        parts = path.removeprefix("/").split("/")
        found = [method for method in self._methods.get((verb, len(parts)), []) if method.takes(parts)]
        return max(found, key=lambda method: method.plain, default=None)

    @cached_property
    def _methods(self) -> Mapping[tuple[str, int], list[Method]]:
        """All calls by verb and length of path, each with its upload addresses."""

        def size(method: Method) -> tuple[str, int]:
            return method.definition["httpMethod"], len(method.template)

        every = sorted(self._walk(self.document), key=size)
        return {key: list(group) for key, group in groupby(every, size)}

    def _walk(self, resource: Mapping[str, Any]) -> Iterator[Method]:
        for below in resource.get("resources", {}).values():
            yield from self._walk(below)
        for definition in resource.get("methods", {}).values():
            uploads = definition.get("mediaUpload", {}).get("protocols", {})
            paths = [f"{self.document['servicePath']}{definition.get('flatPath', definition['path'])}"]
            paths += [protocol["path"] for protocol in uploads.values()]
            for path in paths:
                yield Method(definition["id"], definition, tuple(path.removeprefix("/").split("/")))

    def query_faults(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """Parameters that are unknown, missing, doubled or not what they should be."""
        known = {**self.document["parameters"], **method.definition.get("parameters", {})}
        seen: set[str] = set()
        for name, text in exchange.query:
            schema = known.get(name, {"location": "nowhere"})
            if schema["location"] not in {"query", "nowhere"} or name not in known:
                yield f"?{name}: unknown parameter of {method.id}"
                continue
            if name in seen and not schema.get("repeated"):
                yield f"?{name}: given twice"
            seen.add(name)
            yield from self.values.faults(_plain(text, schema), schema, f"?{name}", Way.SENT)
        for name, schema in known.items():
            if schema.get("required") and schema["location"] == "query" and name not in seen:
                yield f"?{name}: required by {method.id}"
        yield from self._mask_faults(method, exchange)

    def _mask_faults(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """Masks that name what the reply has not got."""
        reply = method.definition.get("response")
        fields, read_mask = exchange.param("fields"), exchange.param(_READ_MASK)
        if reply and fields is not None:
            yield from self.values.mask_faults(fields, self.values.resolve(reply), "?fields")
        if reply and read_mask is not None:
            lists = [one for one in self.values.resolve(reply)["properties"].values() if one.get("type") == "array"]
            entry = self.values.resolve(lists[0]["items"])
            yield from self.values.mask_faults(read_mask, entry, f"?{_READ_MASK}")

    def body_faults(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """What is wrong with the body that a client sent."""
        schema = method.definition.get("request")
        if exchange.is_upload and exchange.param("uploadType") != "resumable":
            return  # content, or content and metadata in two parts
        if schema is None:
            if exchange.body:
                yield f"body: {method.id} has none"
            return
        yield from self._json_faults(exchange.body or b"{}", schema, "body", Way.SENT)

    def reply_faults(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """What is wrong with the answer to a call that went well."""
        schema = method.definition.get("response")
        if exchange.param("alt") == "media":
            if not method.definition.get("supportsMediaDownload"):
                yield f"?alt: {method.id} gives no content"
        elif exchange.status in _EMPTY or (exchange.is_upload and exchange.param("uploadType") == "resumable"):
            if exchange.reply:
                yield "reply: nothing was expected"
        elif method.definition.get("mayAnswerNothing") and not exchange.reply:
            return
        elif schema is None:
            if exchange.reply:
                yield f"reply: {method.id} answers nothing"
        else:
            numbered = any("enum-encoding=int" in value for _, value in exchange.query)
            way = Way.NUMBERED if numbered else Way.ANSWERED
            for fault in self._json_faults(exchange.reply, schema, "reply", way):
                if exchange.param("fields") is None or not fault.endswith(UNTYPED):
                    yield fault

    def _json_faults(self, text: bytes, schema: Schema, place: str, way: Way) -> Iterator[str]:
        try:
            value = json.loads(text)
        except ValueError as error:
            yield f"{place}: not JSON: {error}"
            return
        for fault in self.values.faults(value, schema, "", way):
            yield f"{place}: {fault}"


def is_documented(path: str) -> bool:
    """Whether a path is below one of the services whose documents are known."""
    return _service_name(path) is not None


def method_of(exchange: Exchange) -> str:
    """The id of the call, such as `storage.objects.list`; empty when it is none."""
    found = _find(exchange)
    return "" if isinstance(found, str) else found[1].id


def sent_faults(exchange: Exchange) -> list[str]:
    """All that is wrong with a call: its path, its query, its body."""
    found = _find(exchange)
    if isinstance(found, str):
        return [f"{exchange}: {found}"]
    service, method = found
    if exchange.is_session:
        return []
    faults = [*service.query_faults(method, exchange), *service.body_faults(method, exchange)]
    return [f"{exchange}: {fault}" for fault in faults]


def reply_faults(exchange: Exchange) -> list[str]:
    """All that is wrong with a reply."""
    if exchange.status >= 400 and exchange.param("alt") != "media":
        return [f"{exchange}: {fault}" for fault in _error_faults(exchange)]
    if exchange.status >= 400:
        return []  # a plain text, in words that no document gives
    found = _find(exchange)
    if isinstance(found, str):
        return [f"{exchange}: {found}"]
    service, method = found
    return [f"{exchange}: {fault}" for fault in service.reply_faults(method, exchange)]


def _document(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any]
    if name == GEMINI:
        found = yaml.safe_load(_GEMINI.read_text(encoding="utf-8"))
    else:
        found = json.loads((_DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@lru_cache
def service(name: str) -> Service:
    """The document of a service such as `aiplatform.v1`."""
    return Service(name)


def _find(exchange: Exchange) -> tuple[Service, Method] | str:
    """The call that this is, or why it is none."""
    name = _service_name(exchange.path)
    if name is None:
        return "of no service that is known"
    verb = "POST" if exchange.is_session else exchange.verb
    method = service(name).find(verb, exchange.path)
    return f"unknown path of {name}" if method is None else (service(name), method)


def _service_name(path: str) -> str | None:
    return next((name for start, name in _SERVICES.items() if path.startswith(start)), None)


def _error_faults(exchange: Exchange) -> Iterator[str]:
    """The form of an error's body is told by no document, but is the same for all services (google.rpc.Status)."""
    try:
        error = json.loads(exchange.reply)["error"]
    except (ValueError, KeyError, TypeError):
        yield "an error without a body that says so"
        return
    if not isinstance(error, dict):
        yield f"error: {error!r}"
        return
    if error.get("code") != exchange.status:
        yield f"error.code: {error.get('code')!r}"
    if not isinstance(error.get("message"), str) or not error["message"]:
        yield f"error.message: {error.get('message')!r}"
    if not isinstance(error.get("status", ""), str) or error.get("status", "UNKNOWN") not in _RPC_NAMES:
        yield f"error.status: {error['status']!r}"
    details = error.get("details", [])
    if not isinstance(details, list):
        yield f"error.details: {details!r}"
    else:
        for position, detail in enumerate(details):
            place = f"error.details[{position}]"
            yield from service(GEMINI).values.faults(detail, {"$ref": "Any"}, place, Way.ANSWERED)
    for name in error.keys() - {"code", "message", "status", "details", "errors"}:
        yield f"error.{name}: unknown field"


def _fits(template: str, part: str) -> bool:
    head, brace, rest = template.partition("{")
    if not brace:
        return template == part
    tail = rest.rpartition("}")[2]
    return part.startswith(head) and part.endswith(tail) and len(part) > len(head) + len(tail)


def _plain(text: str, schema: Schema) -> Any:
    """A parameter's text as the JSON value that it stands for."""
    match schema.get("type"):
        case "integer" if text.lstrip("-").isdecimal():
            return int(text)
        case "boolean" if text in {"true", "false"}:
            return text == "true"
        case _:
            return text
