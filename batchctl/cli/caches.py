"""The caches in the user's own folder for them. A checkout never contains it, so no stranger can supply an entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from batchctl.manifests.trust import is_on

ROWS = "rows"
"""Summaries of large files of rows."""


def cache_folder(env: Mapping[str, str], name: str) -> Path | None:
    """The folder of one cache in the user's cache folder (XDG); None if the user has or wants none."""
    if is_on(env, "BATCHCTL_NO_CACHE"):
        return None
    given = env.get("XDG_CACHE_HOME", "")
    home = env.get("HOME", "")
    base = Path(given) if given.startswith("/") else Path(home) / ".cache" if home.startswith("/") else None
    try:
        return None if base is None else base.resolve() / "batchctl" / name
    except (OSError, RuntimeError):  # a loop of links
        return None
