"""The rows of a job by verdict, with examples, as `describe` shows them."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.observed import RowCounts
from batchctl.model.row_examples import RowExample
from batchctl.model.verdicts import RowVerdict
from batchctl.report.console import Console
from batchctl.report.layout import Row, outside, write_heading, write_table
from batchctl.report.text import Text

Examples = Mapping[str, tuple[RowExample, ...]]


def bad_verdicts(rows: RowCounts) -> dict[str, int]:
    """The number of rows of each verdict that is not good; rows that were not sent have not failed."""
    good = {RowVerdict.OK, RowVerdict.NOT_SENT, *rows.accepted}
    return {code: number for code, number in _by_number(rows) if code not in good}


def verdict_entries(rows: RowCounts, examples: Examples) -> list[dict[str, Json]]:
    """`verdicts` of `describe`: the most frequent one first."""
    return [
        {
            "verdict": code,
            "rows": number,
            "good": code == RowVerdict.OK or code in rows.accepted,
            "meaning": _meaning(code),
            "examples": [
                {"key": one.key, "index": one.index, "message": one.message} for one in examples.get(code, ())
            ],
        }
        for code, number in _by_number(rows)
    ]


def write_verdicts(console: Console, rows: RowCounts, examples: Examples) -> None:
    """The section, if the rows were judged."""
    found = _by_number(rows)
    if not found:
        return
    write_heading(console, "Rows by verdict")
    write_table(console, [_row(code, number, rows, examples.get(code, ())) for code, number in found], indent=2)


def _row(code: str, number: int, rows: RowCounts, examples: tuple[RowExample, ...]) -> Row:
    style = "green" if code == RowVerdict.OK or code in rows.accepted else "" if code == RowVerdict.NOT_SENT else "red"
    width = max((len(one.name) for one in examples), default=0)
    notes = [
        Text.assemble(outside(one.name.ljust(width)), "  ", outside(one.message, "dim"))
        if one.message
        else outside(one.name)
        for one in examples
    ]
    accepted = " (accepted)" if code in rows.accepted else ""
    return Row((outside(code, style), Text(f"{number:,}"), Text(f"{_meaning(code)}{accepted}")), tuple(notes))


def _by_number(rows: RowCounts) -> list[tuple[str, int]]:
    return sorted(
        ((code, number) for code, number in rows.verdicts.items() if number), key=lambda one: (-one[1], one[0])
    )


def _meaning(code: str) -> str:
    return next((one.meaning for one in RowVerdict if one.value == code), "")
