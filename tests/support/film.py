"""Films of the live screen: a command of the real command line over the emulator, on an emulated terminal.

Time is that of docs/sample_world.py, so every run shows the same. A shot is taken whenever the command pauses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from random import SystemRandom
from typing import NamedTuple
from unittest.mock import patch

from batchctl.cli.main import run
from batchctl.engine.clock import SystemClock
from batchctl.report.console import make_console
from batchctl.report.screen.draw import draw
from batchctl.report.screen.live import Screen
from batchctl.report.screen.painter import Painter
from batchctl.report.screen.view import ScreenView
from tests.support.terminal_emulator import TerminalEmulator

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs"))
from sample_world import World, open_world

__all__ = ["Film", "Shot", "World", "film", "open_world", "paint"]


class Shot(NamedTuple):
    """The screen at the beginning of a pause."""

    view: ScreenView
    text: str
    """What is on the terminal."""


class Film(NamedTuple):
    """A command from its start to its end."""

    code: int
    shots: list[Shot]
    """None of a command without a screen."""
    terminal: TerminalEmulator
    """As the command leaves it."""


@contextmanager
def _still() -> Iterator[None]:
    """Each event is painted at once, nothing is painted in between, and pauses have the same length in every run."""
    with ExitStack() as stack:
        stack.enter_context(patch("batchctl.report.screen.live.LEAST_PAUSE", 0.0))
        stack.enter_context(patch("batchctl.report.activity.CHECK_EVERY", 3600.0))
        stack.enter_context(patch.object(SystemRandom, "random", lambda _random: 0.5))
        yield


def film(*arguments: str, columns: int = 100, lines: int = 30, meanwhile: Callable[[int], None] | None = None) -> Film:
    """Run a command line in the world that is open. `meanwhile`: what happens in each pause, by its number."""
    terminal = TerminalEmulator(columns, lines)
    shots: list[Shot] = []
    screens: list[Screen] = []
    enter, sleep = Screen.__enter__, SystemClock.sleep

    def entered(screen: Screen) -> Screen:
        screens.append(screen)
        return enter(screen)

    def slept(clock: SystemClock, seconds: float) -> None:
        if screens:
            shots.append(Shot(screens[-1]._view, terminal.text()))
            if meanwhile is not None:
                meanwhile(len(shots) - 1)
        sleep(clock, seconds)

    with _still(), ExitStack() as stack:
        stack.enter_context(patch.object(Screen, "__enter__", entered))
        stack.enter_context(patch.object(SystemClock, "sleep", slept))
        stack.enter_context(patch.dict(os.environ, terminal.env))
        stack.enter_context(redirect_stdout(terminal))
        stack.enter_context(redirect_stderr(terminal))
        code = run(arguments)
    return Film(code, shots, terminal)


def paint(view: ScreenView, columns: int, lines: int, *, color: str = "always") -> TerminalEmulator:
    """What a view is on a terminal of another size."""
    terminal = TerminalEmulator(columns, lines)
    painter = Painter(make_console(terminal, color, terminal.env))
    painter.paint(draw(view, columns, lines), (), columns)
    return terminal
