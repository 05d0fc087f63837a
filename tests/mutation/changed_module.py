"""A pytest plugin: one module is loaded with other source than its file has, named by two environment variables.

For tests that run the module while they are collected, in the values of `parametrize`: code that is put in place later
comes too late for them.
"""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

FILE, SOURCE = "MUTATION_FILE", "MUTATION_SOURCE"
_get_code = SourceFileLoader.get_code


def _changed_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
    if loader.path == os.environ.get(FILE):
        return compile(Path(os.environ[SOURCE]).read_text(encoding="utf-8"), loader.path, "exec")
    return _get_code(loader, fullname)


SourceFileLoader.get_code = _changed_code  # type: ignore[method-assign]
