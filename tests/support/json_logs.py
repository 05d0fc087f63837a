"""Logs of a command in JSON, as `--log-format json` writes them."""

from __future__ import annotations

import json
from typing import Any, TextIO

from batchctl.report.log import JsonLog, LogHead
from tests.support.closed_schemas import check_closed
from tests.support.report_samples import NOW


def json_log(stream: TextIO) -> JsonLog:
    """A log whose clock stands still."""
    return JsonLog(stream, lambda: NOW, LogHead("0123456789abcdef", "apply"))


def check_log(text: str) -> list[dict[str, Any]]:
    """The lines of a log, each held against the published schema."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        check_closed("log", line)
    return lines
