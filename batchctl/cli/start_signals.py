"""SIGINT, SIGTERM and SIGHUP during start and exit: exit 130, as in `signals`, which handles them during the work.

Imports nothing from batchctl, because it is active before the rest is imported.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
STDERR: Final = 2


def leave_on_signals() -> None:
    """Exit at once: there is nothing to finish."""
    _hear(_leave)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt, so that what is open is closed on the way out."""
    _hear(signal.default_int_handler)


def _hear(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A signal that the parent process ignores, as with nohup, stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Without sys.stderr: the signal may interrupt a write to it.
    os.write(STDERR, b"\ninterrupted; the state is sound: run the same command again\n")
    os._exit(INTERRUPTED)
