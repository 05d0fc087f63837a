"""The calls on published models: get and list. Source: the discovery document, `publishers.models`."""

from __future__ import annotations

from batchctl.emulator.catalogue import Model, all_models, model_named
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import page_token, read_token
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


def get_publisher_model(exchange: Exchange) -> JsonObject:
    """One model, even if it does not support batch jobs. Raises Refused (404)."""
    publisher, name = exchange.params["publisher"], exchange.params["id"]
    kind = published_kind(publisher, name)
    model = None if kind is None else model_named(exchange.settings, name, kind)
    if model is None or model.is_retired(exchange.now):
        raise Refused(404, f"Publisher Model `publishers/{publisher}/models/{name}` was not found.")
    return _resource(publisher, model)


def list_publisher_models(exchange: Exchange) -> JsonObject:
    """One page of Google's models, by name. Models of other publishers can be read, but are not listed."""
    size, after, publisher = exchange.page_size(_PAGE_SIZE, _MOST_PER_PAGE), read_token(exchange), GOOGLE
    if exchange.params["publisher"] != publisher:
        return {}
    found = [model for model in all_models(exchange.settings, exchange.now) if model.name > after]
    models = [_resource(publisher, model) for model in found[:size]]
    reply: JsonObject = {"publisherModels": models} if models else {}
    return {**reply, "nextPageToken": page_token(found[size - 1].name)} if len(found) > size else reply


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
