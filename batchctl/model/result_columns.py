"""The columns of results in a table (CSV, TSV, Parquet): names, order, types and meanings.

Programs read columns by name, so a name never changes and new columns come last. A test compares `docs/results.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from msgspec import Struct


class ColumnType(Enum):
    """The type of a column's values. Every value can be null."""

    TEXT = "text"
    INTEGER = "integer"
    VECTOR = "list of numbers"
    JSON = "text (JSON)"


class Column(Struct, frozen=True):
    """One column."""

    name: str
    type: ColumnType
    meaning: str


Cell: TypeAlias = str | int | tuple[float, ...] | None
Cells: TypeAlias = Mapping[str, Cell]
"""One row of the table, by column name. A column that is absent is null."""

COLUMNS = (
    Column("job", ColumnType.TEXT, "name of the job"),
    Column("key", ColumnType.TEXT, "the row's key"),
    Column("index", ColumnType.INTEGER, "position of the row in the input, from 0"),
    Column("attempt", ColumnType.INTEGER, "the attempt with this result"),
    Column("verdict", ColumnType.TEXT, "`OK`, or the code of what is wrong ([verdicts.md](verdicts.md))"),
    Column("text", ColumnType.TEXT, "text of the answer, without thoughts"),
    Column("embedding", ColumnType.VECTOR, "the vector of an embeddings job"),
    Column("finishReason", ColumnType.TEXT, "`finishReason` of the answer"),
    Column("modelVersion", ColumnType.TEXT, "the model version that answered"),
    Column("promptTokens", ColumnType.INTEGER, "tokens of the input"),
    Column("cachedTokens", ColumnType.INTEGER, "tokens of the input that came from a cache"),
    Column("outputTokens", ColumnType.INTEGER, "tokens of the answer"),
    Column("thoughtTokens", ColumnType.INTEGER, "tokens of the model's thoughts"),
    Column("totalTokens", ColumnType.INTEGER, "the API's total"),
    Column("errorCode", ColumnType.TEXT, "code of the row's error"),
    Column("errorMessage", ColumnType.TEXT, "message of the row's error"),
    Column("input", ColumnType.JSON, "members beside the row's request, such as `custom_id`"),
    Column("request", ColumnType.JSON, "the request as sent; only with `--join`"),
    Column("blockReason", ColumnType.TEXT, "why the API blocked the prompt or stopped the answer, in its own words"),
)
