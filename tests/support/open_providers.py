"""Opens providers by flat settings, so that a test names only what it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batchctl.model.keys import Account
from batchctl.model.ports.providers import Provider
from batchctl.model.stack import Limits
from batchctl.providers.wire import Owner, Place, Wire
from tests.support.values import field_names

LIMITS = set(field_names(Limits))


def open_flat(open_: Callable[..., Provider], account: Account, **settings: Any) -> Provider:
    """Sort settings into place, owner, limits and wire; what is left goes to the opener itself."""
    limits = Limits(**_take(settings, LIMITS))
    place = Place(
        settings.pop("base_url"),
        settings.pop("storage_url", ""),
        settings.pop("bigquery_url", ""),
        **_take(settings, {"api_version", "staging_bucket", "user_project"}),
    )
    owner = Owner(settings.pop("stack", "shop"), settings.pop("uid"), limits)
    wire = Wire(**_take(settings, {"clock", "random", "transport", "activity"}))
    return open_(account, place, owner, wire, **settings)


def _take(settings: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: settings.pop(name) for name in names & settings.keys()}
