"""Programs that check files of other tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def tool(name: str, *, is_held: bool = True) -> str:
    """A program of this environment or of the machine.

    Without it the test is skipped. In CI it fails, if `is_held`: constraints.txt or the workflow has it.
    """
    path = Path(sys.executable).parent / name
    found = str(path) if path.exists() else shutil.which(name)
    if found is None and is_held and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed, although constraints.txt or the workflow of CI has it")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def check_with(name: str, *arguments: str | Path, is_held: bool = True) -> None:
    """Run a program that finds mistakes in files. Fails with all that it says if it ends with another code than 0."""
    done = subprocess.run(
        [tool(name, is_held=is_held), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
