"""The working folder by the name that the user knows it under, links and all, as a shell keeps it in `PWD`.

A checkout is switched by a link, and that may happen at any moment. So the name is noted before the folder behind it is
entered, and never compared with it later.
"""

from __future__ import annotations

import os
from pathlib import Path


def begin() -> None:
    """Correct `PWD` if it does not name the working folder: some programs do not update it."""
    named = Path(os.environ.get("PWD", ""))
    try:
        is_right = named.is_absolute() and named.samefile(Path())
    except OSError:
        is_right = False
    if not is_right:
        os.environ["PWD"] = _real()


def enter(folder: str) -> None:
    """Change the working folder. Raises OSError."""
    os.chdir(folder)
    # The parent of a linked folder is not the parent in its name.
    named = _real() if ".." in Path(folder).parts else os.path.normpath(Path(name()) / folder)
    os.environ["PWD"] = named


def name() -> str:
    """The name of the working folder."""
    return os.environ["PWD"]


def _real() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        # It was removed, so it has no name.
        return os.curdir
