"""The last error of an attempt, for documents."""

from __future__ import annotations

from batchctl.model.attempts import Trouble
from batchctl.model.json_value import Json
from batchctl.model.times import rfc3339


def trouble_fields(trouble: Trouble | None) -> dict[str, Json] | None:
    """`lastError` of `status` and `describe`; null if there is none."""
    if trouble is None:
        return None
    return {
        "operation": trouble.operation.value,
        "code": trouble.code,
        "message": trouble.message,
        "wayOut": trouble.hint,
        "tries": trouble.tries,
        "firstTime": rfc3339(trouble.first_time),
        "time": rfc3339(trouble.last_time),
        "nextTime": rfc3339(trouble.next_time),
        "until": rfc3339(trouble.until),
    }
