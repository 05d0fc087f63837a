"""Enums as numbers in replies, as Google's generated clients request them: `$alt=json;enum-encoding=int`.

Pure. The numbers are those of the APIs' protos; a name without a known number stays a name. Source: reference 5, 2.2,
16.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.emulator.wire import JsonObject, Request

_JOB_STATES = (
    "UNSPECIFIED", "QUEUED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED", "PAUSED",
    "EXPIRED", "UPDATING", "PARTIALLY_SUCCEEDED",
)  # fmt: skip
_BATCH_STATES = ("UNSPECIFIED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
_NUMBERS: Mapping[str, Mapping[str, int]] = {
    "state": {
        **{f"JOB_STATE_{name}": number for number, name in enumerate(_JOB_STATES)},
        **{f"BATCH_STATE_{name}": number for number, name in enumerate(_BATCH_STATES)},
        "STATE_UNSPECIFIED": 0,
        "PROCESSING": 1,
        "ACTIVE": 2,
        "FAILED": 10,
    },
    "source": {"SOURCE_UNSPECIFIED": 0, "UPLOADED": 1, "GENERATED": 2, "REGISTERED": 3},
    "finishReason": {"FINISH_REASON_UNSPECIFIED": 0, "STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3, "RECITATION": 4},
    "launchStage": {"EXPERIMENTAL": 1, "PRIVATE_PREVIEW": 2, "PUBLIC_PREVIEW": 3, "GA": 4},
    "openSourceCategory": {"PROPRIETARY": 1},
    "versionState": {"VERSION_STATE_STABLE": 1, "VERSION_STATE_UNSTABLE": 2},
}
"""By the name of the member."""
_OWN = frozenset({"labels", "modelParameters", "userMetadata"})
"""Members with content of the caller's own; so is the `metadata` of a row, which has no `@type`."""


def wants_enum_numbers(request: Request) -> bool:
    """Whether the caller requests enums as numbers."""
    asked = request.param("$alt", "alt") or ""
    return "enum-encoding=int" in asked.split(";")


def with_enum_numbers(reply: JsonObject) -> JsonObject:
    """The reply with its enums as numbers."""
    return {name: _member(name, value) for name, value in reply.items()}


def _member(name: str, value: object) -> object:
    if isinstance(value, str):
        return _NUMBERS.get(name, {}).get(value, value)
    if isinstance(value, list):
        return [_member(name, item) for item in value]
    is_own = name in _OWN or (name == "metadata" and isinstance(value, dict) and "@type" not in value)
    return with_enum_numbers(value) if isinstance(value, dict) and not is_own else value
