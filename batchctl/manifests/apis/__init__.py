"""The rules of each API for stack files and manifests: `RULES`, one module per API behind one protocol.

A yes-or-no difference that other packages ask for too is in the matrix of `model.capabilities` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from batchctl.manifests.apis.gemini import GeminiRules
from batchctl.manifests.apis.vertex import VertexRules
from batchctl.model.capabilities import CAPABILITIES, Capabilities
from batchctl.model.keys import API_NAMES, Api

if TYPE_CHECKING:  # protocols are for type checkers
    from batchctl.manifests.apis.protocol import ApiRules

__all__ = ["RULES", "ApiRules", "is_for", "names_of"]

RULES: Mapping[Api, ApiRules] = {Api.GEMINI: GeminiRules(), Api.VERTEX: VertexRules()}


def is_for(can: Callable[[Capabilities], bool]) -> str:
    """The part of a message that names the APIs with a capability, such as `is for Vertex only`."""
    return f"is for {names_of(api for api, capabilities in CAPABILITIES.items() if can(capabilities))} only"


def names_of(apis: Iterable[Api]) -> str:
    """The names of APIs as a message lists them."""
    return " and ".join(API_NAMES[api] for api in apis)
