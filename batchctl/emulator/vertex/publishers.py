"""The calls on published models: get, list and countTokens. Source: the discovery document, `publishers.models`."""

from __future__ import annotations

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.catalogue import Model, all_models, model_named
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import page_token, read_token
from batchctl.emulator.proto import Anything, Message, Repeated, Text, read_message
from batchctl.emulator.requests import VERTEX_REQUESTS
from batchctl.emulator.token_counts import count_reply
from batchctl.emulator.vertex.models import GOOGLE, published_kind
from batchctl.emulator.wire import JsonObject, Refused

_PAGE_SIZE = 50
_MOST_PER_PAGE = 1000
_STAGES = {
    "UNSTABLE_EXPERIMENTAL": "EXPERIMENTAL",
    "EXPERIMENTAL": "EXPERIMENTAL",
    "PREVIEW": "PUBLIC_PREVIEW",
}
"""By the stage's name at the Developer API; all other stages are GA."""
_GENERATE = VERTEX_REQUESTS["generate"]
_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")
_COUNT = Message({
    "model": Text(),
    "instances": Repeated(Anything()),
    **{name: _GENERATE.fields[name] for name in _COUNTED},
})  # fmt: skip


def get_publisher_model(exchange: Exchange) -> JsonObject:
    """One model, even if it does not support batch jobs. Raises Refused (404)."""
    return _resource(exchange.params["publisher"], _model(exchange))


def count_tokens(exchange: Exchange) -> JsonObject:
    """`…:countTokens` of a model of Google, by contents. Raises Refused (400, 404)."""
    _model(exchange)
    asked = read_message(parse_json(exchange.request.body or b"{}"), _COUNT)
    if not asked.get("contents"):
        raise Refused(400, "Unable to submit request because at least one contents field is required.")
    return count_reply(asked)


def list_publisher_models(exchange: Exchange) -> JsonObject:
    """One page of Google's models, by name. Models of other publishers can be read, but are not listed."""
    size, after, publisher = exchange.page_size(_PAGE_SIZE, _MOST_PER_PAGE), read_token(exchange), GOOGLE
    if exchange.params["publisher"] != publisher:
        return {}
    found = [model for model in all_models(exchange.settings, exchange.now) if model.name > after]
    models = [_resource(publisher, model) for model in found[:size]]
    reply: JsonObject = {"publisherModels": models} if models else {}
    return {**reply, "nextPageToken": page_token(found[size - 1].name)} if len(found) > size else reply


def _model(exchange: Exchange) -> Model:
    publisher, name = exchange.params.get("publisher", GOOGLE), exchange.params["id"]
    kind = published_kind(publisher, name)
    model = None if kind is None else model_named(exchange.settings, name, kind)
    if model is None or model.is_retired(exchange.now):
        raise Refused(404, f"Publisher Model `publishers/{publisher}/models/{name}` was not found.")
    return model


def _resource(publisher: str, model: Model) -> JsonObject:
    name = f"publishers/{publisher}/models/{model.name}"
    stage = _STAGES.get(model.stage, "GA")
    return {
        "name": name,
        "versionId": "1",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": stage,
        "versionState": "VERSION_STATE_STABLE" if stage == "GA" else "VERSION_STATE_UNSTABLE",
        "publisherModelTemplate": f"projects/{{project}}/locations/{{location}}/{name}",
    }
