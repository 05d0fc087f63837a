"""`batchctl cancel`: stop jobs and do not retry them."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, consent_options, lock_option, output_option
from batchctl.cli.consent import Consent
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.record_option import record_option
from batchctl.cli.run_plan import Request, carry_out
from batchctl.engine.loop.drive import Until
from batchctl.engine.loop.verdict import Measure
from batchctl.engine.tools import BlackBox
from batchctl.reconcile import Options


@click.command()
@select_jobs(required=True, all_help="Cancel every job that is active or may be retried.")
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--allow-protected", is_flag=True, help="Cancel protected jobs too.")
@lock_option
@record_option
@common_options
def cancel(
    *,
    common: Common,
    selection: JobSelection,
    output: str,
    yes: bool,
    no_input: bool,
    allow_protected: bool,
    lock_timeout: str,
    black_box: BlackBox,
) -> int:
    """Cancel the named jobs for good; they are not retried.

    Naming a job is consent; --all, -f and -l need --yes, or an answer on the terminal. The order is kept: a job in
    back-off is not retried, and a job that cannot be seen now, or whose create call has no known outcome, is cancelled
    by the `apply` or `watch` that finds it. `retry` or a change of the work lifts the order.
    """
    workspace = open_selected(common, selection, lock_timeout)
    options = Options(workspace.scope, cancel=True, allow_protected=allow_protected)
    consent = Consent(yes or selection.names_each, no_input)
    # The order is recorded: the command need not wait for create calls without a reply.
    until = Until(ended=False, once=True)
    question = "Do you want to cancel these jobs?"
    measure = Measure(settled=False)
    return carry_out(
        workspace, Request(options, until, consent, output, "cancel", question, measure=measure, black_box=black_box)
    )
