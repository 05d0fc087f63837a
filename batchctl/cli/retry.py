"""`batchctl retry NAME...`: a new attempt of jobs that ended without success."""

from __future__ import annotations

from collections.abc import Container, Sequence

import click
from msgspec.structs import replace

from batchctl.cli.budget_options import budget_options
from batchctl.cli.common import Common, common_options, consent_options, lock_option, output_option
from batchctl.cli.consent import Consent
from batchctl.cli.guard_options import increases_of
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs, selected_names
from batchctl.cli.record_option import record_option
from batchctl.cli.row_changes import check_change, split_settings
from batchctl.cli.row_orders import RowOrderType
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.drive import Until
from batchctl.engine.tools import BlackBox
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.row_work import RowOrder
from batchctl.model.states import ENDED_PHASES, FAILED_PHASES, Phase
from batchctl.reconcile import Options, Scope, phase_on_record


@click.command()
@select_jobs(required=True)
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--accept-canary", is_flag=True, help="Buy the other rows although the canary failed.")
@click.option(
    "--rows",
    type=RowOrderType(),
    metavar="ROWS",
    help="Send these rows: `failed`, `all`, `reason=CODE[,CODE]` or `key=KEY[,KEY]`.",
)
@click.option("--max-create", type=click.IntRange(0), metavar="N", help="Create up to N jobs.")
@budget_options
@lock_option
@record_option
@common_options
def retry(
    *,
    common: Common,
    selection: JobSelection,
    output: str,
    yes: bool,
    no_input: bool,
    accept_canary: bool,
    rows: RowOrder | None,
    max_create: int | None,
    budget_increase: tuple[str, ...],
    allow_unknown_cost: bool,
    lock_timeout: str,
    black_box: BlackBox,
) -> int:
    """Retry failed, rejected, lost or cancelled jobs now.

    Ignores the back-off and `backoffLimit`. The order is kept until it is carried out: a job that has to wait for
    capacity, for other jobs or for the end of a suspension is created by a later `apply` or `watch`.

    With -f or -l and no name, it retries the selected jobs that failed; with `--rows`, those that have ended.

    Without `--rows`, rows without a good answer are sent. `--rows` takes jobs that have succeeded, too; a new good
    answer then replaces the earlier one. With `--rows`, `--set request.PATH=VALUE` and `--set model=MODEL` send the
    rows differently this time: they go over each row's request, and their answers count for the rows of the manifest.
    """
    if accept_canary and rows is not None:
        raise click.UsageError("--rows and --accept-canary exclude each other: an accepted canary buys all other rows")
    change = None
    if rows is None and any(one.startswith("request.") for one in common.set_values):
        raise UsageError("--set request.… changes rows, and none are named", hint="add --rows failed, or other rows")
    if rows is not None:
        settings = split_settings(common.set_values)
        change, common = settings.change, common._replace(set_values=settings.variables)
        rows = replace(rows, sent_with=change)
    workspace = open_selected(common, selection, lock_timeout)
    names = _ordered(workspace, selection, FAILED_PHASES if rows is None else ENDED_PHASES)
    if change is not None:
        for job in workspace.desired.jobs:
            if job.name in names:
                check_change(job, change)
    scope = Scope(names=frozenset(names))
    money, tokens = increases_of(workspace, budget_increase)
    options = Options(
        scope,
        retry=True,
        accept_canary=accept_canary,
        retry_rows=rows,
        max_create=max_create,
        budget_increase=money,
        tokens_increase=tokens,
        allow_unknown_cost=allow_unknown_cost,
    )
    question = "Do you want to retry these jobs?"
    until, consent = Until(ended=False), Consent(yes, no_input)
    return carry_out(workspace, Request(options, until, consent, output, "retry", question, black_box=black_box))


def _ordered(workspace: Workspace, selection: JobSelection, phases: Container[Phase]) -> Sequence[str]:
    """The jobs to retry: all that were named; of those that were not, the ones that the record has in a phase.

    Raises BatchctlError if there is none.
    """
    recorded, end = workspace.recorded, "failed" if Phase.SUCCEEDED not in phases else "ended"
    names = selected_names(workspace, selection, recorded)
    if not selection.names:
        names = [name for name in names if name in recorded.jobs and phase_on_record(recorded.jobs[name]) in phases]
    if not names:
        hint = "`batchctl status` shows the phases of the jobs, and `batchctl apply` records new ones"
        raise BatchctlError(f"none of the selected jobs has {end}", code=ErrorCode.JOB_NOT_FOUND, hint=hint)
    return names
