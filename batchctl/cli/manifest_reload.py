"""Reads the manifests again, under the lock of each pass."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from batchctl.cli import folder
from batchctl.cli.notes import warn
from batchctl.cli.workspace import Workspace, load_desired
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError


class ManifestReload:
    """Implements `Reload`. Each call resolves the user's paths again, so it follows a symbolic link that switches."""

    def __init__(self, workspace: Workspace) -> None:
        self._opened = workspace
        workspace.sources.known.remember()
        self._folder = folder.name()
        self.workspace = workspace
        """With the manifests of the last reading."""
        self._is_sound = False
        """Whether the last reading gave manifests."""

    def __call__(self) -> DesiredStack:
        """Raises ManifestError, and BatchctlError when the working folder is gone."""
        self._is_sound = False
        try:
            self._enter()
        except OSError as error:
            message = f"the manifests cannot be read again: {self._folder}: {error.strerror}"
            hint = "put the folder back and run the command again"
            raise BatchctlError(message, code=ErrorCode.SYSTEM, hint=hint) from error
        self._opened.rows.begin()
        self._opened.sources.seen.begin()
        desired = load_desired(self._opened.common, self._opened.file, self._opened.sources, self._opened.rows)
        self.workspace = replace(self._opened, desired=desired)
        self._is_sound = True
        return desired

    def are_same(self) -> bool:
        """Whether a reading now would find what the last one found, as far as the sizes and times of files tell.

        False if the last one failed, or has read results for a chain.
        """
        try:
            self._enter()
        except OSError:
            return False
        return self._is_sound and self._opened.sources.seen.are_same() and self._opened.rows.are_same()

    def _enter(self) -> None:
        # The folder of that name may be another one than when the process started.
        os.chdir(self._folder)


def warn_of_links(workspace: Workspace) -> None:
    """Warn if state or results would be left behind when the link to the stack switches to another checkout."""
    stack = workspace.stack
    shown = Path(os.path.normpath(Path(folder.name()) / workspace.file.parent))
    places = (stack.state, stack.results)
    inside = [str(path) for path in places if isinstance(path, Path) and path.is_relative_to(stack.folder)]
    if shown != stack.folder and inside:
        words = f"{shown} is reached through a symbolic link. If the link switches, these files stay behind: "
        warn(f"{words}{', '.join(inside)}. Set --state and spec.results to places outside of it.")
