"""SIGINT, SIGTERM and SIGHUP: the first stops the work in an orderly way, the second at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from batchctl.cli.start_signals import INTERRUPTED, STDERR
from batchctl.engine.clock import SystemClock
from batchctl.report.progress import ProgressBase


@contextmanager
def orderly_stop(clock: SystemClock, progress: ProgressBase) -> Iterator[None]:
    """In this block, a signal lets calls in flight finish and be recorded, and prevents new ones."""

    def handle(number: int, frame: FrameType | None) -> None:
        # Without sys.stderr: the signal may interrupt a write to it.
        if clock.is_stopped():
            os.write(STDERR, progress.last_words())
            os._exit(INTERRUPTED)
        clock.stop()
        os.write(STDERR, progress.stopping())

    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # with nohup
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
