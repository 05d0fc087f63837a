"""All modules of the passes of a run, loaded before it waits.

Commands load what they need when they need it. A run that waits may last for weeks, and meanwhile the package may be
upgraded in place, or file handles may become few: neither must end it, or make it run modules of two versions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

_PARTS = ("model", "manifests", "reconcile", "state", "rows", "providers", "report", "engine")
_OF_EXTRAS = frozenset({"batchctl.state.postgres"})
"""Packages that import what may not be installed. A run that uses one has loaded it before its first pass."""


@cache
def load_parts() -> None:
    """Import the modules of all passes, once in a process."""
    for part in _PARTS:
        for name in _modules(f"batchctl.{part}"):
            import_module(name)


def _modules(package: str) -> Iterator[str]:
    """The names of a package and of all that is in it."""
    if package in _OF_EXTRAS and package not in sys.modules:
        return
    yield package
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        if module.ispkg:
            yield from _modules(module.name)
        else:
            yield module.name
