"""The metadata server of a machine at Google: whether there is one, and tokens of the service account attached to it.

Google-auth's library has this too, but only together with `requests`. Importing this module imports google-auth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx
from google.auth import credentials, exceptions

from batchctl.providers.google_transport import Answer, TokenTransport, no_token
from batchctl.providers.texts import as_object

_ADDRESS = "169.254.169.254"
_FLAVOR = {"Metadata-Flavor": "Google"}
"""Sent and answered: it tells the server from whatever else may answer at that address."""
_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105  a path, no token
_TRIES = 3
_PATIENCE = 1.5
"""Seconds for each try to find the server: on a machine elsewhere nobody answers at all."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class MetadataServer(credentials.Credentials):
    """The service account attached to this machine, to its container or to its pod."""

    def __init__(self, host: str, scopes: tuple[str, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's classes have no types
        self._url = f"http://{host}{_TOKEN_PATH}?scopes={','.join(scopes)}"

    def refresh(self, request: Callable[..., Answer]) -> None:
        """Fetch a token. Raises google-auth's errors."""
        answer = request(url=self._url, headers=_FLAVOR)
        if answer.status != httpx.codes.OK or not _is_google(answer):
            message = f"the metadata server answers with HTTP {answer.status}"
            if answer.status == httpx.codes.NOT_FOUND:
                message += ": no service account is attached to this machine"
            raise no_token(message, retryable=answer.status in _PASSING)
        found = as_object(json.loads(answer.data))
        self.token = found["access_token"]
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=found["expires_in"])


def find_metadata_server(env: Mapping[str, str], scopes: tuple[str, ...]) -> MetadataServer | None:
    """The machine's metadata server, `GCE_METADATA_HOST` before the usual address; None when nothing answers."""
    if env.get("NO_GCE_CHECK") == "true":
        return None
    host = env.get("GCE_METADATA_HOST") or _ADDRESS
    request = TokenTransport(_TRIES * _PATIENCE)
    for _ in range(_TRIES):
        try:
            answer = request(url=f"http://{host}/", headers=_FLAVOR, timeout=_PATIENCE)
        except exceptions.TransportError:
            continue
        return MetadataServer(host, scopes) if _is_google(answer) else None
    return None


def _is_google(answer: Answer) -> bool:
    flavor: str | None = answer.headers.get("metadata-flavor")
    return flavor == _FLAVOR["Metadata-Flavor"]
