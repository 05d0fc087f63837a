"""Application Default Credentials: google-auth finds and refreshes them; this module converts results and errors.

`google_credentials` decides when to fetch a token. Importing this module imports google-auth.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

import google.auth
from google.auth import exceptions
from google.auth.credentials import with_scopes_if_required

from batchctl.model.allowance import in_force
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BatchctlError, ConnectionFailed, Unauthenticated
from batchctl.providers.credentials import Token
from batchctl.providers.http.google_transport import TokenTransport
from batchctl.providers.untrusted_text import as_object, capped

# Part of google-auth logs without any handler, and Python would print that to standard error.
logging.getLogger("google").addHandler(logging.NullHandler())

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""The scope that Vertex AI, Cloud Storage and BigQuery need (reference chapter 3)."""
_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_QUOTA_PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LOGIN = "`gcloud auth application-default login`"
_WAYS = (
    f"{_LOGIN}, or set {_FILE_VARIABLE} to a key file or a workload identity configuration, or run where a service "
    "account is attached. `endpoint: emulator` needs none"
)
_NOTHING_FOUND = "default credentials were not found"
"""google-auth raises one class of error both for this and for an invalid credentials file."""
_SEARCH_SECONDS = 4.0
"""How long to wait for a metadata server: outside Google Cloud, no server answers."""
_FETCH_SECONDS = 60.0
"""Time limit of one refresh, all its calls together."""
_SECRET_MEMBERS = frozenset({"_refresh_token", "_client_secret"})
_SOURCE_MEMBER = "_source_credentials"
_TOKEN = re.compile(r"[!-~]{1,16384}")
_SIGNS: Mapping[str, str] = {
    "eauth": f"the login has expired: {_LOGIN}",
    "invalid_grant": f"the login or key was revoked, or this machine's clock is wrong: {_LOGIN}, or create a new key",
    "impersonated": "the principal needs roles/iam.serviceAccountTokenCreator on the service account it acts as",
    "metadata service": f"no service account is attached to this machine: attach one, or {_LOGIN}",
}
"""Hints by words in the token service's message; the first that matches is used."""
_LONG_RUN = re.compile(r"[A-Za-z0-9_+=-]{40,}")
"""Other secrets that a token service may echo. No Google resource name is that long without a separator."""


class _Library(Protocol):
    """The part of google-auth's credentials that is used here; the library has no types."""

    token: object
    expiry: datetime | None
    """In UTC, but without a time zone."""

    @property
    def quota_project_id(self) -> object: ...

    @property
    def valid(self) -> bool: ...

    def get_cred_info(self) -> Mapping[str, str] | None: ...

    def refresh(self, request: TokenTransport) -> None: ...


class DefaultCredentials:
    """The credentials of the environment. Not thread-safe.

    Raises BatchctlError with code `NoCredentials` when there are none, `InvalidKey` when their file is invalid.
    """

    def __init__(self) -> None:
        self._library = _find()
        self.quota_project = str(self._library.quota_project_id or "")
        if self.quota_project and not _QUOTA_PROJECT.fullmatch(self.quota_project):
            raise BatchctlError(
                f"invalid quota project: {self.quota_project[:80]!r}",
                code=ErrorCode.INVALID_KEY,
                hint="correct GOOGLE_CLOUD_QUOTA_PROJECT, or the credentials file",
            )

    @property
    def principal(self) -> str:
        """The account and the source of the credentials. A metadata server gives the name only with the first token."""
        about = self._library.get_cred_info() or {}
        who = about.get("principal") or as_object(getattr(self._library, "info", None)).get("audience")
        parts = (who, about.get("credential_type"), about.get("credential_source"))
        return capped(", ".join(str(part) for part in parts if part))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that a token service may echo and that must not be shown."""
        return tuple(_secrets(self._library))

    @property
    def is_fresh(self) -> bool:
        """Whether the last token is still valid for a while."""
        return self._library.valid

    def fetch(self) -> Token:
        """Get a new token. Raises google-auth's errors, which `token_failure` converts."""
        self._library.refresh(TokenTransport(min(_FETCH_SECONDS, in_force().left())))
        value, expiry = self._library.token, self._library.expiry
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise ValueError("the reply contains no token")
        return Token(value, expiry.replace(tzinfo=UTC) if expiry is not None else None)


def token_failure(exc: Exception, redact: Callable[[str], str]) -> ApiError:
    """The error for a call that could not get a token. Nothing was sent, whatever the reason."""
    wrapped = exc.args[0] if exc.args else None
    cause = wrapped if isinstance(wrapped, Exception) else exc
    words = _LONG_RUN.sub("***", redact(_words(cause)))
    message = f"could not get an access token: {capped(words) or type(exc).__name__}"
    if _is_passing(cause):
        return ConnectionFailed(message, hint="nothing was sent: check the network and HTTPS_PROXY, or try again later")
    hint = next((hint for sign, hint in _SIGNS.items() if sign in words), _WAYS)
    return Unauthenticated(message, http=401, hint=hint)


def _is_passing(exc: Exception) -> bool:
    if isinstance(exc, exceptions.TransportError):
        return len(exc.args) == 1  # a second argument is the service's answer: a refusal
    return isinstance(exc, TimeoutError | InterruptedError) or getattr(exc, "retryable", False)


def _words(exc: Exception) -> str:
    """google-auth's message, with the token service's own message if there is one."""
    said = [str(part) for part in exc.args[:1]]
    if len(exc.args) > 1 and isinstance(exc.args[1], str):
        try:
            error = as_object(as_object(json.loads(exc.args[1])).get("error"))
        except (ValueError, RecursionError):
            error = {}
        said += [error["message"]] if isinstance(error.get("message"), str) else []
    return ": ".join(said)


def _find() -> _Library:
    try:
        # Scopes are added afterwards: with them, google-auth would request the project of a workload identity, which
        # is not needed here and often not permitted, and would fetch a token for it.
        found, _ = google.auth.default(request=TokenTransport(_SEARCH_SECONDS))  # type: ignore[arg-type]  # it is called
        scoped: _Library = with_scopes_if_required(found, _SCOPES)  # type: ignore[no-untyped-call]  # has no types
    except Exception as exc:  # an invalid file makes the library raise all kinds of errors
        if isinstance(exc, TimeoutError) or _NOTHING_FOUND in str(exc):
            raise BatchctlError(
                "no Google credentials for Vertex AI or Cloud Storage", code=ErrorCode.NO_CREDENTIALS, hint=_WAYS
            ) from exc
        raise _invalid_file(exc) from exc
    return scoped


def _invalid_file(exc: Exception) -> BatchctlError:
    place = os.environ.get(_FILE_VARIABLE) or f"the file of {_LOGIN}"
    fault = _LONG_RUN.sub("***", ": ".join(str(part) for part in exc.args)) or type(exc).__name__
    hint = f"create it again with {_LOGIN}, download a new key, or set {_FILE_VARIABLE} to another file"
    return BatchctlError(f"invalid credentials in {place}: {capped(fault)}", code=ErrorCode.INVALID_KEY, hint=hint)


def _secrets(library: object) -> Iterator[str]:
    """The secrets in these credentials and in their source credentials."""
    for name, value in vars(library).items():
        if name in _SECRET_MEMBERS and isinstance(value, str):
            yield value
        elif name == _SOURCE_MEMBER:
            yield from _secrets(value)
