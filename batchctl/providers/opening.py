"""Opens an account on whichever API it is: the one place that knows which provider belongs to which API.

Where an account answers, and whether it may get credentials, is decided by the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import assert_never

import httpx

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.desired import Stack
from batchctl.model.keys import Account, Api, short_uid
from batchctl.model.ports import Clock, Provider
from batchctl.providers.clients import check_environment
from batchctl.providers.credentials import Credentials, gemini_key
from batchctl.providers.gemini.provider import open_gemini
from batchctl.providers.turns import Turns

_PLACEHOLDER = "emulator"
"""What an emulator gets as key and token: it must never see a real one."""


@dataclass(frozen=True)
class Place:
    """Where an account's services answer."""

    base_url: str
    storage_url: str
    """Cloud Storage."""
    bigquery_url: str
    is_emulator: bool = False
    """Then no credentials are looked for, and none are sent."""
    transport: httpx.BaseTransport | None = None
    """The embedded emulator's; None for the network."""


@dataclass(frozen=True)
class Wishes:
    """What the stack's providers say of how an account is spoken to. No part of what the account is."""

    api_version: str = "v1"
    staging_bucket: str | None = None
    user_project: str | None = None


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
    account: Account,
    place: Place,
    stack: Stack,
    env: Mapping[str, str],
    clock: Clock,
    wishes: Wishes,
    shared: Shared,
    activity: Activity = UNWATCHED,
) -> Provider:
    """The provider of an account. Raises BatchctlError when there are no credentials for it."""
    if place.transport is None:
        check_environment((place.base_url, place.storage_url))
    limits, random = stack.limits, SystemRandom().random
    match account.api:
        case Api.GEMINI:
            return open_gemini(
                account,
                api_key=_PLACEHOLDER if place.is_emulator else gemini_key(env),
                base_url=place.base_url,
                uid=short_uid(stack.uid),
                file_min_life=limits.file_min_life,
                create_timeout=limits.create_timeout,
                read_timeout=limits.read_timeout,
                display_name_limit=limits.display_name,
                line_limit=limits.line_bytes,
                clock=clock,
                random=random,
                api_version=wishes.api_version,
                transport=place.transport,
                activity=activity,
            )
        case Api.VERTEX:
            # As costly as Google's credentials.
            from batchctl.providers.google_credentials import StaticToken
            from batchctl.providers.vertex.provider import open_vertex

            return open_vertex(
                account,
                stack=stack.name,
                uid=short_uid(stack.uid),
                credentials=StaticToken(_PLACEHOLDER) if place.is_emulator else shared.google(),
                base_url=place.base_url,
                storage_url=place.storage_url,
                bigquery_url=place.bigquery_url,
                staging_bucket=wishes.staging_bucket,
                turns=shared.turns,
                create_timeout=limits.create_timeout,
                read_timeout=limits.read_timeout,
                display_name_limit=limits.display_name,
                line_limit=limits.line_bytes,
                clock=clock,
                random=random,
                api_version=wishes.api_version,
                user_project=wishes.user_project,
                transport=place.transport,
                activity=activity,
            )
        case _:
            assert_never(account.api)
