"""The manifests, read again under the lock of each pass."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from batchctl.cli import folder
from batchctl.cli.workspace import Workspace, load_desired
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError


class Rereader:
    """A Reload. It goes by the names that the user gave, so a checkout that is switched by a link is followed."""

    def __init__(self, workspace: Workspace) -> None:
        self._opened = workspace
        self._folder = folder.name()
        self.workspace = workspace
        """With the manifests as they were read last."""

    def __call__(self) -> DesiredStack:
        """Raises ManifestError, and BatchctlError when the working folder is gone."""
        try:
            # The folder of that name, which need not be the one that the process was started in.
            os.chdir(self._folder)
        except OSError as error:
            message = f"the manifests cannot be read again: {self._folder}: {error.strerror}"
            hint = "put the folder back and run the command again"
            raise BatchctlError(message, code=ErrorCode.SYSTEM, hint=hint) from error
        self._opened.rows.begin()
        desired = load_desired(self._opened.common, self._opened.file, self._opened.sources, self._opened.rows)
        self.workspace = replace(self._opened, desired=desired)
        return desired


def warn_of_links(workspace: Workspace) -> None:
    """Tell where state or results would be left behind if the link that leads to the stack were switched."""
    stack = workspace.stack
    shown = Path(os.path.normpath(Path(folder.name()) / workspace.file.parent))
    inside = [str(path) for path in (stack.state, stack.results) if path.is_relative_to(stack.folder)]
    if shown != stack.folder and inside:
        words = (
            f"warning: {shown} is reached through a link. If it is switched to another checkout, this is left behind: "
        )
        click.echo(f"{words}{', '.join(inside)}. Name places outside of it with --state and spec.results.", err=True)
