"""The verdicts on rows in the state: an attempt's counts by code, and how a job's rows are judged."""

from __future__ import annotations

from batchctl.model.attempts import MergedResults
from batchctl.model.json_value import Json
from batchctl.model.observed import RowCounts
from batchctl.model.row_settings import Fallback, RowSettings
from batchctl.model.row_work import RowsSent
from batchctl.model.sent_with import SentWith
from batchctl.state.cells import (
    Cell,
    CellError,
    NewerError,
    json_cell,
    read_flag,
    read_number,
    read_object,
    read_optional_number,
    read_text,
    read_texts,
)

_ACCEPT, _REUSE, _ATTEMPTS, _FALLBACK = "accept", "reuse", "maxAttempts", "fallback"


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
    standard = RowSettings()
    found: dict[str, Json] = {
        _ACCEPT: sorted(settings.accept) if settings.accept else None,
        _REUSE: settings.reuse if settings.reuse != standard.reuse else None,
        _ATTEMPTS: settings.max_attempts if settings.max_attempts != standard.max_attempts else None,
    }
    found[_FALLBACK] = [{"when": sorted(one.when), "sentWith": one.change.plain} for one in settings.fallbacks] or None
    given = {name: value for name, value in found.items() if value is not None}
    return json_cell(given) if given else None


def read_row_settings(cell: Json) -> RowSettings:
    """The settings from `row_settings_cell`.

    Raises CellError, and NewerError for members that this batchctl does not know: they must not be dropped.
    """
    found = {} if cell is None else read_object(cell)
    unknown = found.keys() - {_ACCEPT, _REUSE, _ATTEMPTS, _FALLBACK}
    if unknown:
        raise NewerError(f"its row settings have {', '.join(sorted(unknown))}")
    accept = found.get(_ACCEPT, [])
    if not isinstance(accept, list):
        raise CellError(f"expected a list of codes, found {accept!r}")
    standard = RowSettings()
    reuse = found.get(_REUSE, standard.reuse)
    if not isinstance(reuse, bool):
        raise CellError(f"expected a flag, found {reuse!r}")
    attempts = read_number(found.get(_ATTEMPTS, standard.max_attempts))
    fallbacks = tuple(map(_read_fallback, found.get(_FALLBACK, ())))
    return RowSettings(frozenset(map(read_text, accept)), reuse, attempts, fallbacks)


def _read_fallback(value: Json) -> Fallback:
    return Fallback(frozenset(map(read_text, value["when"])), SentWith.read(value["sentWith"]))


def sent_cell(sent: RowsSent | None) -> Cell:
    """The rows that an attempt sent, as JSON; NULL where batchctl did not choose them."""
    if sent is None:
        return None
    found = {"rows": sent.rows, "total": sent.total, "sha256": sent.sha256}
    found |= {"canary": True} if sent.is_canary else {}
    found |= {"verdicts": dict(sent.verdicts)} if sent.verdicts else {}
    found |= {"again": True} if sent.again else {}
    found |= {"sentWith": sent.sent_with.plain} if sent.sent_with else {}
    found |= {"shards": sent.shards} if sent.shards > 1 else {}
    found |= {"listed": sent.listed} if sent.listed else {}
    return json_cell(found if sent.tokens is None else {**found, "tokens": sent.tokens})


def read_sent(cell: Json) -> RowsSent | None:
    """The rows from `sent_cell`. Raises CellError and KeyError."""
    if cell is None:
        return None
    found = read_object(cell)
    return RowsSent(
        read_number(found["rows"]),
        read_number(found["total"]),
        read_text(found["sha256"]),
        found.get("canary") is True,
        {code: read_number(number) for code, number in found.get("verdicts", {}).items()},
        read_optional_number(found.get("tokens")),
        SentWith.read(found["sentWith"]) if "sentWith" in found else None,
        found.get("again") is True,
        read_number(found.get("shards", 1)),
        read_text(found.get("listed", "")),
    )


def merged_cell(merged: MergedResults | None) -> Cell:
    """The results of all shards, as JSON; NULL where there are none."""
    if merged is None:
        return None
    rows = merged.rows
    counts = {"total": rows.total, "ok": rows.ok, "failed": rows.failed, "verdicts": dict(rows.verdicts)}
    found = {"path": merged.path, **counts, "accepted": sorted(rows.accepted), "tooManyFailed": rows.too_many_failed}
    return json_cell(found)


def read_merged(cell: Json) -> MergedResults | None:
    """The results from `merged_cell`. Raises CellError and KeyError."""
    if cell is None:
        return None
    found = read_object(cell)
    too_many = found["tooManyFailed"]
    rows = RowCounts(
        read_optional_number(found["total"]),
        read_optional_number(found["ok"]),
        read_optional_number(found["failed"]),
        {code: read_number(number) for code, number in found["verdicts"].items()},
        frozenset(map(read_text, found["accepted"])),
        None if too_many is None else bool(too_many),
    )
    return MergedResults(read_text(found["path"]), rows)
