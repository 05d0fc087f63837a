"""`batchctl validate`: check the manifests, without any call."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from batchctl.cli.common import Common, common_options, output_option, scope_options
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.output import emit, stderr_console
from batchctl.cli.workspace import is_asked, open_workspace
from batchctl.manifests.fault_list import Faults
from batchctl.model.errors import ManifestError
from batchctl.report.documents import to_json, to_yaml
from batchctl.report.error_text import write_error, write_outside, write_warnings
from batchctl.report.job_document import invalid_document, valid_document
from batchctl.report.status_text import write_valid


@click.command()
@scope_options
@output_option("json", "yaml", "name")
@common_options
def validate(*, common: Common, filenames: tuple[str, ...], selector: str | None, output: str) -> int:
    """Check the stack file and all manifests without any call.

    Lists every error with its place. With -f, only errors of the stack file and of these manifests.
    """
    try:
        faults = Faults(is_asked(common, filenames), only_asked=True)
        workspace = open_workspace(common, filenames, selector, faults=faults)
    except ManifestError as error:
        if output in {"json", "yaml"}:
            document = invalid_document(error)
            sys.stdout.write(to_json(document) if output == "json" else to_yaml(document))
        write_error(error, stderr_console(common))
        write_outside(error.outside, stderr_console(common))
        return error.exit_code
    warn_of_empty_scope(workspace, filenames, selector)
    scope = workspace.scope
    jobs = tuple(job for job in workspace.desired.jobs if scope.contains(job.name, job.path, job.labels))
    shown = replace(workspace.desired, jobs=jobs)
    write_warnings(shown.warnings, stderr_console(common))
    emit(
        common,
        output,
        text=lambda console: write_valid(shown, console, verbose=common.verbose),
        document=lambda: valid_document(shown, faults.outside),
        names=[job.name for job in jobs],
    )
    write_outside(faults.outside, stderr_console(common))
    return 0
