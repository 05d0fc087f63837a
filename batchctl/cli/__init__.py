"""The command line: arguments in, exit code out. One small file per command; wires the rooms together."""

from __future__ import annotations

import sys
from typing import NoReturn

from batchctl.cli.start_signals import interrupt_on_signals, leave_on_signals

__all__ = ["main"]


def main() -> NoReturn:
    """Run the process's own command line. Signals are heard before anything else: reading the program takes a while."""
    leave_on_signals()
    from batchctl.cli.main import run

    try:
        interrupt_on_signals()
        code = run(sys.argv[1:])
    finally:
        leave_on_signals()
    sys.exit(code)
