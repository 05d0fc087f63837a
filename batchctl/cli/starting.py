"""SIGINT, SIGTERM and SIGHUP before and after a command works: exit 130, as while it does (see `signals`).

Imports nothing of batchctl, for it is needed before the rest of it is read.
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
    """Leave at once: there is nothing to finish."""
    _hear(_leave)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt, so that what is open is closed on the way out."""
    _hear(signal.default_int_handler)


def _hear(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What the parent has us ignore, as nohup does, stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Not by sys.stderr: the signal may have come in the middle of a write there.
    os.write(STDERR, b"\ninterrupted; the state is sound: run the same command again\n")
    os._exit(INTERRUPTED)
