"""Hashes of all that the jobs of a stack depend on besides their manifests: parts of the cache's key."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from batchctl.manifests.stack import StackReading
from batchctl.manifests.trust import Trust

_NOT_OF_JOBS = frozenset({"stack", "manifests", "moved", "root", "target", "all_results", "price_list"})
"""The parts of a reading that no manifest is read with. A target is in the parts that it lies over."""
_CODE = ("disk", "manifests", "model", "rows", "schemas", "../schemas")
"""The folders of what jobs are read with. In a checkout, the schemas are beside the package."""


def settings_of(reading: StackReading, trust: Trust) -> bytes:
    """The hash of what is given. All of a stack file is a part of it, but for what is known to concern no job."""
    parts = {name: getattr(reading, name) for name in reading.__struct_fields__ if name not in _NOT_OF_JOBS}
    return _hash([parts, trust])


def stored_settings(settings: bytes) -> bytes:
    """The hash of these settings and of the program, for what other processes read."""
    versions = [list(sys.version_info[:3]), yaml.__version__, msgspec.__version__]
    return _hash([_code(), versions, settings.hex()])


def _hash(value: list[object]) -> bytes:
    plain = msgspec.to_builtins(value, order="deterministic", enc_hook=_plain)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - msgspec's own signature
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no part of a key: {type(value).__name__}")


@cache
def _code() -> str:
    """A hash of the code that reads manifests: whatever it finds may change with it."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".json"}:
                digest.update(f"{path.relative_to(root / folder)}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
