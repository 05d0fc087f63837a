"""Answers with HTTP 200 that are not the API's: what they say of themselves, and when one may stand for "done"."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.desired import Json
from batchctl.model.errors import BadReply
from batchctl.providers.http.calls import Reply
from batchctl.providers.members import text
from batchctl.providers.texts import capped


def words_of(body: Mapping[str, Json]) -> str:
    """What an odd answer says of itself, to stand at the end of a message; empty when it says nothing."""
    error = body.get("error")
    parts = [error.get("status"), error.get("message")] if isinstance(error, dict) else [error]
    said = capped(" ".join(text(part) for part in (*parts, body.get("message")) if text(part)))
    return f": {said}" if said else ""


def require_done(reply: Reply) -> None:
    """Raise BadReply when an answer that says nothing but "done" says something: `{}`, or nothing at all, is promised.

    An error object with HTTP 200, from something between here and the API, is no deleted job.
    """
    body = reply.json_object() if reply.body else {}
    if body.keys() - {"@type"}:
        raise BadReply(
            f"{reply.what}: HTTP 200 with something else than the API's empty answer{words_of(body)}",
            hint="something between here and the API may answer in its place: check the endpoint and the proxy",
        )
