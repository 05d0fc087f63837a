"""How many tokens the API counted in the input of a job, by what its results say.

Owns the reading of a count that comes from outside: what is no sound number is none.
Source: reference 1.4 (`usageMetadata`; `tokenCount` of embeddings), 8.1, 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.desired import Json

_MOST = 2**31
"""No row has so many: models take a few million."""
_MOST_DIGITS = 10


def input_tokens(response: Mapping[str, Json]) -> int | None:
    """The tokens that the API counted in one row's input; None where it does not say, or nothing that makes sense."""
    usage = response.get("usageMetadata")
    found = usage.get("promptTokenCount") if isinstance(usage, Mapping) else response.get("tokenCount")
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _MOST_DIGITS:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if 0 <= found < _MOST else None
