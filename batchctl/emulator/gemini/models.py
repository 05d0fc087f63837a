"""The calls on models: get, list and countTokens. Source: reference 16; the REST reference, `models`."""

from __future__ import annotations

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.catalogue import Model, all_models, model_named
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.create import valid_model
from batchctl.emulator.older_apis import page_token, read_token
from batchctl.emulator.proto import Message, read_message
from batchctl.emulator.requests import DEVELOPER_REQUESTS
from batchctl.emulator.token_counts import count_reply
from batchctl.emulator.wire import JsonObject, Refused

_PAGE_SIZE = 50
_MOST_PER_PAGE = 1000
_METHODS = {
    "generate": ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
    "embed": ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"],
}
_GENERATE = DEVELOPER_REQUESTS["generate"]
_COUNT = Message({"contents": _GENERATE.fields["contents"], "generateContentRequest": _GENERATE})


def get_model(exchange: Exchange) -> JsonObject:
    """One model. Raises Refused (404)."""
    return _resource(_model(exchange))


def count_tokens(exchange: Exchange) -> JsonObject:
    """`…:countTokens`: of contents, or of a request with everything that belongs to it. Raises Refused (400, 404)."""
    _model(exchange)
    asked = read_message(parse_json(exchange.request.body or b"{}"), _COUNT)
    if len(asked) > 1:
        raise Refused(400, "* CountTokensRequest: set either contents or generate_content_request")
    request = asked.get("generateContentRequest", asked)
    if not request.get("contents"):
        raise Refused(400, "* CountTokensRequest.contents: contents is not specified")
    return count_reply(request)


def list_models(exchange: Exchange) -> JsonObject:
    """One page, by name."""
    size, after = exchange.page_size(_PAGE_SIZE, _MOST_PER_PAGE), read_token(exchange)
    found = [model for model in all_models(exchange.settings, exchange.now) if model.name > after]
    reply: JsonObject = {"models": [_resource(model) for model in found[:size]]} if found else {}
    return {**reply, "nextPageToken": page_token(found[size - 1].name)} if len(found) > size else reply


def _model(exchange: Exchange) -> Model:
    name = exchange.params["id"]
    kind = next((kind for kind in _METHODS if valid_model(kind, f"models/{name}")), None)
    model = None if kind is None else model_named(exchange.settings, name, kind)
    if model is None or model.is_retired(exchange.now):
        raise Refused(404, f"Model is not found: models/{name} for api version {exchange.params['version']}")
    return model


def _resource(model: Model) -> JsonObject:
    resource: JsonObject = {
        "name": f"models/{model.name}",
        "version": "001",
        "displayName": model.name.replace("-", " ").title(),
        "description": f"The emulator's {model.name}.",
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": _METHODS[model.kind],
    }
    if model.kind == "generate":
        resource |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2, "thinking": True}
    return resource if model.status is None else {**resource, "modelStatus": model.status}
