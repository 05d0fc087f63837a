"""The trouble of an attempt as one cell: a readable JSON object."""

from __future__ import annotations

from batchctl.model.attempts import Operation, Trouble
from batchctl.model.errors import Effect
from batchctl.model.json_value import Json
from batchctl.state.cells import (
    json_cell,
    read_number,
    read_object,
    read_optional_time,
    read_text,
    read_time,
    time_cell,
)


def trouble_cell(trouble: Trouble | None) -> str | None:
    """The cell; NULL without a trouble."""
    if trouble is None:
        return None
    return json_cell({
        "operation": trouble.operation.value,
        "code": trouble.code,
        "message": trouble.message,
        "hint": trouble.hint,
        "firstTime": time_cell(trouble.first_time),
        "lastTime": time_cell(trouble.last_time),
        "tries": trouble.tries,
        "nextTime": time_cell(trouble.next_time),
        "until": time_cell(trouble.until),
        "effect": None if trouble.effect is None else trouble.effect.value,
    })  # fmt: skip


def read_optional_trouble(cell: Json) -> Trouble | None:
    """The trouble from `trouble_cell`.

    States of older versions have no effect, and an older version drops it: nothing but words depends on it.
    """
    if cell is None:
        return None
    stored = read_object(cell)
    effect = stored.get("effect")
    return Trouble(
        operation=Operation(stored["operation"]),
        code=read_text(stored["code"]),
        message=read_text(stored["message"]),
        hint=read_text(stored["hint"]),
        first_time=read_time(stored["firstTime"]),
        last_time=read_time(stored["lastTime"]),
        tries=read_number(stored["tries"]),
        next_time=read_optional_time(stored["nextTime"]),
        until=read_optional_time(stored["until"]),
        effect=None if effect is None else Effect(effect),
    )
