"""OpenTelemetry for a command, if the environment asks for it: else nothing is imported."""

from __future__ import annotations

import os
from functools import partial

import click

from batchctl.cli.common import Invocation
from batchctl.cli.notes import warn
from batchctl.report.activity import Board


def new_board() -> Board:
    """The board of a command, whose work is traced if that is asked for."""
    board = Board()
    if any(name.startswith("OTEL_") for name in os.environ):
        _trace(board)
    return board


def name_traced(stack: str) -> None:
    """Let later spans have the name of the stack."""
    invocation = Invocation.current
    if invocation is not None and invocation.export is not None:
        invocation.export.observer.stack = stack


def _trace(board: Board) -> None:
    from batchctl.telemetry.otel_settings import read_settings

    settings, invocation = read_settings(os.environ), Invocation.current
    if settings is None or invocation is None:
        return
    for problem in settings.problems:
        warn(problem)
    if not settings.signals:
        return
    try:
        from batchctl.telemetry.otel_export import Export
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        warn("OpenTelemetry is asked for by the environment, and is not installed: pip install 'batchctl[otel]'")
        return
    if invocation.export is None:
        invocation.export = Export(settings, invocation.run, os.environ, partial(_tell, board))
        click.get_current_context().call_on_close(invocation.export.close)
    board.observe_by(invocation.export.observer)


def _tell(board: Board, words: str) -> None:
    """Warn among the lines of progress, if there are any: a screen must not be written over."""
    if not board.tell(words):
        warn(words)
