"""`batchctl watch`: drive all jobs to their end."""

from __future__ import annotations

import click

from batchctl.cli.common import (
    Common,
    common_options,
    consent_options,
    guard_options,
    lock_option,
    output_option,
    scope_options,
)
from batchctl.cli.consent import Consent
from batchctl.cli.output import stderr_console
from batchctl.cli.running import Request, carry_out
from batchctl.cli.workspace import Workspace, load_desired, open_workspace, time_limit
from batchctl.engine.drive import Reload, Until
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.reconcile import Options
from batchctl.report.error_text import write_error


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--forever", is_flag=True, help="Never end; manifests are read again before each pass.")
@click.option("--once", is_flag=True, help="Make one pass.")
@click.option("--timeout", metavar="TIME", help="Give up after this long (exit 7).")
@guard_options
@lock_option
@common_options
def watch(
    *,
    common: Common,
    names: tuple[str, ...],
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    yes: bool,
    no_input: bool,
    forever: bool,
    once: bool,
    timeout: str | None,
    lock_timeout: str,
    **guards: int | bool | None,
) -> int:
    """Make passes until every job has ended: collect, retry, keep deadlines.

    Creates, replaces and removals need --yes; without it they are reported and left.
    """
    if forever and once:
        raise UsageError("--forever and --once exclude each other", hint="choose one")
    workspace = open_workspace(common, filenames, selector, names, lock_timeout)
    workspace.require(names, workspace.state.load())
    limit = time_limit(timeout)
    until = Until(ended=True, timeout=limit, once=once, forever=forever)
    # A watcher works while nobody looks: it never asks.
    consent = Consent(yes, no_input=True)
    request = Request(Options(workspace.scope, **guards), until, consent, output, is_judged=True)  # type: ignore[arg-type]
    return carry_out(workspace, request, _rereader(workspace, filenames) if forever else None)


def _rereader(workspace: Workspace, filenames: tuple[str, ...]) -> Reload:
    """Read the manifests anew each time; while they cannot be read the last good set stays in force."""
    good = [workspace.desired]

    def reload() -> DesiredStack:
        try:
            good.append(load_desired(workspace.common, workspace.file, filenames))
        except BatchctlError as error:
            write_error(error, stderr_console(workspace.common))
        del good[:-1]
        return good[-1]

    return reload
