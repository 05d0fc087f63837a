"""Reads google.rpc.Status in the body of an HTTP error.

Source: reference chapter 9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.json_value import Json
from batchctl.providers.reply_times import parse_seconds
from batchctl.providers.untrusted_text import as_object, parse_json

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}")


class RpcStatus(Struct, frozen=True):
    """An API's error; every part may be missing. `message` is neither shortened nor cleaned."""

    message: str = ""
    status: str = ""
    """The name of the rpc code, such as `RESOURCE_EXHAUSTED`."""
    reason: str = ""
    """From ErrorInfo, such as `API_KEY_INVALID`."""
    retry_delay: float | None = None
    """Seconds, from RetryInfo."""
    permission: str = ""
    """The missing permission, from ErrorInfo, such as `aiplatform.batchPredictionJobs.create`."""
    resource: str = ""
    """The resource of the missing permission, from ErrorInfo."""
    quota: str = ""
    """The quota that is exhausted, from QuotaFailure, with its limit."""


def read_status(body: bytes) -> RpcStatus | None:
    """Read an error body; None when it is not a google.rpc.Status in JSON."""
    try:
        value = parse_json(body)
    except ValueError:
        return None
    # Services that stream their replies wrap an error into a list.
    error = as_object(value[0] if isinstance(value, list) and len(value) == 1 else value).get("error")
    if not isinstance(error, dict) or not error.keys() & {"code", "message", "status"}:
        return None
    message = error.get("message")
    found = RpcStatus(message if isinstance(message, str) else "", _name(error.get("status")))
    details = error.get("details")
    for detail in map(as_object, details if isinstance(details, list) else []):
        found = _with_detail(found, detail)
    return found


def _with_detail(found: RpcStatus, detail: Mapping[str, Json]) -> RpcStatus:
    kind = str(detail.get("@type", "")).rpartition("/")[2]
    if kind == "google.rpc.ErrorInfo" and not found.reason:
        about = as_object(detail.get("metadata"))
        permission, resource = _text(about.get("permission")), _text(about.get("resource"))
        return replace(found, reason=_name(detail.get("reason")), permission=permission, resource=resource)
    if kind == "google.rpc.RetryInfo":
        return replace(found, retry_delay=parse_seconds(detail.get("retryDelay"), "s"))
    if kind == "google.rpc.QuotaFailure" and not found.quota:
        violations = detail.get("violations")
        quotas = map(_quota, violations if isinstance(violations, list) else [])
        return replace(found, quota=next((quota for quota in quotas if quota), ""))
    return found


def _quota(violation: object) -> str:
    fields = as_object(violation)
    name = _text(fields.get("quotaId")) or _text(fields.get("quotaMetric"))
    value = fields.get("quotaValue")
    is_number = isinstance(value, str | int) and str(value).isdecimal()
    return f"{name} = {value}" if name and is_number else name


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
