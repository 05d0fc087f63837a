"""The command line: arguments in, exit code out. One small file per command; it connects the packages."""

import atexit
import gc
import sys

from batchctl import __version__

__all__ = ["main"]


_YOUNG_VALUES = 50_000
_YOUNG_COLLECTIONS = 25


def main() -> None:
    """Run the command line of this process, and exit. Signals are handled first, because imports take a while.

    `--version` alone is answered without an import, because scripts call it often.
    """
    if sys.argv[1:] == ["--version"]:
        _print_version()
    from batchctl.cli.start_signals import interrupt_on_signals, leave_on_signals

    # By its own thresholds, Python's collector examines all values again whenever their number has grown by a quarter.
    # Nearly all values of a command are kept to its end, so that takes a third of the time of a large plan.
    gc.set_threshold(_YOUNG_VALUES, _YOUNG_COLLECTIONS, _YOUNG_COLLECTIONS)
    # At its end, Python would search all of them for garbage, which takes a fifth of a short command.
    atexit.register(gc.freeze)
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
