"""Rows for models of other publishers: chat completions in `body`, or messages in `request`. Source: reference 16.

Only the members by which a client finds its rows are supported; the content of a request is not checked.
"""

from __future__ import annotations

import re

from batchctl.emulator.answers import answer_id
from batchctl.emulator.wire import JsonObject

_SHOWN = 60
_ID_LENGTH = 12
_PUBLISHER = re.compile(r"publishers/([^/]+)/")


def is_partner_row(model: str, line: JsonObject) -> bool:
    """Whether a row of a job with this model has a partner's form. A Gemini model does not accept that form."""
    published = _PUBLISHER.search(model)
    if published is None or published[1] == "google":
        return False
    request = line.get("request")
    return isinstance(line.get("body"), dict) or (isinstance(request, dict) and "messages" in request)


def asked_in(line: JsonObject) -> str:
    """The text of the last message."""
    request = line.get("body") or line["request"]
    messages = request.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else {}
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


def partner_answer(line: JsonObject, model: str) -> JsonObject:
    """The answer of the model."""
    text = f"[batchctl emulator] {model} answers to: {asked_in(line)[:_SHOWN]}"
    if "body" in line:
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    content = [{"type": "text", "text": text}]
    usage = {"input_tokens": 1, "output_tokens": 1}
    shown = answer_id(model, line["request"])[:_ID_LENGTH]
    return {"id": f"msg_{shown}", "type": "message", "role": "assistant", "content": content, "usage": usage}


def body_line(line: JsonObject, model: str, response: JsonObject, status: str) -> JsonObject:
    """The result line of a row with a `body`: it is joined by `custom_id`, and does not echo the request."""
    named = {"id": f"batch_req_{answer_id(model, line['body'])[:_ID_LENGTH]}", "custom_id": line.get("custom_id")}
    if status:
        return {**named, "response": None, "error": {"code": "server_error", "message": status}}
    return {**named, "response": {"status_code": 200, "request_id": "", "body": response}, "error": None}
