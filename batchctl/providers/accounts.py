"""Opens an account: the one place that knows which provider implements which API.

The caller decides the address of an account, and whether it gets credentials.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import assert_never

from batchctl.model.keys import Account, Api
from batchctl.model.ports.providers import Provider
from batchctl.providers.credentials import Credentials, gemini_key
from batchctl.providers.http.clients import check_environment
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.wire import Owner, Place, Wire

PLACEHOLDER = "emulator"
"""The key and token for an emulator, which must never get real ones."""


class Shared:
    """Shared by all accounts of a command. Thread-safe."""

    def __init__(self) -> None:
        self.staging_locks = KeyLocks()
        """For staging buckets, which accounts in several locations may share."""
        self._lock = threading.Lock()
        self._google: Credentials | None = None

    def google(self) -> Credentials:
        """The credentials of all accounts on Google Cloud: found once, with one token.

        Raises BatchctlError when there are none; the next caller searches again.
        """
        # This import takes as long as all others, and most commands of a stack on Gemini alone do not need it.
        from batchctl.providers.google_credentials import GoogleCredentials

        with self._lock:
            if self._google is None:
                self._google = GoogleCredentials()
            return self._google


def open_account(
    account: Account, place: Place, owner: Owner, env: Mapping[str, str], shared: Shared, wire: Wire
) -> Provider:
    """The provider of an account. Raises BatchctlError when it has no credentials."""
    if wire.transport is None:
        check_environment((place.base_url, place.storage_url))
    match account.api:
        case Api.GEMINI:
            from batchctl.providers.gemini.provider import open_gemini

            return open_gemini(
                account, place, owner, wire, api_key=PLACEHOLDER if place.is_emulator else gemini_key(env)
            )
        case Api.VERTEX:
            # This import takes as long as that of Google's credentials.
            from batchctl.providers.google_credentials import StaticToken
            from batchctl.providers.vertex.provider import open_vertex

            credentials = StaticToken(PLACEHOLDER) if place.is_emulator else shared.google()
            return open_vertex(account, place, owner, wire, credentials=credentials, locks=shared.staging_locks)
        case _:
            assert_never(account.api)
