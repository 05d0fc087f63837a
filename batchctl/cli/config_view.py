"""`batchctl config view`: the effective configuration of the stack."""

from __future__ import annotations

import os
from pathlib import Path

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.output import emit
from batchctl.manifests.effective import effective_config
from batchctl.manifests.manifest_files import find_stack_file
from batchctl.manifests.trust import Trust
from batchctl.report.config import config_document, write_config


@click.command()
@click.option("--show-origin", is_flag=True, help="Show where each value comes from.")
@output_option("json", "yaml")
@common_options
def view(*, common: Common, show_origin: bool, output: str) -> None:
    """Show the configuration of the stack as it counts.

    With the target over the stack file, variables replaced, and defaults. JSON always has the origins. Values of
    sensitive variables, and paths of webhooks, are left out. No manifest is read.
    """
    file = find_stack_file(common.config, os.environ, (), Path())
    config = effective_config(file, overrides=common.overrides, env=os.environ, trust=Trust.from_env(os.environ))
    emit(
        common,
        output,
        text=lambda console: write_config(config, console, show_origin=show_origin),
        document=lambda: config_document(config),
    )
