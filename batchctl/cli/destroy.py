"""`batchctl destroy`: remove all jobs of the scope and keep collected results."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, consent_options, lock_option, output_option
from batchctl.cli.consent import Consent
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.record_option import record_option
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.workspace import time_limit
from batchctl.engine.loop.drive import Until
from batchctl.engine.tools import BlackBox
from batchctl.reconcile import Options


@click.command()
@select_jobs()
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--wait", is_flag=True, help="Wait until everything is removed.")
@click.option("--timeout", metavar="TIME", help="Stop waiting after this time (exit 7).")
@click.option("--allow-protected", is_flag=True, help="End protected jobs too.")
@click.option("--discard-results", is_flag=True, help="Delete remote jobs whose results are not collected.")
@click.option("--max-delete", type=click.IntRange(0), metavar="N", help="Remove up to N jobs.")
@lock_option
@record_option
@common_options
def destroy(
    *,
    common: Common,
    selection: JobSelection,
    output: str,
    yes: bool,
    no_input: bool,
    wait: bool,
    timeout: str | None,
    allow_protected: bool,
    discard_results: bool,
    max_delete: int | None,
    lock_timeout: str,
    black_box: BlackBox,
) -> int:
    """Cancel and delete all jobs, or the named ones.

    Manifests and collected results stay. On a terminal you confirm by typing the stack's name. Elsewhere --yes is
    required, and --max-delete for more jobs than the stack's `limits.maxDelete`.
    """
    workspace = open_selected(common, selection, lock_timeout)
    consent = Consent(yes, no_input)
    options = Options(
        workspace.scope,
        destroy=True,
        any_number=consent.can_ask,
        allow_protected=allow_protected,
        discard_results=discard_results,
        max_delete=max_delete,
    )
    until = Until(ended=wait, timeout=time_limit(timeout))
    question, name = "Do you want to remove these jobs?", workspace.stack.name
    return carry_out(
        workspace, Request(options, until, consent, output, "destroy", question, typed=name, black_box=black_box)
    )
