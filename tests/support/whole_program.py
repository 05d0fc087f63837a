"""Everything that a command line may import, imported at once: for processes that fork a child for each command line.

Commands import what they need when they need it, so without this each child would import and compile the same again.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import pkgutil
from pathlib import Path

import batchctl
from batchctl.cli.main import run

OTHERS = (
    "google.auth.transport.requests",
    "h11",
    "httpcore",
    "httpx",
    "jsonschema",
    "rich.live",
    "rich.progress",
    "rich.table",
    "ssl",
    "yaml",
)
"""What modules of batchctl import inside functions."""
_SERVERS = ("batchctl.emulator", "batchctl.server", "batchctl.telemetry", "batchctl.__main__")
"""What few commands run, some of it only with an extra."""
EXAMPLES = Path(__file__).resolve().parents[2] / "specs" / "examples"


def import_whole_program() -> None:
    """Import every module but those of servers, and let a first command compile what all commands compile."""
    for module in pkgutil.walk_packages(batchctl.__path__, "batchctl."):
        if not module.name.startswith(_SERVERS):
            importlib.import_module(module.name)
    for name in OTHERS:
        importlib.import_module(name)
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["-C", str(EXAMPLES), "validate"]) == 0
