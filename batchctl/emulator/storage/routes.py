"""The routes of Cloud Storage's JSON API: which path is which call. Source: reference 4; storage v1."""

from __future__ import annotations

import re

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Handler, Route
from batchctl.emulator.older_apis import in_older_format
from batchctl.emulator.replies import STORAGE
from batchctl.emulator.sessions import cancel_session, in_session
from batchctl.emulator.storage.buckets import delete_bucket, get_bucket, insert_bucket, list_buckets
from batchctl.emulator.storage.changes import (
    compose_object,
    copy_object,
    patch_object,
    remove_object,
    rewrite_object,
)
from batchctl.emulator.storage.inserts import continue_insert, insert_object
from batchctl.emulator.storage.listing import list_objects
from batchctl.emulator.storage.reads import get_object

_BUCKETS = "(?:/storage/v1)?/b"
"""Some clients, such as Node's, use the emulator's address as the API's root: the second form."""
_BUCKET = rf"{_BUCKETS}/(?P<bucket>[^/]+)"
_OBJECTS = rf"{_BUCKET}/o"
# The server decodes escaped slashes of a name before this: a name may contain any, and may look like a path.
_OBJECT = rf"{_OBJECTS}/(?P<object>.+?)"
_TARGET = r"b/(?P<to_bucket>[^/]+)/o/(?P<to_object>.+)"
_UPLOAD = r"(?:/resumable)?/upload/storage/v1/b/(?P<bucket>[^/]+)/o"


def _route(verb: str, path: str, method: str, handler: Handler, reply: str = "") -> Route:
    caller = Caller.READER if verb == "GET" else Caller.WRITER
    shape = re.compile(path, re.DOTALL)
    return Route(verb, shape, f"storage.{method}", in_older_format(handler), caller, reply=reply, replies=STORAGE)


def _upload(verb: str, method: str, handler: Handler, *, session: bool) -> Route:
    """The address of a session is its only credential; a body may be large."""
    return Route(
        verb,
        re.compile(_UPLOAD),
        f"storage.{method}",
        in_older_format(handler),
        caller=Caller.ANYONE if session else Caller.WRITER,
        limited=False,
        takes=in_session if session else lambda _: True,
        reply="Object",
        replies=STORAGE,
    )


ROUTES = (
    _upload("PUT", "objects.upload", continue_insert, session=True),
    _upload("DELETE", "objects.upload", cancel_session, session=True),
    _upload("POST", "objects.insert", insert_object, session=False),
    _route("GET", _OBJECTS, "objects.list", list_objects, "Objects"),
    _route("GET", rf"(?:/download)?{_OBJECT}", "objects.get", get_object, "Object"),
    _route("DELETE", _OBJECT, "objects.delete", remove_object),
    _route("PATCH", _OBJECT, "objects.patch", patch_object, "Object"),
    _route("POST", rf"{_OBJECT}/rewriteTo/{_TARGET}", "objects.rewrite", rewrite_object, "RewriteResponse"),
    _route("POST", rf"{_OBJECT}/copyTo/{_TARGET}", "objects.copy", copy_object, "Object"),
    _route("POST", rf"{_OBJECT}/compose", "objects.compose", compose_object, "Object"),
    _route("GET", _BUCKETS, "buckets.list", list_buckets, "Buckets"),
    _route("POST", _BUCKETS, "buckets.insert", insert_bucket, "Bucket"),
    _route("GET", _BUCKET, "buckets.get", get_bucket, "Bucket"),
    _route("DELETE", _BUCKET, "buckets.delete", delete_bucket),
)
