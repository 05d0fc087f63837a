"""Opens an account on whichever API it is: the one place that knows which provider belongs to which API.

Where an account answers, and whether it may get credentials, is decided by the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import assert_never

from batchctl.model.keys import Account, Api
from batchctl.model.ports import Provider
from batchctl.providers.credentials import Credentials, gemini_key
from batchctl.providers.gemini.provider import open_gemini
from batchctl.providers.http.clients import check_environment
from batchctl.providers.turns import Turns
from batchctl.providers.wire import Owner, Place, Wire

_PLACEHOLDER = "emulator"
"""What an emulator gets as key and token: it must never see a real one."""


class Shared:
    """What all accounts of a command have together. Safe for threads."""

    def __init__(self) -> None:
        self.turns = Turns()
        """At the staging buckets: accounts of several locations may have one."""
        self._lock = threading.Lock()
        self._google: Credentials | None = None

    def google(self) -> Credentials:
        """The credentials of all accounts on Google's cloud: looked up once, with one token.

        Raises BatchctlError when there are none; then whoever comes next looks again.
        """
        # Costs as much as all of the rest, and most commands of a stack on Gemini alone never need it.
        from batchctl.providers.google_credentials import GoogleCredentials

        with self._lock:
            if self._google is None:
                self._google = GoogleCredentials()
            return self._google


def open_account(
    account: Account, place: Place, owner: Owner, env: Mapping[str, str], shared: Shared, wire: Wire
) -> Provider:
    """The provider of an account. Raises BatchctlError when there are no credentials for it."""
    if wire.transport is None:
        check_environment((place.base_url, place.storage_url))
    match account.api:
        case Api.GEMINI:
            return open_gemini(
                account, place, owner, wire, api_key=_PLACEHOLDER if place.is_emulator else gemini_key(env)
            )
        case Api.VERTEX:
            # As costly as Google's credentials.
            from batchctl.providers.google_credentials import StaticToken
            from batchctl.providers.vertex.provider import open_vertex

            credentials = StaticToken(_PLACEHOLDER) if place.is_emulator else shared.google()
            return open_vertex(account, place, owner, wire, credentials=credentials, turns=shared.turns)
        case _:
            assert_never(account.api)
