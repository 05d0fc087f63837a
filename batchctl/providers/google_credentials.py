"""Bearer tokens for Google's APIs, shared by all threads: fetched once, renewed before they expire, never shown.

Decides when to fetch a token, and which threads wait for it. `google_adc` finds the credentials; it is imported only
when they are needed, because google-auth takes longer to load than a complete command.
"""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import Fact
from batchctl.providers.credentials import Token
from batchctl.providers.redaction import are_clean, blanked, blanked_each, blanked_json, without_proxies

_HEADER = "authorization"
_REMEMBERED = 8
"""How many replaced tokens are still blanked: a late reply may echo an older one."""


class GoogleCredentials:
    """Application Default Credentials, which google-auth finds through the process's environment. Thread-safe.

    Raises BatchctlError with code `NoCredentials` when there are none, `InvalidKey` when their file is invalid.
    """

    def __init__(self) -> None:
        # google-auth's warnings are meant for developers, not for the user's standard error.
        warnings.filterwarnings("ignore", module=r"(google|requests)\b")
        from batchctl.providers.google_adc import DefaultCredentials

        self._source = DefaultCredentials()
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._flight: Future[Token] | None = None
        """The fetch in progress; every thread that needs its token waits for it."""
        self._handed_out: deque[str] = deque(maxlen=_REMEMBERED)

    def __repr__(self) -> str:
        return "GoogleCredentials(***)"

    def headers(self) -> Mapping[str, str]:
        """The headers of a call. Raises ApiError, whose effect is NONE, when no token is available."""
        named = {_HEADER: f"Bearer {self._current().value}"}
        if self._source.quota_project:
            named["x-goog-user-project"] = self._source.quota_project
        return named

    def redact(self, text: str) -> str:
        return blanked(text, self._secrets())

    def redact_json(self, value: Json) -> Json:
        return blanked_json(value, self._secrets())

    def redact_each(self, values: Sequence[bytes]) -> Sequence[bytes]:
        return blanked_each(values, self._secrets())

    def is_clean(self, parts: Iterable[bytes]) -> bool:
        return are_clean(parts, self._secrets())

    def _secrets(self) -> tuple[str, ...]:
        with self._lock:
            return (*self._handed_out, *self._source.secrets)

    def facts(self) -> Sequence[Fact]:
        """The identity and the token's expiry; fetches a token when there is none. Raises ApiError."""
        expiry = self._current().expiry
        until = f"valid until {expiry:%Y-%m-%d %H:%M:%S} UTC" if expiry else "expiry unknown"
        return (
            Fact("credentials", self._source.principal),
            Fact("quota project", self._source.quota_project or "none"),
            Fact("token", until),
        )

    def renew(self, refused: Mapping[str, str]) -> None:
        """Fetch a new token to replace the one in the refused headers, unless another thread has done so already.

        A metadata server may return the same token again for a while.
        """
        said = refused.get(_HEADER, "")
        with self._lock:
            token = self._token
            if token is not None and f"Bearer {token.value}" == said:
                self._token = None
        self._current()

    def _current(self) -> Token:
        """A token that is valid for a while; if there is none, one thread fetches it."""
        with self._lock:
            flight = self._flight
            if flight is None:
                if self._token is not None and self._source.is_fresh:
                    return self._token
                self._flight = mine = Future[Token]()
        if flight is None:
            self._fetch(mine)
            flight = mine
        problem = flight.exception()
        if isinstance(problem, Exception):
            from batchctl.providers.google_adc import token_failure

            # Each thread raises its own error. The library's error may contain what it sent, so it is not chained.
            raise token_failure(problem, lambda words: without_proxies(self.redact(words))) from None
        return flight.result()

    def _fetch(self, flight: Future[Token]) -> None:
        try:
            token = self._source.fetch()
        except BaseException as problem:
            with self._lock:
                self._flight = None
            if not isinstance(problem, Exception):
                # Only this thread was interrupted; the others may repeat their call.
                flight.set_exception(InterruptedError("the fetch was interrupted"))
                raise
            flight.set_exception(problem)
        else:
            with self._lock:
                self._flight, self._token = None, token
                self._handed_out.append(token.value)
            flight.set_result(token)


class StaticToken:
    """A fixed token: a placeholder for emulators, which do not check tokens."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "StaticToken(***)"

    def headers(self) -> Mapping[str, str]:
        return {_HEADER: f"Bearer {self._value}"}

    def redact(self, text: str) -> str:
        return blanked(text, (self._value,))

    def redact_json(self, value: Json) -> Json:
        return blanked_json(value, (self._value,))

    def redact_each(self, values: Sequence[bytes]) -> Sequence[bytes]:
        return blanked_each(values, (self._value,))

    def is_clean(self, parts: Iterable[bytes]) -> bool:
        return are_clean(parts, (self._value,))

    def facts(self) -> Sequence[Fact]:
        return (Fact("credentials", "none needed"),)

    def renew(self, refused: Mapping[str, str]) -> None:
        """Does nothing: a placeholder cannot be renewed."""
