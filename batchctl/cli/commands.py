"""The tree of commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl import __version__
from batchctl.cli.common import Common, common_options
from batchctl.cli.lazy_group import LazyGroup

_PLACES: Final = {
    "init": "batchctl.cli.init:init",
    "validate": "batchctl.cli.validate:validate",
    "plan": "batchctl.cli.plan:plan",
    "diff": "batchctl.cli.diff:diff",
    "apply": "batchctl.cli.apply:apply",
    "watch": "batchctl.cli.watch:watch",
    "status": "batchctl.cli.status:status",
    "describe": "batchctl.cli.describe:describe",
    "explain": "batchctl.cli.explain:explain",
    "results": "batchctl.cli.results:results",
    "drift": "batchctl.cli.drift:drift",
    "retry": "batchctl.cli.retry:retry",
    "cancel": "batchctl.cli.cancel:cancel",
    "import": "batchctl.cli.import_:import_",
    "destroy": "batchctl.cli.destroy:destroy",
    "state": "batchctl.cli.state.group:state",
    "doctor": "batchctl.cli.doctor:doctor",
    "schema": "batchctl.cli.schema:schema",
    "emulator": "batchctl.cli.emulator:emulator",
    "completion": "batchctl.cli.completion:completion",
    "version": "batchctl.cli.version:version",
}
"""In the order of typical use."""


@click.group(cls=LazyGroup, places=_PLACES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="batchctl %(version)s")
@common_options
def batchctl(*, common: Common) -> None:
    """Declarative batch jobs for Gemini: manifests in Git, `batchctl apply`, `batchctl watch`."""
