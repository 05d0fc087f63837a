"""The working folder by the name that the user knows it under, links and all, as a shell keeps it in `PWD`.

A checkout is switched by a link, and that may happen at any moment. So the name is noted before the folder behind it is
entered, and never compared with it later.
"""

from __future__ import annotations

import os
from pathlib import Path


def begin() -> None:
    """See that `PWD` names the folder that the process was started in: some starters leave their own."""
    named = Path(os.environ.get("PWD", ""))
    try:
        is_right = named.is_absolute() and named.samefile(Path())
    except OSError:
        is_right = False
    if not is_right:
        os.environ["PWD"] = _real()


def enter(folder: str) -> None:
    """Work in another folder. Raises OSError."""
    os.chdir(folder)
    # What lies above a folder that is reached through a link is not what its name says.
    named = _real() if ".." in Path(folder).parts else os.path.normpath(Path(name()) / folder)
    os.environ["PWD"] = named


def name() -> str:
    """How the working folder is called."""
    return os.environ["PWD"]


def _real() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        # It was removed, and has no name any more.
        return os.curdir
