"""Resolves the account of a provider.

Owns the order of the sources of an endpoint. Source: reference 1.1 and chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.apis import RULES
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.trust import Origin
from batchctl.model.errors import ManifestError
from batchctl.model.keys import EMULATOR_ORIGIN, Account, Api
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig


def resolve_account(config: ProviderConfig, env: Mapping[str, str]) -> Account:
    """The account of a provider: with its own endpoint, else the environment's, else Google's.

    Raises ManifestError if the environment's base URL is malformed.
    """
    if config.endpoint == EMULATOR_ORIGIN:
        return Account(config.api, EMULATOR_ORIGIN, config.project, config.location)
    rules = RULES[config.api]
    url = config.endpoint or environment_url(config.api, env) or rules.google_url(config)
    try:
        origin = Origin.of(url)
    except ValueError as error:
        name = rules.base_url_variable if config.endpoint is None else f"endpoint of {config.name}"
        raise ManifestError(
            [Diagnostic(Location.without_position(name), Code.INVALID_VALUE, f"{shown(url)} {error}")]
        ) from error
    return Account(config.api, str(origin), config.project, config.location)


def environment_url(api: Api, env: Mapping[str, str]) -> str | None:
    """The base URL of an API that the operator set in the environment; None if there is none."""
    return env.get(RULES[api].base_url_variable) or None
