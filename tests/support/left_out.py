"""pandas is left out of the tests' process, although it is installed.

sqlite-utils and pyarrow import it where they are first used, and hide it if that fails: in the middle of a test that
patches the system, has no open files left or is interrupted. Half imported, it fails again in another test. A test that
needs it starts a process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

NAME = "pandas"


class LeftOut:
    """A finder that does not let other finders look for it. pyarrow does not know None in `sys.modules`."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == NAME:
            raise ModuleNotFoundError(f"No module named {name!r}: {__name__} leaves it out", name=name)
        return None


def leave_out() -> None:
    """Let nothing import it in this process."""
    sys.meta_path.insert(0, LeftOut())
