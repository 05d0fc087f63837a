"""The command line: arguments in, exit code out. One small file per command; wires the rooms together."""

from batchctl.cli.main import main

__all__ = ["main"]
