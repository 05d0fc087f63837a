"""The calls on a table's rows. Source: bigquery v2, `tabledata`; reference 4."""

from __future__ import annotations

import re
from collections.abc import Sequence

from batchctl.emulator.bigquery.resources import refused, require_table, table_etag
from batchctl.emulator.bigquery.schema import BadSchema, select_columns
from batchctl.emulator.bigquery.tables import Column, append_rows, count_rows, read_rows
from batchctl.emulator.bigquery.values import BadValue, TimeForm, read_row, write_row
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.media import read_resource
from batchctl.emulator.older_apis import flag, number, page_token, read_token
from batchctl.emulator.wire import JsonObject, json_bytes

_LARGEST_PAGE = 10 * 1024 * 1024
"""In bytes of rows: a page ends there, even if more rows were requested."""


def list_rows(exchange: Exchange) -> JsonObject:
    """One page of rows in the order of insertion; an empty list is left out."""
    table = require_table(exchange)
    total = count_rows(exchange.store, table)
    start = _start(exchange)
    columns, form = _columns(exchange, table.schema), _time_form(exchange)
    most = number(exchange, "maxResults", total) if exchange.request.param("maxResults") else total
    rows: list[JsonObject] = []
    size = 0
    for row in read_rows(exchange.store, table, start):
        if len(rows) >= most or size > _LARGEST_PAGE:
            break
        rows.append(write_row(columns, row, form))
        size += len(json_bytes(rows[-1]))
    reply: JsonObject = {"kind": "bigquery#tableDataList", "etag": table_etag(table), "totalRows": str(total)}
    if rows and start + len(rows) < total:
        reply["pageToken"] = page_token(str(start + len(rows)))
    return {**reply, "rows": rows} if rows else reply


def insert_rows(exchange: Exchange) -> JsonObject:
    """Add rows. The reply lists invalid rows; by default one invalid row prevents all of them from being added.

    `insertId` is ignored: the real service does not guarantee deduplication either.
    """
    table, body = require_table(exchange), read_resource(exchange.request.body)
    items = body.get("rows")
    if not isinstance(items, list) or not items:
        raise refused(400, "No rows present in the request.")
    good, errors = [], []
    for index, item in enumerate(items):
        try:
            given = item.get("json") if isinstance(item, dict) else None
            ignore = bool(body.get("ignoreUnknownValues"))
            good.append((index, read_row(table.schema, given, json_text=True, ignore_unknown=ignore)))
        except BadValue as bad:
            errors.append(_insert_error(index, "invalid", bad.location, bad.message))
    if errors and not body.get("skipInvalidRows"):
        errors += [_insert_error(index, "stopped", "", "") for index, _ in good]
        good = []
    append_rows(exchange.store, table, [row for _, row in good], exchange.now)
    reply: JsonObject = {"kind": "bigquery#tableDataInsertAllResponse"}
    return {**reply, "insertErrors": errors} if errors else reply


def _start(exchange: Exchange) -> int:
    token = read_token(exchange)
    if not token:
        return number(exchange, "startIndex", 0)
    if not re.fullmatch(r"[0-9]{1,18}", token):
        raise refused(400, "Invalid page token.")
    return int(token)


def _insert_error(index: int, reason: str, location: str, message: str) -> JsonObject:
    return {
        "index": index,
        "errors": [{"reason": reason, "location": location, "debugInfo": "", "message": message}],
    }


def _columns(exchange: Exchange, schema: Sequence[Column]) -> Sequence[Column]:
    wanted = exchange.request.param("selectedFields")
    if not wanted:
        return schema
    try:
        return select_columns(schema, [path.strip().split(".") for path in wanted.split(",")])
    except BadSchema as bad:
        raise refused(400, str(bad)) from bad


def _time_form(exchange: Exchange) -> TimeForm:
    if flag(exchange, "formatOptions.useInt64Timestamp"):
        return TimeForm.MICROS
    if exchange.request.param("formatOptions.timestampOutputFormat") == "ISO8601_STRING":
        return TimeForm.ISO
    return TimeForm.SECONDS
