"""Credentials of API calls: the headers that carry them, and the guarantee that nothing else does.

An object that holds a secret never shows it; the secret leaves only through `headers`.
Source: reference 1.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import Fact
from batchctl.providers.redaction import are_clean, blanked, blanked_each, blanked_json

KEY_VARIABLES = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
"""Environment variables of the API key; the first one that is set is used."""

_HINT = (
    "set GOOGLE_API_KEY or GEMINI_API_KEY in the environment; create a key at https://aistudio.google.com/apikey. "
    "`endpoint: emulator` needs none"
)
_FINGERPRINT_LENGTH = 8
_KEY = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True)
class Token:
    """An access token. Its `repr` does not show it."""

    value: str = field(repr=False)
    expiry: datetime | None
    """In UTC; None when the reply gave no expiry."""


class Credentials(Protocol):
    """Authenticates calls to one service."""

    def headers(self) -> Mapping[str, str]:
        """The headers for every call to the endpoint, and for no other address."""
        ...

    def redact(self, text: str) -> str:
        """The text with every secret of these credentials blanked."""
        ...

    def redact_json(self, value: Json) -> Json:
        """The JSON value with the secrets blanked in all its texts."""
        ...

    def redact_each(self, values: Sequence[bytes]) -> Sequence[bytes]:
        """The same for JSON objects that `encoded` has written."""
        ...

    def is_clean(self, parts: Iterable[bytes]) -> bool:
        """Whether such objects certainly have none of the secrets. Each of their texts is whole in one of `parts`."""
        ...

    def facts(self) -> Sequence[Fact]:
        """The identity behind these credentials, for `doctor`. Raises BatchctlError when they cannot be used."""
        ...

    def renew(self, refused: Mapping[str, str]) -> None:
        """Fetch new credentials after a 401 to a call with these headers, where that is possible.

        Many calls that are refused at the same time cause one renewal. Raises ApiError.
        """
        ...


class ApiKey:
    """An API key of the Gemini Developer API. Raises BatchctlError when the text cannot be a key."""

    def __init__(self, value: str) -> None:
        if not _KEY.fullmatch(value):
            raise BatchctlError(
                "the API key contains invalid characters (spaces, control characters or non-ASCII letters)",
                code=ErrorCode.INVALID_KEY,
                hint=_HINT,
            )
        self._value = value

    def __repr__(self) -> str:
        return "ApiKey(***)"

    def headers(self) -> Mapping[str, str]:
        return {"x-goog-api-key": self._value}

    def redact(self, text: str) -> str:
        return blanked(text, (self._value,))

    def redact_json(self, value: Json) -> Json:
        return blanked_json(value, (self._value,))

    def redact_each(self, values: Sequence[bytes]) -> Sequence[bytes]:
        return blanked_each(values, (self._value,))

    def is_clean(self, parts: Iterable[bytes]) -> bool:
        return are_clean(parts, (self._value,))

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart without helping anyone to guess one."""
        return hashlib.sha256(self._value.encode()).hexdigest()[:_FINGERPRINT_LENGTH]

    def facts(self) -> Sequence[Fact]:
        return (Fact("credentials", f"API key with the fingerprint {self.fingerprint}"),)

    def renew(self, refused: Mapping[str, str]) -> None:
        """Does nothing: an API key cannot be renewed."""


def gemini_key(env: Mapping[str, str]) -> str:
    """The API key in the environment. GOOGLE_API_KEY takes precedence over GEMINI_API_KEY; blank values are ignored.

    Raises BatchctlError with code `NoCredentials` when no key is set, `InvalidKey` when the value cannot be a key.
    """
    for variable in KEY_VARIABLES:
        value = env.get(variable, "").strip()
        if value:
            ApiKey(value)
            return value
    raise BatchctlError("no API key for the Gemini API", code=ErrorCode.NO_CREDENTIALS, hint=_HINT)
