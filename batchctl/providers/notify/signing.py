"""Signatures of webhooks by the Standard Webhooks scheme. Source: reference chapter 12.

A secret comes only from the environment, is never shown, and has no other use. A value that does not look like a
secret is refused, so that a stack file cannot make batchctl sign with another variable's value.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import HookUnusable

_PREFIX = "whsec_"
_SHORTEST = 24
"""Bytes of a key; a shorter one could be guessed."""
_HINT = "set it to `whsec_` and at least 24 random bytes in base64, the same as the receiver's"


def signing_keys(variable: str, env: Mapping[str, str]) -> list[bytes]:
    """The keys in a variable: one, or several during a receiver's key rotation.

    Raises HookUnusable.
    """
    words = env.get(variable, "").split()
    if not words:
        raise HookUnusable(f"{variable} is not set", code=ErrorCode.NO_WEBHOOK_SECRET, hint=_HINT)
    return [_key(word, variable) for word in words]


def _key(word: str, variable: str) -> bytes:
    try:
        key = base64.b64decode(word.removeprefix(_PREFIX), validate=True) if word.startswith(_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) < _SHORTEST:
        message = f"{variable} is not a webhook secret"
        raise HookUnusable(message, code=ErrorCode.NO_WEBHOOK_SECRET, hint=_HINT)
    return key


def signed_headers(identity: str, body: bytes, keys: Sequence[bytes], now: datetime) -> dict[str, str]:
    """The headers with which a receiver verifies the sender and the time of a body."""
    timestamp = str(int(now.timestamp()))
    signed = f"{identity}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
