"""The routes of the Gemini Developer API: which path is which call. Source: reference 1 and 2."""

from __future__ import annotations

import re
from collections.abc import Callable

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Handler, Route
from batchctl.emulator.gemini.batch_calls import cancel_batch, delete_batch, get_batch, list_batches, update_batch
from batchctl.emulator.gemini.create import create_embed, create_generate
from batchctl.emulator.gemini.files import delete_file, download_file, get_file, list_files
from batchctl.emulator.gemini.models import count_tokens, get_model, list_models
from batchctl.emulator.gemini.other_uploads import (
    contains_file,
    continue_older_session,
    in_older_session,
    open_older_session,
    opens_older_session,
    upload_in_one_request,
)
from batchctl.emulator.gemini.resumable_uploads import continue_upload, start_upload
from batchctl.emulator.queries import LIST, OPERATIONS_LIST
from batchctl.emulator.replies import DEVELOPER
from batchctl.emulator.sessions import cancel_session
from batchctl.emulator.wire import Request

_VERSION = r"/(?P<version>v1|v1alpha|v1beta)"
_MODEL = r"(?P<model>(?:models|tunedModels)/[^:]+)"


def _path(shape: str) -> re.Pattern[str]:
    return re.compile(shape)


def _in_session(request: Request) -> bool:
    return request.param("upload_id") is not None


def _route(
    verb: str, shape: str, method: str, handler: Handler, reply: str, query: frozenset[str] = frozenset()
) -> Route:
    return Route(verb, _path(shape), method, handler, reply=reply, replies=DEVELOPER, query=query)


def _in_upload(verb: str, handler: Handler, takes: Callable[[Request], bool]) -> Route:
    """The address of a session is its only credential; a body may be large."""
    return Route(verb, _UPLOAD, "files.upload", handler, caller=Caller.ANYONE, limited=False, takes=takes)


_BATCH = rf"{_VERSION}/batches/(?P<id>[^:]+)"
_FILE = rf"{_VERSION}/files/(?P<id>[^:]+)"
_UPLOAD = _path(rf"/upload{_VERSION}/files")

ROUTES = (
    _route("POST", rf"{_VERSION}/{_MODEL}:batchGenerateContent", "batches.create", create_generate, "Operation"),
    _route("POST", rf"{_VERSION}/{_MODEL}:asyncBatchEmbedContent", "batches.create", create_embed, "Operation"),
    _route("GET", rf"{_VERSION}/batches", "batches.list", list_batches, "ListOperationsResponse", OPERATIONS_LIST),
    _route("GET", _BATCH, "batches.get", get_batch, "Operation"),
    _route("POST", rf"{_BATCH}:cancel", "batches.cancel", cancel_batch, "Empty"),
    _route("DELETE", _BATCH, "batches.delete", delete_batch, "Empty"),
    _route(
        "PATCH",
        rf"{_BATCH}:(?P<verb>updateGenerateContentBatch|updateEmbedContentBatch)",
        "batches.patch",
        update_batch,
        "Batch",
        frozenset({"update_mask"}),
    ),
    *(_in_upload(verb, continue_older_session, in_older_session) for verb in ("POST", "PUT")),
    _in_upload("DELETE", cancel_session, in_older_session),
    *(_in_upload(verb, continue_upload, _in_session) for verb in ("POST", "PUT")),
    Route("POST", _UPLOAD, "files.create", upload_in_one_request, limited=False, takes=contains_file),
    Route("POST", _UPLOAD, "files.create", open_older_session, takes=opens_older_session),
    Route("POST", _UPLOAD, "files.create", start_upload),
    _route("GET", rf"{_VERSION}/models", "models.list", list_models, "ListModelsResponse", LIST),
    _route("GET", rf"{_VERSION}/models/(?P<id>[^/:]+)", "models.get", get_model, "Model"),
    _route(
        "POST",
        rf"{_VERSION}/models/(?P<id>[^/:]+):countTokens",
        "models.countTokens",
        count_tokens,
        "CountTokensResponse",
    ),
    _route("GET", rf"{_VERSION}/files", "files.list", list_files, "ListFilesResponse", LIST),
    Route("GET", _path(rf"(?:/download)?{_FILE}:download"), "files.download", download_file, query=frozenset()),
    _route("GET", _FILE, "files.get", get_file, "File"),
    _route("DELETE", _FILE, "files.delete", delete_file, "Empty"),
)
