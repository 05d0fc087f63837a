"""The painter of the live screen, where a terminal differs from what rich believes of it."""

from __future__ import annotations

from batchctl.report.console import make_console
from batchctl.report.screen.painter import Painter
from batchctl.report.text import Text
from tests.support.terminal_emulator import TerminalEmulator


def painter_on(terminal: TerminalEmulator) -> Painter:
    return Painter(make_console(terminal, "never", terminal.env))


def test_a_line_that_is_wider_than_the_terminal_is_cut_and_moves_nothing() -> None:
    """The width of some characters differs between terminals."""
    terminal = TerminalEmulator(20, 10)
    painter = painter_on(terminal)
    painter.paint([Text("a" * 30), Text("second")], (), 20)
    painter.paint([Text("b" * 30), Text("third")], (), 20)
    assert terminal.text() == f"{'b' * 20}\nthird\n"
    painter.erase()
    assert terminal.text() == "\n"


def test_lines_that_a_narrower_terminal_has_wrapped_are_erased() -> None:
    terminal = TerminalEmulator(40, 10)
    painter = painter_on(terminal)
    painter.paint([Text("a" * 30), Text("b" * 45)], (), 40)
    # A terminal that wraps what is there anew; pyte itself cuts it.
    terminal.screen.reset()
    terminal.screen.resize(10, 20)
    terminal.write(f"log\n{'a' * 30}\n{'b' * 45}\n")
    painter.paint([Text("new")], (), 20)
    assert terminal.text() == "log\nnew\n"


def test_fewer_lines_leave_nothing_of_the_former_ones() -> None:
    terminal = TerminalEmulator(20, 10)
    painter = painter_on(terminal)
    painter.paint([Text("one"), Text("two"), Text("three")], [Text("log")], 20)
    painter.paint([Text("one")], (), 20)
    assert terminal.text() == "log\none\n"
    painter.leave()
    terminal.write("shell$ ")
    assert terminal.text() == "log\none\nshell$\n"
    assert terminal.is_restored
