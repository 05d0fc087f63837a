"""`batchctl completion`: the script that lets a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from batchctl.cli.common import Common, common_options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(*, common: Common, shell: str) -> None:
    """Print the completion script for SHELL.

    To switch it on: `source <(batchctl completion bash)`.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    # Not by the shell's own class: that of bash asks bash for its version, and so hands it our whole environment.
    click.echo(ShellComplete.source(found(root, {}, "batchctl", "_BATCHCTL_COMPLETE")))
