"""The tree of commands."""

from __future__ import annotations

import click

from batchctl import __version__
from batchctl.cli.apply import apply
from batchctl.cli.cancel import cancel
from batchctl.cli.common import Common, common_options
from batchctl.cli.completion import completion
from batchctl.cli.describe import describe
from batchctl.cli.destroy import destroy
from batchctl.cli.diff import diff
from batchctl.cli.doctor import doctor
from batchctl.cli.drift import drift
from batchctl.cli.emulator import emulator
from batchctl.cli.explain import explain
from batchctl.cli.import_ import import_
from batchctl.cli.init import init
from batchctl.cli.plan import plan
from batchctl.cli.results import results
from batchctl.cli.retry import retry
from batchctl.cli.schema import schema
from batchctl.cli.state.group import state
from batchctl.cli.status import status
from batchctl.cli.validate import validate
from batchctl.cli.version import version
from batchctl.cli.watch import watch


class InOrder(click.Group):
    """Lists the commands in the order of typical use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="batchctl %(version)s")
@common_options
def batchctl(*, common: Common) -> None:
    """Declarative batch jobs for Gemini: manifests in Git, `batchctl apply`, `batchctl watch`."""


for command in (
    init,
    validate,
    plan,
    diff,
    apply,
    watch,
    status,
    describe,
    explain,
    results,
    drift,
    retry,
    cancel,
    import_,
    destroy,
    state,
    doctor,
    schema,
    emulator,
    completion,
    version,
):
    batchctl.add_command(command)
