"""Variations of result files that were observed: early copies, repeated rows, texts as numbers.

Source: reference 16. The member `output` of a rule requests them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction

from batchctl.emulator.rules import OutputRule
from batchctl.emulator.wire import JsonObject

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_ANSWERS = frozenset({"response", "status", "processed_time", "error"})
_TRY: JsonObject = {
    "status": "Internal: a rule of the emulator fails this row once.",
    "response": {},
}


def shaped(lines: Iterator[JsonObject], rule: OutputRule) -> Iterator[JsonObject]:
    """The lines of a result file, varied by the rule."""
    for position, written in enumerate(lines):
        line = _counted(written) if rule.as_numbers else written
        if _takes(rule.repeated, position):
            yield {**line, **_TRY}
        yield line


def _counted(line: JsonObject) -> JsonObject:
    return {name: value if name in _ANSWERS else _as_numbers(value) for name, value in line.items()}


def early(lines: Iterator[JsonObject], rule: OutputRule, count: int) -> Iterator[JsonObject]:
    """The early lines that the rule requests."""
    return shaped((line for position, line in enumerate(lines) if position < rule.early * count), rule)


def extra(rule: OutputRule, count: int) -> int:
    """The number of lines beyond one per row."""
    return sum(_takes(rule.repeated, position) for position in range(count))


def _takes(share: Fraction, position: int) -> bool:
    return share > 0 and -(-(position + 1) * share // 1) > -(-position * share // 1)


def _as_numbers(value: object) -> object:
    """The value as an importer returns it that converts texts that look like numbers."""
    if isinstance(value, dict):
        return {name: _as_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_numbers(item) for item in value]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return json.loads(value.lstrip("0") or "0") if "." not in value else float(value)
    return value
