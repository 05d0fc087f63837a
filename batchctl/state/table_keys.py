"""The keys of the tables, for writers and for messages about single records."""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("name",),
    "attempts": ("job", "attempt", "shard"),
    "intents": ("job", "attempt", "shard"),
    "files": ("account", "sha256"),
    "accounts": ("account",),
    "quotas": ("account", "model"),
    "outbox": ("id", "hook"),
    "ghosts": ("account", "remote"),
    "history": ("account", "remote"),
}
"""The columns that identify a record, by table."""
