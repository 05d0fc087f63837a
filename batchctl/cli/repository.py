"""Paths of files inside the repository, which CI services expect in annotations and reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables with the folder of the checkout: of GitHub Actions, of GitLab CI."""


def place_in_repository(env: Mapping[str, str]) -> Callable[[str], str]:
    """A function that gives the path of a file relative to the checkout; a file outside of it stays as it is."""
    root = _root(env)

    def place(file: str) -> str:
        path = Path(file).absolute()
        real = path.parent.resolve() / path.name
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else file

    return place


def _root(env: Mapping[str, str]) -> Path:
    """The checkout that the CI service names, else the repository around the working folder, else that folder."""
    here = Path.cwd()
    named = (Path(env[name]).resolve() for name in _ROOTS if env.get(name))
    around = (folder for folder in (here, *here.parents) if (folder / ".git").exists())
    return next((root for root in (*named, *around) if here.is_relative_to(root)), here)
