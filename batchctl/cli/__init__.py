"""The command line: arguments in, exit code out. One small file per command; it connects the packages."""

import sys

from batchctl import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and exit. Signals are handled first, because imports take a while.

    `--version` alone is answered without an import, because scripts call it often.
    """
    if sys.argv[1:] == ["--version"]:
        _print_version()
    from batchctl.cli.start_signals import interrupt_on_signals, leave_on_signals

    leave_on_signals()
    from batchctl.cli.main import run

    try:
        interrupt_on_signals()
        code = run(sys.argv[1:])
    finally:
        leave_on_signals()
    sys.exit(code)


def _print_version() -> None:
    """Print the version and exit. If it cannot be written, return: the ordinary way reports why."""
    try:
        sys.stdout.write(f"batchctl {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return
    sys.exit(0)
