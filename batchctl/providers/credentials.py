"""Who we are to an API: the headers that say so, and the care that nothing else does.

A secret lives in an object that never shows it; it leaves only through `headers`.
Source: reference 1.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import BatchctlError
from batchctl.model.ports import Fact
from batchctl.providers.redaction import blanked, blanked_json

KEY_VARIABLES = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
"""Where the key is looked for; the first that is set counts."""

_HINT = (
    "set GOOGLE_API_KEY or GEMINI_API_KEY in the environment; keys are made at https://aistudio.google.com/apikey. "
    "`endpoint: emulator` needs none"
)
_FINGERPRINT_LENGTH = 8
_KEY = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True)
class Token:
    """An access token, which does not show itself."""

    value: str = field(repr=False)
    expiry: datetime | None
    """In UTC; None when it does not say."""


class Credentials(Protocol):
    """What makes a call ours."""

    def headers(self) -> Mapping[str, str]:
        """The headers that go with every call to the endpoint, and nowhere else."""
        ...

    def redact(self, text: str) -> str:
        """The text without any secret that these credentials hold."""
        ...

    def redact_json(self, value: Json) -> Json:
        """The same for all texts in a JSON value."""
        ...

    def facts(self) -> Sequence[Fact]:
        """Who they say we are, for `doctor`. Raises BatchctlError when they cannot be used."""
        ...

    def renew(self, refused: Mapping[str, str]) -> None:
        """Get new ones after a 401 to a call with these headers, where there is a way to get any.

        Many calls that are refused together renew once. Raises ApiError.
        """
        ...


class ApiKey:
    """An API key of the Gemini Developer API. Raises BatchctlError when the text cannot be one."""

    def __init__(self, value: str) -> None:
        if not _KEY.fullmatch(value):
            raise BatchctlError(
                "the API key holds characters that no key has (spaces, control characters or letters beyond ASCII)",
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

    @property
    def fingerprint(self) -> str:
        """Enough to tell two keys apart, and nothing that helps to guess one."""
        return hashlib.sha256(self._value.encode()).hexdigest()[:_FINGERPRINT_LENGTH]

    def facts(self) -> Sequence[Fact]:
        return (Fact("credentials", f"API key with the fingerprint {self.fingerprint}"),)

    def renew(self, refused: Mapping[str, str]) -> None:
        """Nothing to do: a key is what it is."""


def gemini_key(env: Mapping[str, str]) -> str:
    """The API key in the environment; GOOGLE_API_KEY wins over GEMINI_API_KEY, blank ones do not count.

    Raises BatchctlError with code `NoCredentials` when there is none, `InvalidKey` when it cannot be a key.
    """
    for variable in KEY_VARIABLES:
        value = env.get(variable, "").strip()
        if value:
            ApiKey(value)
            return value
    raise BatchctlError("no API key for the Gemini API", code=ErrorCode.NO_CREDENTIALS, hint=_HINT)
