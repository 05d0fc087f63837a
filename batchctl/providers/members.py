"""Members that the jobs of both APIs have, read leniently: a wrong value is an unknown one, never a failure.

Source: reference 1.4, 3.1, chapters 5 and 9.
"""

from __future__ import annotations

import math
import re

from batchctl.model.observed import Status
from batchctl.model.states import JobState, normalise_state
from batchctl.providers.texts import capped, whole_characters

_STATE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_COUNT = re.compile(r"[0-9]{1,18}")


def job_state(wire: object) -> str:
    """The normalised state; `JOB_STATE_UNSPECIFIED`, which nobody acts on, for what cannot be one."""
    if not isinstance(wire, str) or not _STATE.fullmatch(wire):
        return JobState.UNSPECIFIED.value
    return normalise_state(wire)


def text(value: object) -> str:
    """A text that can be stored; empty for anything else."""
    return whole_characters(value) if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A count of zero or more: an int64, which proto-JSON writes as a string; a number is taken too."""
    digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(digits) if _COUNT.fullmatch(digits) else None


def status(value: object) -> Status | None:
    """A google.rpc.Status inside a job, its message capped; None when there is none."""
    if not isinstance(value, dict):
        return None
    code = value.get("code")
    known = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 2**31  # an int32 on the wire
    return Status(code if known else None, capped(text(value.get("message"))))


def key_text(value: object) -> str | None:
    """A row's key: a text, or the number that an importer made of one; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    return value if isinstance(value, str) else None


def is_number(value: object) -> bool:
    """Whether a value is a number, and none of the two truth values."""
    return isinstance(value, int | float) and not isinstance(value, bool)
