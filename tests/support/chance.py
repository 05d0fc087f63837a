"""What is left to chance in the tests' process follows from the name of the test: one that fails once fails always."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from random import Random, SystemRandom

import pytest

ORDER_OF_THE_GATE = 1
"""The seed of the order of tests and of their chances; `--randomly-seed` has another one."""
SYSTEM_JITTER = SystemRandom.random
"""The draw of jitter as the product has it, whatever `--jitter` says."""


def repeat(seed: str, patch: pytest.MonkeyPatch, jitter: float | None = None) -> None:
    """Draw tokens, names, identifiers and jitter of this process from a seed. `jitter` is that of every pause, if given.

    A child process draws from the system, as two children of one process must not draw the same.
    """
    draws, here, one_at_a_time = Random(seed), os.getpid(), threading.Lock()
    system: Callable[[int], bytes] = os.urandom

    def draw(size: int) -> bytes:
        if os.getpid() != here:
            return system(size)
        with one_at_a_time:
            return draws.randbytes(size)

    patch.setattr(os, "urandom", draw)
    # SystemRandom, and with it `secrets`, has the function by this name.
    patch.setattr(random, "_urandom", draw)
    if jitter is not None:
        patch.setattr(SystemRandom, "random", lambda _draws: jitter)
