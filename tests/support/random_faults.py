"""Bad weather: faults for thirty calls of a hundred, drawn by a seed, and lists and numbers that cannot be relied on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

SHARE = 0.3
"""Of all calls fail, before their effect or after it, or are answered late."""
LATE = "61s"
"""Longer than a call waits."""


def weather(seed: int, methods: str) -> list[Mapping[str, Any]]:
    """The faults of one seed; `methods` is the prefix of the API's jobs' methods."""
    kinds: list[dict[str, Any]] = [
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 429, "retryInfo": "7s"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "when": "after"},
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "cut", "when": "before"},
        {"kind": "cut", "when": "after"},
        {"kind": "delay", "delay": LATE, "when": "before"},
        {"kind": "delay", "delay": LATE, "when": "after"},
        {"kind": "delay", "delay": "3s", "when": "before"},
    ]
    random.Random(seed).shuffle(kinds)
    # Each draws for itself, the first that fires counts.
    each = 1 - (1 - SHARE) ** (1 / len(kinds))
    drawn = [{**kind, "probability": each, "seed": seed * 100 + number} for number, kind in enumerate(kinds)]
    unreliable: list[dict[str, Any]] = [
        {"method": f"{methods}.list", "kind": "emptyPage", "probability": 0.3, "seed": seed},
        {"method": f"{methods}.list", "kind": "listLag", "delay": "30s", "probability": 0.5, "seed": seed},
        {"kind": "staleStats", "probability": 0.3, "seed": seed},
    ]
    return [*drawn, *unreliable]
