"""SIGINT, SIGTERM and SIGHUP during start and exit: exit 130, as in `signals`, which handles them during the work.

Imports nothing from batchctl, because it is active before the rest is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
STDERR: Final = 2
_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def asks_for_json_log(arguments: Sequence[str]) -> bool:
    """Whether a command line that was not parsed has `--log-format json`."""
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return "--log-format=json" in arguments or ("--log-format", "json") in pairs


def leave_on_signals() -> None:
    """Exit at once: there is nothing to finish."""
    _hear(_leave)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt, so that what is open is closed on the way out."""
    _hear(signal.default_int_handler)


@contextmanager
def leaving_while_importing() -> Iterator[None]:
    """Exit at once where signals would raise: Python drops some exceptions that handlers raise during an import."""
    numbers = [number for number in _NUMBERS if signal.getsignal(number) is signal.default_int_handler]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    for number in numbers:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)


def _hear(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in _NUMBERS:
        # A signal that the parent process ignores, as with nohup, stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Without sys.stderr: the signal may interrupt a write to it.
    os.write(STDERR, _last_words().encode())
    os._exit(INTERRUPTED)


def _last_words() -> str:
    words = "interrupted; the state is consistent: run the same command again"
    if not asks_for_json_log(sys.argv):
        return f"\n{words}\n"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f'{{"time":"{now}","level":"error","event":"interrupted","message":"{words}"}}\n'
