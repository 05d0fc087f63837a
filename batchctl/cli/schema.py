"""`batchctl schema`: the JSON Schemas, for editors and programs."""

from __future__ import annotations

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.manifests.schema import schema_names, schema_text


@click.command()
@click.argument("name", required=False, shell_complete=complete.schemas)
@common_options
def schema(*, common: Common, name: str | None) -> None:
    """Print the JSON Schema NAME, or the names of all schemas."""
    if name is None:
        click.echo("\n".join(schema_names()))
    else:
        click.echo(schema_text(name), nl=False)
