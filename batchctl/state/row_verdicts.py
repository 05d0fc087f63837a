"""The verdicts on rows in the state: an attempt's counts by code, and how a job's rows are judged."""

from __future__ import annotations

import json

from batchctl.model.desired import Json
from batchctl.model.row_settings import RowSettings
from batchctl.state.cells import (
    Cell,
    CellError,
    NewerError,
    json_cell,
    read_flag,
    read_number,
    read_object,
    read_text,
    read_texts,
)

_ACCEPT = "accept"


def read_verdicts(cell: Json) -> dict[str, int]:
    """Rows by verdict; NULL where they were not judged."""
    return {} if cell is None else {code: read_number(number) for code, number in read_object(cell).items()}


def read_accepted(cell: Json) -> frozenset[str]:
    """The codes that count as good; NULL where none does but `OK`."""
    return frozenset() if cell is None else frozenset(read_texts(cell))


def flag_cell(flag: bool | None) -> int | None:
    """0, 1 or NULL."""
    return None if flag is None else int(flag)


def read_optional_flag(cell: Json) -> bool | None:
    """A flag from `flag_cell`."""
    return None if cell is None else read_flag(cell)


def row_settings_cell(settings: RowSettings) -> Cell:
    """All that differs from the default; NULL where nothing does."""
    return None if settings == RowSettings() else json_cell({_ACCEPT: sorted(settings.accept)})


def read_row_settings(cell: Json) -> RowSettings:
    """The settings from `row_settings_cell`.

    Raises CellError, and NewerError for members that this batchctl does not know: they must not be dropped.
    """
    found = {} if cell is None else read_object(cell)
    unknown = found.keys() - {_ACCEPT}
    if unknown:
        raise NewerError(f"its row settings have {', '.join(sorted(unknown))}")
    accept = found.get(_ACCEPT, [])
    if not isinstance(accept, list):
        raise CellError(f"expected a list of codes, found {json.dumps(accept)}")
    return RowSettings(accept=frozenset(map(read_text, accept)))
