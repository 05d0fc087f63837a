"""Replies with HTTP 200 that are not the API's: their messages, and the check of replies that only confirm a call."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.providers.http.calls import Reply
from batchctl.providers.job_members import text
from batchctl.providers.untrusted_text import capped


def words_of(body: Mapping[str, Json]) -> str:
    """The message in an unexpected reply, to append to an error; empty when there is none."""
    error = body.get("error")
    parts = [error.get("status"), error.get("message")] if isinstance(error, dict) else [error]
    said = capped(" ".join(text(part) for part in (*parts, body.get("message")) if text(part)))
    return f": {said}" if said else ""


def require_done(reply: Reply) -> None:
    """Raise BadReply unless the reply is the API's confirmation: `{}` or an empty body.

    An error object with HTTP 200, from a server between batchctl and the API, does not mean that a job was deleted.
    """
    body = reply.json_object() if reply.body else {}
    if body.keys() - {"@type"}:
        raise BadReply(
            f"{reply.what}: HTTP 200 with an unexpected body{words_of(body)}",
            hint="a proxy or gateway may answer instead of the API: check the endpoint and the proxy",
        )
