"""Opens the provider of an account: where it is, which credentials it gets, and whether it may get them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

import httpx

from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.trust import Origin, Trust
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Stack
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import EMULATOR_ORIGIN, Account, Api
from batchctl.model.ports import Clock, Provider
from batchctl.providers.credentials import gemini_key
from batchctl.providers.gemini.provider import open_gemini

_EMULATOR_KEY = "emulator"
"""What an emulator gets as a key: it must never see a real one."""
_EMBEDDED_URL = "http://emulator.localhost"


class Connections:
    """A ProviderFactory over the stack's providers and the environment."""

    def __init__(self, stack: Stack, env: Mapping[str, str], trust: Trust, clock: Clock) -> None:
        self._stack = stack
        self._env = env
        self._trust = trust
        self._clock = clock
        self._embedded: httpx.BaseTransport | None = None

    def __call__(self, account: Account) -> Provider:
        if account.api is not Api.GEMINI:
            raise BatchctlError(
                f"{account}: providers of type {account.api} are not supported yet", code=ErrorCode.NOT_SUPPORTED_YET
            )
        if account.origin == EMULATOR_ORIGIN:
            return self._open_emulator(account)
        url = self._base_url(account)
        if not self._trust.allows_endpoint(Origin.of(url)) and url not in self._environment_urls():
            message = f"{url} is neither Google's nor on this machine, so it gets no credentials"
            raise BatchctlError(
                message, code=ErrorCode.UNTRUSTED_ENDPOINT, hint="allow it with BATCHCTL_ALLOW_ENDPOINT"
            )
        return self._open(account, url, gemini_key(self._env))

    def _open_emulator(self, account: Account) -> Provider:
        served = self._env.get("BATCHCTL_EMULATOR")
        if served:
            return self._open(account, served, _EMULATOR_KEY)
        if self._embedded is None:
            # Its server side is needed by nobody else, and it is not small.
            from batchctl.emulator.embedded import open_embedded

            try:
                self._embedded = open_embedded(_emulator_store(self._stack.folder))
            except (OSError, ValueError) as error:
                hint = "give the stack's folder room and write access, or serve an emulator and set BATCHCTL_EMULATOR"
                raise BatchctlError(f"the emulator: {error}", code=ErrorCode.EMULATOR_FAILED, hint=hint) from error
        return self._open(account, _EMBEDDED_URL, _EMULATOR_KEY, self._embedded)

    def _open(self, account: Account, url: str, key: str, transport: httpx.BaseTransport | None = None) -> Provider:
        return open_gemini(
            account,
            api_key=key,
            base_url=url,
            create_timeout=self._stack.limits.create_timeout,
            display_name_limit=self._stack.limits.display_name,
            clock=self._clock,
            random=SystemRandom().random,
            transport=transport,
        )

    def _base_url(self, account: Account) -> str:
        """The whole base URL, path included, where the stack or the environment still names it."""
        for config in self._stack.providers.values():
            if resolve_account(config, self._env) == account and config.endpoint is not None:
                return config.endpoint
        for url in self._environment_urls():
            if str(Origin.of(url)) == account.origin:
                return url
        return account.origin

    def _environment_urls(self) -> tuple[str, ...]:
        """Base URLs that the operator gave, and so may get credentials."""
        url = self._env.get("GOOGLE_GEMINI_BASE_URL")
        return (url,) if url else ()


def _emulator_store(folder: Path) -> Path:
    return folder / ".batchctl" / "emulator.db"
