"""The pause before a new try: longer each time, and slightly different for each job.

The jitter follows from what is recorded, never from chance, so a restart neither forgets a pause nor hurries it.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
_JITTER = 0.2
_HASH_RANGE = 2**32
_MOST_DOUBLINGS = 16


def delay(failures: int, seed: str) -> timedelta:
    """The pause after so many failures in a row, from 1: doubled each time, up to an hour, less up to a fifth."""
    full = min(FIRST_DELAY * (1 << min(failures - 1, _MOST_DOUBLINGS)), LONGEST_DELAY)
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / _HASH_RANGE
    return full * (1 - _JITTER * share)
