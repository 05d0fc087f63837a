"""The hash of all that the jobs of a stack depend on besides their manifests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from batchctl.manifests.stack import StackReading
from batchctl.manifests.trust import Trust

_NOT_OF_JOBS = frozenset({"stack", "manifests", "moved", "root", "target", "all_results", "price_list"})
"""The parts of a reading that no manifest is read with. A target is in the parts that it lies over."""


def settings_of(reading: StackReading, trust: Trust) -> bytes:
    """The hash of what is given. All of a stack file is a part of it, but for what is known to concern no job."""
    parts = {name: getattr(reading, name) for name in reading.__struct_fields__ if name not in _NOT_OF_JOBS}
    plain = msgspec.to_builtins([parts, trust], order="deterministic", enc_hook=_plain)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - msgspec's own signature
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no part of a key: {type(value).__name__}")
