"""Everything that a command line may import, imported at once: for processes that fork a child for each command line.

Commands import what they need when they need it, and keep what they have compiled and looked up, so without this each
child would do the same again.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import shutil
import tempfile
import threading
from pathlib import Path

import batchctl
from batchctl.cli.loaded_parts import load_parts
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
_KEPT = frozenset({"HOME", "LANG", "PATH", "TMPDIR", "XDG_CACHE_HOME"})
"""The variables of the environment that the first command may see: no other emulator, no account, no CI."""
EXAMPLES = Path(__file__).resolve().parents[2] / "specs" / "examples"


def import_whole_program() -> None:
    """Import every module but those of servers, and run two commands as most others are run, with a record: the second
    one reads what the first one wrote. The environment of this process is reduced; children have one of their own."""
    for module in pkgutil.walk_packages(batchctl.__path__, "batchctl."):
        if not module.name.startswith(_SERVERS):
            importlib.import_module(module.name)
    for name in OTHERS:
        importlib.import_module(name)
    load_parts()
    for name in os.environ.keys() - _KEPT:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
        stack = Path(folder) / "stack"
        shutil.copytree(EXAMPLES, stack, ignore=shutil.ignore_patterns(".batchctl", "results"))
        with contextlib.redirect_stdout(said):
            codes = [run(["-C", str(stack), "apply", "--yes", "--record", f"{folder}/record"]) for _ in range(2)]
    assert codes == [0, 0], said.getvalue()
    assert threading.active_count() == 1, "a child has no other thread than the one that forks"
