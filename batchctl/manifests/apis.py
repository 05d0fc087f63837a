"""How messages say which of the APIs can do a thing.

Owns these words alone: what an API can is in the matrix of `model.capabilities`.
"""

from __future__ import annotations

from collections.abc import Callable

from batchctl.model.capabilities import CAPABILITIES, Capabilities
from batchctl.model.keys import API_NAMES


def is_for(can: Callable[[Capabilities], bool]) -> str:
    """Such as `is for Vertex only`: which APIs can do what another one cannot."""
    able = [API_NAMES[api] for api, capabilities in CAPABILITIES.items() if can(capabilities)]
    return f"is for {' and '.join(able)} only"
