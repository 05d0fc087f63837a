"""The long-running operations that delete calls return. Source: reference 3.3."""

from __future__ import annotations

from batchctl.emulator.clock import micro_timestamp
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.ids import fresh_digits
from batchctl.emulator.vertex.resource_names import parent_of
from batchctl.emulator.wire import JsonObject, not_found

_TYPE = "type.googleapis.com/"


def start_delete(exchange: Exchange, parent: str) -> JsonObject:
    """A new operation, which is done after a delay of the emulator's clock, or at once."""
    done = exchange.now + exchange.settings.operation_delay
    short = fresh_digits()
    row = {"parent": parent, "short": short, "created": exchange.now, "done": done}
    exchange.store.insert("operations", row)
    return _operation(exchange, f"{parent}/operations/{short}", exchange.now, done)


def get_operation(exchange: Exchange) -> JsonObject:
    """The state of an operation."""
    parent = parent_of(exchange.store, exchange.params["project"], exchange.params["location"])
    short = exchange.params["id"]
    sql = "SELECT created, done FROM operations WHERE parent = ? AND short = ?"
    found = exchange.store.rows(sql, parent, short)
    if not found:
        raise not_found()
    created, done = found[0]
    return _operation(exchange, f"{parent}/operations/{short}", created, done)


def _operation(exchange: Exchange, name: str, created: int, done: int) -> JsonObject:
    over = exchange.now >= done
    generic = {"createTime": micro_timestamp(created), "updateTime": micro_timestamp(done if over else created)}
    version = exchange.params["version"].replace("ui", "v1")
    kind = f"{_TYPE}google.cloud.aiplatform.{version}.DeleteOperationMetadata"
    reply: JsonObject = {"name": name, "metadata": {"@type": kind, "genericMetadata": generic}}
    if over:
        reply |= {"done": True, "response": {"@type": f"{_TYPE}google.protobuf.Empty"}}
    return reply
