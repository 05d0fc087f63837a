"""`batchctl diff [NAME]...`: what the manifests change against the record."""

from __future__ import annotations

from functools import partial

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import emit
from batchctl.cli.preview import planned_jobs, preview_and_warn
from batchctl.cli.workspace import Workspace
from batchctl.engine.preview import Preview
from batchctl.reconcile import final_names
from batchctl.report.diff import JobDiff, diff_document, write_diff, write_diffs
from batchctl.report.documents import job_list


@click.command()
@select_jobs()
@output_option("json", "yaml", "name")
@click.option("--exit-code", is_flag=True, help="Exit 2 when a manifest differs from the record.")
@common_options
def diff(*, common: Common, selection: JobSelection, output: str, exit_code: bool) -> int:
    """Compare manifests with the recorded jobs.

    A named job is shown in any case, of all others those that differ. Prompts are shown as hashes.
    """
    workspace = open_selected(common, selection)
    seen = preview_and_warn(workspace)
    diffs = _diffs(workspace, seen, selection)
    alone = selection.names_one
    emit(
        common,
        output,
        text=partial(write_diff, diffs[0]) if alone else partial(write_diffs, diffs),
        document=lambda: diff_document(diffs[0]) if alone else job_list(map(diff_document, diffs)),
        names=[one.job.job for one in diffs if one.differs],
    )
    codes = [error.exit_code for error in seen.failures]
    if exit_code and any(one.differs for one in diffs):
        codes.append(Exit.CHANGES)
    return weightiest(codes)


def _diffs(workspace: Workspace, seen: Preview, selection: JobSelection) -> list[JobDiff]:
    manifests = {job.name for job in workspace.desired.jobs}
    renamed = final_names(workspace.stack.moved)
    records = {renamed.get(name, name) for name in seen.recorded.jobs}
    return [
        JobDiff(seen.plan.stack, job, has_manifest=job.job in manifests, has_record=job.job in records)
        for job in planned_jobs(workspace, seen, selection)
    ]
