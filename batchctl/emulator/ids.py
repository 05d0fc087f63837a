"""New random ids in the formats of the real services."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits


def fresh_id(length: int) -> str:
    """Random lowercase letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def fresh_digits() -> str:
    """Eighteen random digits without a leading zero."""
    return str(10**17 + secrets.randbelow(9 * 10**17))
