"""`batchctl state lock`: show or break the lock of the state."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, consent_options, output_option
from batchctl.cli.consent import Consent, require_consent
from batchctl.cli.output import emit
from batchctl.cli.state.opening import open_stack_state
from batchctl.report.layout import outside, write_line
from batchctl.report.state_document import lock_document


@click.group()
def lock() -> None:
    """Show or break the lock of the state."""


@lock.command("show")
@output_option("json", "yaml")
@common_options
def show(*, common: Common, output: str) -> None:
    """Show which process holds the lock."""
    opened = open_stack_state(common)
    holder = opened.state.holder()
    words = holder.words if holder else "no process holds the lock"
    emit(
        common,
        output,
        text=lambda console: write_line(console, outside(words)),
        document=lambda: lock_document(opened.stack.name, holder.as_json() if holder else None),
    )


@lock.command("break")
@consent_options
@common_options
def break_(*, common: Common, yes: bool, no_input: bool) -> None:
    """Take the lock from a process that hangs.

    That process can no longer write to the state. A create call that it has already sent is found by its mark.
    """
    opened = open_stack_state(common)
    holder = opened.state.holder()
    if holder is not None:
        words = f"{holder.words}; it may be working"
        require_consent(Consent(yes, no_input), f"{words}. Take the lock from it?", words)
    broken = opened.state.break_lock()
    click.echo("took the lock from " + broken.words if broken else "no process held the lock", err=True)
