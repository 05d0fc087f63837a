"""`batchctl state pull`: a consistent copy of the state file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.new_files import real_name
from batchctl.cli.state.opening import open_stack_state
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError


@click.command()
@click.argument("file", metavar="[FILE]", default="-", shell_complete=complete.files)
@common_options
def pull(*, common: Common, file: str) -> None:
    """Write a consistent copy of the state to FILE or stdout.

    The copy is complete even while another process writes.
    """
    opened = open_stack_state(common)
    if file != "-":
        path = Path(file)
        if os.path.lexists(path):
            raise BatchctlError(f"{path} already exists", code=ErrorCode.CANNOT_WRITE, hint="name another file")
        opened.state.copy_to(real_name(path))
        return
    if sys.stdout.isatty():
        raise UsageError(
            "a state file cannot be written to a terminal", hint="name a file, or redirect the output: > state.db"
        )
    with tempfile.TemporaryDirectory(prefix="batchctl-") as folder:
        copy = Path(folder).resolve() / "state.db"
        opened.state.copy_to(copy)
        with copy.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer)
