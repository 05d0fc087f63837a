"""The log of a command as lines of JSON, for `--log-format json`: the shape of a line is `batchctl/log/v1`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TextIO

from msgspec import Struct

from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic
from batchctl.model.times import rfc3339
from batchctl.report.documents import to_json_line
from batchctl.report.error_document import diagnostic_fields, error_fields
from batchctl.report.error_text import MOST_WARNINGS
from batchctl.report.layout import count


class Level(StrEnum):
    """How much a line matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogHead(Struct):
    """The members that all lines of one command have."""

    run: str
    """Identifies this run of the program."""
    command: str
    """The command without its arguments, such as `state mv`."""
    stack: str | None = None
    """The name of the stack, once it is known."""


class JsonLog:
    """Writes lines to a stream. Thread-safe."""

    def __init__(self, stream: TextIO, now: Callable[[], datetime], head: LogHead) -> None:
        self.head = head
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()

    def write(self, level: Level, event: str, message: str, **facts: Json) -> None:
        """Write one line; a fact that is None is left out."""
        line = self.line(level, event, message, **facts)
        with self._lock:
            self._stream.write(line)
            self._stream.flush()

    def line(self, level: Level, event: str, message: str, **facts: Json) -> str:
        """The line, with its end; for a caller that writes by itself."""
        head = {"run": self.head.run, "command": self.head.command, "stack": self.head.stack}
        found = {"time": rfc3339(self._now()), "level": level.value, **head, "event": event, "message": message}
        return to_json_line({name: value for name, value in (found | facts).items() if value is not None})

    def error(self, error: BatchctlError) -> None:
        """Why the command failed, or a part of it; `error` is as in the JSON output of a command that failed."""
        self.write(Level.ERROR, "error", error.message, error=error_fields(error))

    def diagnostics(self, warnings: Sequence[Diagnostic]) -> None:
        """Warnings about manifests and rows: a line for each of the first ones, and the number of the others."""
        for item in warnings[:MOST_WARNINGS]:
            self.write(Level.WARNING, "diagnostic", str(item), diagnostic=diagnostic_fields(item))
        if len(warnings) > MOST_WARNINGS:
            self.write(Level.WARNING, "warning", count(len(warnings) - MOST_WARNINGS, "more warning"))
