"""Opens the provider of an account: its base URL, and whether it may get credentials."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

from msgspec.structs import replace

from batchctl.cli.workspace import Workspace
from batchctl.manifests.accounts import environment_url, resolve_account
from batchctl.manifests.trust import Origin, Trust
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import EMULATOR_ORIGIN, Account
from batchctl.model.ports.providers import Provider
from batchctl.model.ports.surroundings import Clock
from batchctl.model.stack import ProviderConfig, Stack
from batchctl.model.state_objects import ResultObjects
from batchctl.providers.accounts import PLACEHOLDER, Shared, open_account
from batchctl.providers.http.clients import check_environment
from batchctl.providers.http.urls import Transport
from batchctl.providers.wire import Owner, Place, Wire

_EMBEDDED_URL = "http://emulator.localhost"
_STORAGE_URL = "https://storage.googleapis.com"
_BIGQUERY_URL = "https://bigquery.googleapis.com"


class Connections:
    """Implements `ProviderFactory` with the stack's providers and the environment. Safe for threads."""

    def __init__(
        self, stack: Stack, env: Mapping[str, str], trust: Trust, clock: Clock, activity: Activity = UNWATCHED
    ) -> None:
        self._stack = stack
        self._env = env
        self._trust = trust
        self._clock = clock
        self._activity = activity
        self._embedded: Transport | None = None
        self._seeded = False
        self._one_emulator = threading.Lock()
        self._shared = Shared()

    def __call__(self, account: Account) -> Provider:
        return self.open(account)

    def open(self, account: Account) -> Provider:
        """The provider of an account. Raises UsageError or ManifestError if the account cannot be used from here."""
        is_emulator = account.origin == EMULATOR_ORIGIN
        place, transport = self._emulator_place() if is_emulator else (self._place(account), None)
        configs = self._configs(account)
        place = replace(
            place,
            api_version=next((config.api_version for config in configs), place.api_version),
            staging_bucket=next((config.staging_bucket for config in configs if config.staging_bucket), None),
            user_project=next((config.user_project for config in configs if config.user_project), None),
        )
        owner = Owner(self._stack.name, self._stack.uid, self._stack.limits)
        wire = Wire(self._clock, SystemRandom().random, transport, self._activity)
        return open_account(account, place, owner, self._env, self._shared, wire)

    def open_objects(self, url: str) -> ResultObjects:
        """The place of a shared state or of results. Raises BatchctlError without usable credentials.

        An emulator gets no credentials: the one of STORAGE_EMULATOR_HOST, as with Google's own clients, or that of a
        stack whose providers are all on the emulator.
        """
        from batchctl.providers.cloud.state_objects import open_bucket_objects
        from batchctl.providers.google_credentials import StaticToken

        place, transport = self._storage_place()
        if transport is None:
            check_environment((place.storage_url,))
        credentials = StaticToken(PLACEHOLDER) if place.is_emulator else self._shared.google()
        wire = Wire(self._clock, SystemRandom().random, transport, self._activity)
        return open_bucket_objects(url, place, wire, self._stack.limits, credentials)

    def _storage_place(self) -> tuple[Place, Transport | None]:
        served = self._service_url("STORAGE_EMULATOR_HOST")
        if served is not None:
            return Place(served, served, served, is_emulator=True), None
        accounts = [resolve_account(one, self._env) for one in self._stack.providers.values()]
        if accounts and all(account.origin == EMULATOR_ORIGIN for account in accounts):
            return self._emulator_place()
        return Place(_STORAGE_URL, _STORAGE_URL, _BIGQUERY_URL), None

    def follow(self, stack: Stack) -> Connections:
        """Use the providers of a stack file that has changed."""
        self._stack = stack
        # New providers also read the credentials again.
        self._shared = Shared()
        return self

    def _configs(self, account: Account) -> list[ProviderConfig]:
        return [one for one in self._stack.providers.values() if resolve_account(one, self._env) == account]

    def _place(self, account: Account) -> Place:
        url = self._base_url(account)
        origin = Origin.of(url)
        if not self._trust.allows_endpoint(origin) and url != environment_url(account.api, self._env):
            message = f"{url} is neither Google's nor on this machine, so it gets no credentials"
            raise BatchctlError(
                message, code=ErrorCode.UNTRUSTED_ENDPOINT, hint="allow it with BATCHCTL_ALLOW_ENDPOINT"
            )
        # A local API server serves the storage too, unless the environment names another one.
        here = str(origin) if origin.is_loopback else None
        return Place(
            url,
            self._service_url("STORAGE_EMULATOR_HOST") or here or _STORAGE_URL,
            self._service_url("BIGQUERY_EMULATOR_HOST") or here or _BIGQUERY_URL,
        )

    def _emulator_place(self) -> tuple[Place, Transport | None]:
        from batchctl.cli.emulator_seed import EMULATOR_SEED, seed_emulator

        served = self._service_url("BATCHCTL_EMULATOR")
        with self._one_emulator:
            url, transport = (served, None) if served else (_EMBEDDED_URL, self._open_embedded())
            if not self._seeded:
                seed_emulator(self._stack.folder / EMULATOR_SEED, url, transport)
                self._seeded = True
        return Place(url, url, url, is_emulator=True), transport

    def _open_embedded(self) -> Transport:
        if self._embedded is None:
            # Imported here because it is large, and only this case needs it.
            from batchctl.emulator.embedded import open_embedded

            try:
                self._embedded = open_embedded(_emulator_store(self._stack.folder))
            except (OSError, ValueError) as error:
                hint = (
                    "free disk space, make the stack's folder writable, or set BATCHCTL_EMULATOR to a served emulator"
                )
                raise BatchctlError(f"the emulator: {error}", code=ErrorCode.EMULATOR_FAILED, hint=hint) from error
        return self._embedded

    def _base_url(self, account: Account) -> str:
        """The base URL with its path, if the stack or the environment still names it."""
        for config in self._configs(account):
            if config.endpoint is not None:
                return config.endpoint
        url = environment_url(account.api, self._env)
        return url if url is not None and str(Origin.of(url)) == account.origin else account.origin

    def _service_url(self, variable: str) -> str | None:
        """A base URL or host from the environment. It may get credentials, because the operator set it."""
        value = self._env.get(variable)
        if not value:
            return None
        url = value if "://" in value else f"http://{value}"
        try:
            Origin.of(url)
        except ValueError as error:
            hint = "such as http://127.0.0.1:8085"
            raise BatchctlError(f"{variable}: {value!r} {error}", code=ErrorCode.INVALID_URL, hint=hint) from error
        return url


def open_connections(workspace: Workspace) -> Connections:
    """The connections to the stack's accounts."""
    return Connections(workspace.stack, os.environ, Trust.from_env(os.environ), workspace.clock, workspace.board)


def _emulator_store(folder: Path) -> Path:
    return folder / ".batchctl" / "emulator.db"
