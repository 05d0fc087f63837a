"""Makes price lists of CSV files. Their errors name the line and the cell of the file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.price_file import parse_prices
from batchctl.manifests.price_import import UNITS, Entry
from batchctl.model.cost.prices import Price, clashes
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.quoting import shown
from batchctl.model.suggest import did_you_mean
from batchctl.model.wire_json import wire_json

_FACTS = ("model", "api", "since", "until", "source", "checked")
_RATES = tuple(UNITS.values())
_LONG = "long."
_COLUMNS = (*_FACTS, *_RATES, *(f"{_LONG}{name}" for name in _RATES))
_KIND = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD"}
_IN_A_LIST = ' in an item of "prices"'
_SEPARATOR, _QUOTE = ",", '"'


class _Record(Struct, frozen=True):
    """A record of the file, with its cells by column."""

    file: str
    line: int
    """Of its start."""
    text: str
    """Of its first line."""
    header: Sequence[str]
    cells: Mapping[str, str]
    """Without empty ones."""

    def at(self, column: str | None) -> Location:
        """The place of a cell; that of the record for a column that the header lacks."""
        if column not in self.header:
            return Location(self.file, self.line)
        return Location(self.file, self.line, _start_of_cell(self.text, self.header.index(column)))


def from_csv(text: str, file: str, checked: date) -> tuple[Entry, ...]:
    """The prices of a CSV file with a header. Raises ManifestError with all errors, each at its cell.

    Its columns are those of a price list: `model`, `api`, `since`, `until`, `source`, `checked`, and the rates `input`,
    `cached`, `output` and so on, for long prompts with `long.` before them. Empty cells count as absent;
    `checked` is for rows without that day.
    """
    records: list[_Record] = []
    entries: list[Entry] = []
    prices: list[Price] = []
    errors: list[Diagnostic] = []
    for record in _records(text, file):
        try:
            entry = _entry(record, checked)
            prices.append(_price(record, entry))
        except ManifestError as error:
            errors += error.diagnostics
        else:
            records.append(record)
            entries.append(entry)
    for first, second in clashes(prices):
        message = f"a second price for {shown(prices[second].model)} on the same days"
        hint = f"the first is in line {records[first].line}; give them days that do not overlap"
        errors.append(Diagnostic(records[second].at("model"), Code.DUPLICATE_NAME, message, hint))
    if errors:
        raise ManifestError(errors)
    return tuple(entries)


def _records(text: str, file: str) -> Iterator[_Record]:
    lines = text.splitlines()
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    header: list[str] = []
    line = 0
    try:
        for number, values in enumerate(reader):
            begun, line = line + 1, reader.line_num
            if not number:
                header = [name.strip() for name in values]
                _check_header(header, Location(file), lines[0])
            elif len(values) > len(header):
                words = f"{len(values)} cells, and the header has {len(header)}"
                raise _wrong(Location(file, begun), words, "quote a cell that has a comma in it")
            elif any(value.strip() for value in values):
                cells = {name: value.strip() for name, value in zip(header, values, strict=False) if value.strip()}
                yield _Record(file, begun, lines[begun - 1], header, cells)
    except csv.Error as error:
        raise _wrong(Location(file, max(reader.line_num, 1)), f"it is no CSV: {error}") from error


def _check_header(header: Sequence[str], start: Location, line: str) -> None:
    for place, name in enumerate(header):
        at = replace(start, column=_start_of_cell(line, place))
        if name not in _COLUMNS:
            raise _wrong(at, f"unknown column {shown(name)}", did_you_mean(name, _COLUMNS, "docs/costs.md names them"))
        if name in header[:place]:
            raise _wrong(at, f"a second column {shown(name)}")


def _entry(record: _Record, checked: date) -> Entry:
    facts = {name: record.cells[name] for name in _FACTS if name in record.cells}
    rates = {name: _number(record, name) for name in record.cells if name not in _FACTS}
    long = {name.removeprefix(_LONG): rate for name, rate in rates.items() if name.startswith(_LONG)}
    entry: dict[str, Json] = {"checked": str(checked), **facts}
    entry["perMillionTokens"] = {name: rate for name, rate in rates.items() if not name.startswith(_LONG)}
    return {**entry, "longPrompts": long} if long else entry


def _number(record: _Record, column: str) -> float:
    text = record.cells[column]
    try:
        rate = float(text)
    except ValueError:
        rate = float("nan")
    if not 0 <= rate < float("inf"):
        raise _wrong(record.at(column), f"{column}: {shown(text)} is no amount", "such as 0.15")
    return rate


def _price(record: _Record, entry: Entry) -> Price:
    """One price by the rules of a price list. Raises ManifestError with the errors at their cells."""
    # Each cell has a line of its own, so that the line of an error is that of a cell.
    lines = list(_lines(entry))
    head = wire_json(_KIND).decode().removesuffix("}")
    text = "\n".join([f'{head},"prices":[', *(line for line, _ in lines), "]}"])
    try:
        (price,) = parse_prices(text.encode(), record.file).prices
    except ManifestError as error:
        columns = [None, *(column for _, column in lines), None]
        places = [record.at(columns[one.location.line - 1]) for one in error.diagnostics]
        diagnostics = [
            Diagnostic(place, one.code, one.message.replace(_IN_A_LIST, ""), one.hint)
            for place, one in zip(places, error.diagnostics, strict=True)
        ]
        raise ManifestError(diagnostics) from error
    return price


def _lines(entry: Entry) -> Iterator[tuple[str, str | None]]:
    """The lines of a price as JSON, each with the column of the cell in it."""
    yield "{", None
    for name, value in entry.items():
        if isinstance(value, Mapping):
            before = _LONG if name == "longPrompts" else ""
            yield f"{json.dumps(name)}: {{", None
            yield from ((f"{json.dumps(rate)}: {json.dumps(one)},", f"{before}{rate}") for rate, one in value.items())
            yield "},", None
        else:
            yield f"{json.dumps(name)}: {json.dumps(value)},", name
    yield "}", None


def _start_of_cell(line: str, place: int) -> int:
    """The column, from 1, at which a cell of a line begins."""
    is_quoted, left = False, place
    for at, character in enumerate(line):
        if not left:
            return at + 1
        if character == _QUOTE:
            is_quoted = not is_quoted
        elif character == _SEPARATOR and not is_quoted:
            left -= 1
    return len(line) + 1


def _wrong(place: Location, message: str, hint: str = "") -> ManifestError:
    return ManifestError([Diagnostic(place, Code.INVALID_VALUE, message, hint)])
