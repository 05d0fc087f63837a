"""Application Default Credentials: where they are found, and how google-auth's library is made to use them.

Finds and loads; when to fetch a token is decided in `google_credentials`. google-auth's own search is not used: for
metadata servers and workload identities it needs `requests`, which batchctl does not have. Importing this module
imports google-auth.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

from google.auth import exceptions

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import ApiError, BatchctlError, ConnectionFailed, Unauthenticated
from batchctl.providers.credentials import Token
from batchctl.providers.google_metadata import MetadataServer, find_metadata_server
from batchctl.providers.google_transport import TokenTransport, no_token
from batchctl.providers.texts import as_object, capped

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""All that Vertex AI, Cloud Storage and BigQuery want (reference chapter 3)."""
_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_QUOTA_VARIABLE = "GOOGLE_CLOUD_QUOTA_PROJECT"
_QUOTA_PROJECT = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LOGIN = "`gcloud auth application-default login`"
_WAYS = (
    f"{_LOGIN}, or let {_FILE_VARIABLE} name a key file or a workload identity configuration, or run where a service "
    "account is attached. `endpoint: emulator` needs none"
)
_FETCH_SECONDS = 60.0
"""How long one refresh may take, all its calls together."""
_KINDS: Mapping[str, tuple[str, str, bool]] = {
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info", False),
    "external_account_authorized_user": ("google.auth.external_account_authorized_user", "from_info", False),
    "impersonated_service_account": (
        "google.auth.impersonated_credentials",
        "from_impersonated_service_account_info",
        True,
    ),
    "service_account": ("google.oauth2.service_account", "from_service_account_info", True),
    "external_account": ("google.auth.identity_pool", "from_info", True),
    "external_account: aws": ("google.auth.aws", "from_info", True),
    "external_account: executable": ("google.auth.pluggable", "from_info", True),
}
"""By the file's `type`: the module with its class, the class method that reads it, whether scopes are asked for.

A user's scopes are settled at log-in.
"""
_AWS = "urn:ietf:params:aws:token-type:aws4_request"
_SECRET_MEMBERS = frozenset({"private_key", "refresh_token", "client_secret"})
_TOKEN = re.compile(r"[!-~]{1,16384}")
_SIGNS: Mapping[str, str] = {
    "eauth": f"the log-in has run out: {_LOGIN}",
    "invalid_grant": f"the log-in or the key was revoked, or this machine's clock is wrong: {_LOGIN}, or a new key",
    "impersonated": "the principal needs roles/iam.serviceAccountTokenCreator on the service account it acts as",
}
"""What a token service's words ask for; the first that fits."""
_LONG_RUN = re.compile(r"[A-Za-z0-9_+=-]{40,}")
"""Whatever else a token service repeats of what it was sent; no name of Google's is that long in one piece."""


class _Library(Protocol):
    """What is used of google-auth's credentials, which have no types of their own."""

    token: object
    expiry: datetime | None
    """In UTC, without saying so."""

    @property
    def quota_project_id(self) -> str | None: ...

    @property
    def valid(self) -> bool: ...

    def refresh(self, request: TokenTransport) -> None: ...


class DefaultCredentials:
    """The credentials of the environment. Not safe for threads: one at a time may use it.

    Raises BatchctlError with code `NoCredentials` when there are none, `InvalidKey` when their file is not sound.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        found = _find_file(env)
        self._library: _Library
        self.secrets: tuple[str, ...] = ()
        """Texts of the file that must not be shown."""
        if found is None:
            self._library = _find_machine(env)
            self.principal = "the service account of this machine, by its metadata server"
        else:
            path, info = found
            self._library = _load(path, info)
            self.secrets = tuple(_secrets(info))
            self.principal = _principal(info, self._library)
        self.quota_project = str(env.get(_QUOTA_VARIABLE) or self._library.quota_project_id or "")
        if self.quota_project and not _QUOTA_PROJECT.fullmatch(self.quota_project):
            raise BatchctlError(
                f"not a project: the quota project {self.quota_project[:80]!r}",
                code=ErrorCode.INVALID_KEY,
                hint=f"correct {_QUOTA_VARIABLE}, or the credentials' file",
            )

    @property
    def is_fresh(self) -> bool:
        """Whether the last token will do for a while yet."""
        return self._library.valid

    def fetch(self) -> Token:
        """Get a new token. Raises whatever google-auth raises; `token_failure` tells what that means."""
        self._library.refresh(TokenTransport(_FETCH_SECONDS))
        value, expiry = self._library.token, self._library.expiry
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise no_token("the answer holds no token")
        return Token(value, expiry.replace(tzinfo=UTC) if expiry is not None else None)


def token_failure(exc: Exception, redact: Callable[[str], str]) -> ApiError:
    """What a failed refresh means for a call that wanted the token: nothing was sent, whatever went wrong."""
    words = _LONG_RUN.sub("***", redact(_words(exc)))
    message = f"no access token: {capped(words) or type(exc).__name__}"
    if isinstance(exc, exceptions.TransportError | InterruptedError) or getattr(exc, "retryable", False):
        return ConnectionFailed(message, hint="nothing was sent: check the network and HTTPS_PROXY, or try again later")
    hint = next((hint for sign, hint in _SIGNS.items() if sign in words), _WAYS)
    return Unauthenticated(message, http=401, hint=hint)


def _words(exc: Exception) -> str:
    """What the library says, with the token service's own message where that stands beside it."""
    said = [str(part) for part in exc.args[:1]]
    if len(exc.args) > 1 and isinstance(exc.args[1], str):
        try:
            error = as_object(as_object(json.loads(exc.args[1])).get("error"))
        except (ValueError, RecursionError):
            error = {}
        said += [error["message"]] if isinstance(error.get("message"), str) else []
    return ": ".join(said)


def _find_file(env: Mapping[str, str]) -> tuple[str, dict[str, Json]] | None:
    """The file with credentials, read; None when the environment has none."""
    named = env.get(_FILE_VARIABLE, "").strip()
    if named:
        return named, _read(named, f"{_FILE_VARIABLE} names it")
    path = _login_file(env)
    return (str(path), _read(str(path), f"made by {_LOGIN}; log in again")) if path.is_file() else None


def _login_file(env: Mapping[str, str]) -> Path:
    """Where gcloud keeps what a log-in gave."""
    if folder := env.get("CLOUDSDK_CONFIG"):
        base = Path(folder)
    elif os.name == "nt":  # pragma: no cover  # what a test can see depends on the system
        base = Path(env.get("APPDATA", "C:\\")) / "gcloud"
    else:
        base = Path(env.get("HOME") or Path.home()) / ".config" / "gcloud"
    return base / "application_default_credentials.json"


def _read(path: str, origin: str) -> dict[str, Json]:
    try:
        info = json.loads(Path(path).read_bytes())
    except OSError as exc:
        raise _unsound(path, f"it cannot be read: {exc.strerror}", origin) from exc
    except (ValueError, RecursionError) as exc:
        raise _unsound(path, "it is not JSON", origin) from exc
    if not isinstance(info, dict):
        raise _unsound(path, "it is not a JSON object", origin)
    return info


def _load(path: str, info: Mapping[str, Json]) -> _Library:
    kind = str(info.get("type"))
    if kind == "external_account":
        source = as_object(info.get("credential_source"))
        if info.get("subject_token_type") == _AWS:
            kind = "external_account: aws"
        elif "executable" in source:
            kind = "external_account: executable"
    if kind not in _KINDS:
        known = ", ".join(sorted(name for name in _KINDS if ":" not in name))
        raise _unsound(path, f"its type is {kind[:40]!r}, and none of {known}", _WAYS)
    module, method, is_scoped = _KINDS[kind]
    make = getattr(import_module(module).Credentials, method)
    try:
        loaded: _Library = make(info, scopes=_SCOPES) if is_scoped else make(info)
    except Exception as exc:  # the library raises whatever an odd file leads it to
        fault = f"as {kind.partition(':')[0]} it is not sound: {_LONG_RUN.sub('***', capped(str(exc)))}"
        raise _unsound(path, fault, "make or download it anew") from exc
    return loaded


def _find_machine(env: Mapping[str, str]) -> MetadataServer:
    found = find_metadata_server(env, _SCOPES)
    if found is None:
        raise BatchctlError("no Google credentials for Vertex AI", code=ErrorCode.NO_CREDENTIALS, hint=_WAYS)
    return found


def _principal(info: Mapping[str, Json], library: _Library) -> str:
    email = getattr(library, "service_account_email", None) or getattr(library, "account", None)
    kind = str(info["type"]).replace("_", " ")
    who = email if isinstance(email, str) and email else info.get("audience")
    return capped(f"{who} ({kind})") if isinstance(who, str) and who else kind


def _secrets(value: Json) -> Iterator[str]:
    """The secrets in a file, at any depth, as they stand there."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in _SECRET_MEMBERS and isinstance(item, str) and item:
                yield item
            else:
                yield from _secrets(item)


def _unsound(path: str, fault: str, hint: str) -> BatchctlError:
    return BatchctlError(f"{path}: {fault}", code=ErrorCode.INVALID_KEY, hint=hint)
