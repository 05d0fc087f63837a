"""Numbers in answers, which come from outside."""

from __future__ import annotations

from batchctl.model.json_value import Json

MOST_COUNT = 2**31
"""No row has so many tokens: models take a few million."""
_MOST_DIGITS = 10


def read_count(found: Json) -> int | None:
    """A plausible number of tokens, which the wire may have as a text; None for anything else."""
    if type(found) is int:
        return found if 0 <= found < MOST_COUNT else None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _MOST_DIGITS:
        return read_count(int(found))
    return None
