"""Members that the jobs of both APIs have, read leniently: an invalid value counts as unknown, never as a failure.

Source: reference 1.4, 3.1, chapters 5 and 9.
"""

from __future__ import annotations

import math
import re

from batchctl.model.observed import Status
from batchctl.model.states import JobState, normalise_state
from batchctl.providers.untrusted_text import capped, whole_characters

_STATE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_COUNT = re.compile(r"[0-9]{1,18}")


def job_state(wire: object) -> str:
    """The normalized state; `JOB_STATE_UNSPECIFIED`, on which batchctl never acts, for an invalid value."""
    if not isinstance(wire, str) or not _STATE.fullmatch(wire):
        return JobState.UNSPECIFIED.value
    return normalise_state(wire)


def text(value: object) -> str:
    """A text that can be stored; empty for anything else."""
    return whole_characters(value) if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A count of zero or more. Proto-JSON writes an int64 as a string; a number is accepted too."""
    digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(digits) if _COUNT.fullmatch(digits) else None


def status(value: object) -> Status | None:
    """The google.rpc.Status of a job, with its message shortened; None when there is none."""
    if not isinstance(value, dict):
        return None
    code = value.get("code")
    known = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 2**31  # an int32 in the API
    return Status(code if known else None, capped(text(value.get("message"))))


def key_text(value: object) -> str | None:
    """A row's key: a text, or a number, to which an importer may have converted it; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    return value if isinstance(value, str) else None


def is_number(value: object) -> bool:
    """Whether a value is a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
