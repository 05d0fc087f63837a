"""The call that counts the tokens of one request. Source: the REST references of both APIs, `countTokens`."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.errors import BadReply
from batchctl.model.json_value import Json
from batchctl.model.wire_json import wire_json
from batchctl.providers.http.calls import Call

_WHAT = "countTokens"


def count_call(path: str, body: Mapping[str, Json]) -> Call:
    """The call at a path of the account."""
    return Call(_WHAT, "POST", path, body=wire_json(body))


def counted_tokens(reply: Mapping[str, object]) -> int:
    """The number of tokens in a reply; proto3 leaves 0 out. Raises BadReply."""
    tokens = reply.get("totalTokens", 0)
    if type(tokens) is not int or tokens < 0:
        raise BadReply(f"{_WHAT}: not a number of tokens: {str(tokens)[:80]!r}")
    return tokens
