"""The command line: arguments in, exit code out. One small file per command; it connects the packages."""

from __future__ import annotations

import sys
from typing import NoReturn

from batchctl.cli.start_signals import interrupt_on_signals, leave_on_signals

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line of this process. Signals are handled first, because imports take a while."""
    leave_on_signals()
    from batchctl.cli.main import run

    try:
        interrupt_on_signals()
        code = run(sys.argv[1:])
    finally:
        leave_on_signals()
    sys.exit(code)
