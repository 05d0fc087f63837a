"""`batchctl explain NAME...`: a job's phase, or a field of the manifests."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.why_not_option import why_not_option
from batchctl.manifests.schema_fields import find_field, is_field_path
from batchctl.model.actions import Action
from batchctl.model.errors import UsageError
from batchctl.model.suggest import is_file_name


@click.command()
@select_jobs(required=True)
@why_not_option
@click.option("--recursive", is_flag=True, help="Of a field, list all fields inside as a tree.")
@output_option("json", "yaml")
@common_options
def explain(*, common: Common, selection: JobSelection, why_not: Action | None, recursive: bool, output: str) -> int:
    """Explain why a job is in its phase, and what happens next.

    Takes no lock and writes nothing. --why-not ACTION names the rule that keeps the job from an action, and the
    changes that would lead to it: batchctl decides again with each of them.

    A NAME with a dot, as `spec.lifecycle.backoffLimit` or `stack.spec.limits`, is a field: its type, its default and
    its fields are shown, as with `kubectl explain`. So are `spec`, `metadata`, `batchjob`, `embeddingsbatchjob` and
    `stack`; a job with such a name is found by -f.
    """
    paths = [name for name in selection.names if is_field_path(name) and not is_file_name(name)]
    if not paths:
        if recursive:
            raise UsageError("--recursive is for a field, such as spec.lifecycle", hint="leave it out")
        from batchctl.cli.explain_jobs import explain_jobs

        return explain_jobs(common, selection, output, why_not)
    if why_not is not None:
        raise UsageError(f"--why-not is for a job, and {paths[0]} is a field", hint="name a job")
    if not selection.names_one:
        raise UsageError(f"{paths[0]} is a field, which is explained alone", hint="leave the other arguments out")
    from batchctl.report.field_text import field_document, write_field

    field = find_field(paths[0])
    shown = Shown(
        lambda console: write_field(field, console, recursive=recursive or common.verbose),
        lambda: field_document(field),
    )
    emit_each(common, output, [shown], alone=True)
    return 0
