"""BigQuery: the rows of a table, in the order in which the service returns them.

Checks that every row of the table has arrived. All reads are retried. Source: reference chapter 4;
bigquery v2, `tables.get`, `tabledata.list`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchctl.model.errors import BadReply, ReplyLost
from batchctl.model.json_value import Json
from batchctl.providers import job_members
from batchctl.providers.cloud.addresses import Table, table_path
from batchctl.providers.cloud.cells import Column, read_columns, read_row
from batchctl.providers.cloud.refusals import naming_table
from batchctl.providers.http.calls import Call
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.paging import Paging, pages
from batchctl.providers.retry import Retry
from batchctl.providers.untrusted_text import as_object

_ROOT = "/bigquery/v2"
_BESIDE = {"kind": frozenset({"bigquery#tableDataList"}), "etag": None, "totalRows": None}
_PAGING = Paging("maxResults", 1000, "pageToken", _BESIDE, is_stream=True)
_PAGE_LIMIT = 256 * 2**20
"""Bytes of one page; the service keeps pages far smaller, but a single row may be large."""
_PAGE_NODES = 10_000_000
"""JSON objects and lists of one page: each cell is an object, and so is each number of a vector."""


class BigQuery:
    """BigQuery behind one endpoint. Safe for threads."""

    def __init__(self, endpoint: Endpoint, retry: Retry) -> None:
        self._endpoint = endpoint
        self._retry = retry

    def columns(self, table: Table) -> Sequence[Column]:
        """The table's columns. Raises ApiError; NotFound when the table does not exist."""
        what = "bigquery.tables.get"
        call = Call(what, "GET", f"{_ROOT}{table_path(table)}", params={"fields": "schema"})
        with naming_table(str(table)):
            found = self._json(call)
        try:
            return read_columns(as_object(found.get("schema")).get("fields", []))
        except ValueError as exc:
            raise BadReply(f"{what}: {table}: {exc}") from exc

    def rows(self, table: Table, columns: Sequence[Column]) -> Iterator[dict[str, Json]]:
        """All rows, streamed page by page. Raises ApiError; ReplyLost when fewer arrived than the table has."""
        what = "bigquery.tabledata.list"
        total = came = 0
        is_silent = False

        def read(page: Mapping[str, str]) -> Mapping[str, Json]:
            nonlocal total, is_silent
            path = f"{_ROOT}{table_path(table)}/data"
            found = self._json(Call(what, "GET", path, params=page, limit=_PAGE_LIMIT, most_nodes=_PAGE_NODES))
            count = job_members.count(found.get("totalRows"))
            is_silent = count is None and not _BESIDE.keys().isdisjoint(found)
            total = max(total, count or 0)
            return found

        with naming_table(str(table)):
            for entries in pages(read, "rows", what, _PAGING, seconds=self._retry.total, elapsed=self._retry.elapsed):
                if is_silent:
                    raise BadReply(f"{what}: the reply does not give the number of rows of {table}")
                try:
                    found = [read_row(entry, columns) for entry in entries]
                except ValueError as exc:
                    raise BadReply(f"{what}: {table}: {exc}") from exc
                came += len(found)
                yield from found
        if came < total:
            raise ReplyLost(f"{what}: received {came} of the {total} rows of {table}")

    def _json(self, call: Call) -> dict[str, Json]:
        return self._retry.run(lambda: self._endpoint.call(call).json_object())
