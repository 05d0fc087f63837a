from __future__ import annotations

import io

import pytest

from batchctl.report.console import make_console
from batchctl.report.text import Text
from tests.support.report_samples import Terminal

X = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("stream", "color", "env", "colored"),
    [
        (Terminal, "auto", X, True),
        (Terminal, "auto", X | {"NO_COLOR": "1"}, False),
        (Terminal, "auto", X | {"NO_COLOR": ""}, True),
        (Terminal, "auto", X | {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (Terminal, "auto", {"TERM": "dumb"}, False),
        (Terminal, "never", X | {"FORCE_COLOR": "1"}, False),
        (Terminal, "always", X | {"NO_COLOR": "1"}, True),
        (io.StringIO, "auto", X, False),
        (io.StringIO, "auto", X | {"FORCE_COLOR": "1"}, True),
        (io.StringIO, "auto", X | {"FORCE_COLOR": "0"}, False),
        (io.StringIO, "auto", X | {"FORCE_COLOR": ""}, False),
        (io.StringIO, "always", {}, True),
        (io.StringIO, "never", X, False),
    ],
)
def test_who_decides_on_colour(stream, color, env, colored):
    stream = stream()
    make_console(stream, color, env).print(Text("x", style="bold red"))
    assert ("\x1b[" in stream.getvalue()) is colored


def test_an_unknown_colour_choice_is_refused():
    with pytest.raises(ValueError, match="sometimes"):
        make_console(io.StringIO(), "sometimes", {})


def test_text_is_only_text_and_pipes_are_never_wrapped():
    stream = io.StringIO()
    text = "[bold]x[/bold] :smile: " + "y" * 500
    make_console(stream, "auto", {}).print(text)
    assert stream.getvalue() == text + "\n"


def test_a_terminal_keeps_its_width():
    assert make_console(Terminal(), "auto", {"TERM": "xterm", "COLUMNS": "72", "LINES": "20"}).width == 72
