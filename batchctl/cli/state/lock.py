"""`batchctl state lock`: show or break the lock of the state."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, consent_options, output_option
from batchctl.cli.consent import Consent, require_consent
from batchctl.cli.notes import note
from batchctl.cli.output import emit
from batchctl.cli.state.opening import open_stack_state
from batchctl.model.errors import GuardError, UsageError
from batchctl.report.layout import outside, write_line
from batchctl.report.state_document import lock_document
from batchctl.state.lockfile import Holder


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
@click.argument("epoch", type=int, required=False)
@consent_options
@common_options
def break_(*, common: Common, epoch: int | None, yes: bool, no_input: bool) -> None:
    """Take the lock from a process that hangs.

    That process can no longer write to the state. A create call that it has already sent is found by its mark. With
    EPOCH, which `state lock show` prints for a shared state, the lock of another epoch is not touched.
    """
    opened = open_stack_state(common)
    holder = opened.state.holder()
    if epoch is not None:
        _require_epoch(holder, epoch)
    if holder is not None:
        words = f"{holder.words}; it may be working"
        require_consent(Consent(yes, no_input), f"{words}. Take the lock from it?", words)
    broken = opened.state.break_lock(holder)
    note("took the lock from " + broken.words if broken else "no process held the lock")


def _require_epoch(holder: Holder | None, epoch: int) -> None:
    """Raise BatchctlError unless the lock has this epoch."""
    if holder is None:
        return
    if holder.epoch is None:
        raise UsageError("the lock of a local state has no epoch", hint="use `batchctl state lock break`")
    if holder.epoch != epoch:
        message = f"epoch {epoch} has ended; the lock is now held by {holder.words}"
        raise GuardError(message, hint="`batchctl state lock show` names the present holder and its epoch")
