"""`batchctl doctor`: check everything that a run needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

import click

from batchctl.cli.call_progress import watch_calls
from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.connect import Connections, open_connections
from batchctl.cli.doctor_results import examine_collected, examine_results
from batchctl.cli.exits import Exit
from batchctl.cli.open_notifier import open_notifier
from batchctl.cli.output import emit
from batchctl.cli.plan_output import shown_place
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.manifests.accounts import resolve_account
from batchctl.model.allowance import Allowance
from batchctl.model.errors import BatchctlError, NotDelivered
from batchctl.model.keys import EMULATOR_ORIGIN, Account
from batchctl.model.observed import TOLERATED_OFFSET
from batchctl.model.ports.providers import Fact, FileUse, Provider
from batchctl.model.stack import ProviderConfig
from batchctl.report.doctor import DoctorReport, Finding, Health, doctor_document, write_doctor
from batchctl.report.layout import count

_NEARLY_FULL = 0.9


@click.command()
@output_option("json", "yaml")
@common_options
def doctor(*, common: Common, output: str) -> int:
    """Check the configuration, credentials, clock and each API.

    Checks manifests, state, results, credentials, clock, hooks, and the connection to each API. Changes no job.
    """
    workspace = open_workspace(common)
    with watch_calls(common, workspace.clock, workspace.board):
        findings = (
            *_examine_stack(workspace),
            *examine_results(workspace),
            *_examine_state(workspace),
            *_examine_providers(workspace),
            *_examine_hooks(workspace),
        )
    apis = {config.api for config in workspace.stack.providers.values()}
    report = DoctorReport(workspace.stack.name, findings, tuple(sorted(apis)))
    emit(
        common,
        output,
        text=lambda console: write_doctor(report, console),
        document=lambda: doctor_document(report),
    )
    failed = any(finding.health is Health.FAILED for finding in findings)
    return Exit.ERROR if failed else Exit.DONE


def _examine_stack(workspace: Workspace) -> Iterator[Finding]:
    yield Finding(
        "stack",
        "manifests",
        Health.OK,
        f"{shown_place(workspace.stack.file)}: {count(len(workspace.desired.jobs), 'job')}, all valid",
    )


def _examine_state(workspace: Workspace) -> Iterator[Finding]:
    path = shown_place(workspace.stack.state)
    try:
        recorded = workspace.state.load()
        holder = workspace.state.holder()
    except BatchctlError as error:
        yield Finding("state", "readable", Health.FAILED, f"{error.code}: {error.message}", error.hint)
        return
    words = f"{count(len(recorded.jobs), 'job')}, serial {recorded.serial}" if recorded.serial else "none yet"
    yield Finding("state", "readable", Health.OK, f"{path}: {words}")
    if holder is None:
        yield Finding("state", "lock", Health.OK, "free")
    else:
        words = f"held by {holder.who}, process {holder.pid} on {holder.host}: {holder.command}"
        yield Finding("state", "lock", Health.WARNING, words, "wait for it, or use --lock-timeout")
    yield from examine_collected(workspace, recorded)


def _examine_providers(workspace: Workspace) -> Iterator[Finding]:
    connections = open_connections(workspace)
    for config in workspace.stack.providers.values():
        account = resolve_account(config, os.environ)
        yield Finding(config.name, "account", Health.OK, _describe(account))
        try:
            yield from _call(config, account, connections, workspace)
        except BatchctlError as error:
            yield Finding(config.name, "reachable", Health.FAILED, f"{error.code}: {error.message}", error.hint)


def _describe(account: Account) -> str:
    if account.origin != EMULATOR_ORIGIN:
        return str(account)
    served = os.environ.get("BATCHCTL_EMULATOR")
    return f"{account} ({served})" if served else f"{account} (embedded)"


def _call(
    config: ProviderConfig, account: Account, connections: Connections, workspace: Workspace
) -> Iterator[Finding]:
    """The credentials and one minimal list call."""
    provider = connections(account)
    allowance = Allowance(workspace.stack.limits.read_timeout.total_seconds())
    try:
        with allowance.holding():
            facts = provider.facts()
        for fact in facts:
            yield Finding(config.name, fact.check, Health.OK, _detail(fact, account))
        with allowance.holding():
            found = len(list(islice(provider.list_jobs(), 1)))
            provider.confirm_clock()
            uploads = tuple(_examine_uploads(config.name, provider))
        offset = provider.now() - workspace.clock.now()
    finally:
        provider.close()
    yield Finding(config.name, "reachable", Health.OK, "jobs listed" + ("" if found else "; no jobs there"))
    yield from uploads
    seconds = round(offset.total_seconds())
    if abs(offset) > TOLERATED_OFFSET:
        hint = "set this machine's clock; batchctl itself uses the provider's clock"
        yield Finding(config.name, "clock", Health.WARNING, f"the provider's clock differs by {seconds} s", hint)
    else:
        yield Finding(config.name, "clock", Health.OK, f"differs by {seconds} s")


def _examine_uploads(subject: str, provider: Provider) -> Iterator[Finding]:
    """The space that uploaded files use. A failure here is no problem for a run."""
    try:
        use = provider.uploads()
    except BatchctlError as error:
        yield Finding(subject, "uploads", Health.WARNING, f"{error.code}: {error.message}", error.hint)
        return
    if use is not None:
        yield _uploads_finding(subject, use)


def _uploads_finding(subject: str, use: FileUse) -> Finding:
    words = f"{count(use.files, 'file')}, {use.size:,} bytes"
    if use.own_files != use.files:
        words += f"; {use.own_files} of them batchctl's, {use.own_size:,} bytes"
    if use.most is None:
        return Finding(subject, "uploads", Health.OK, words)
    words += f"; {use.most:,} bytes are allowed"
    if use.size < use.most * _NEARLY_FULL:
        return Finding(subject, "uploads", Health.OK, words)
    hint = "delete files that no job needs, or wait until they expire; batchctl's own go when their jobs have ended"
    return Finding(subject, "uploads", Health.WARNING, words, hint)


def _detail(fact: Fact, account: Account) -> str:
    """The detail of a fact. An emulator gets a placeholder key, whose fingerprint is not useful."""
    is_placeholder = fact.check == "credentials" and account.origin == EMULATOR_ORIGIN
    return "none needed" if is_placeholder else fact.detail


def _examine_hooks(workspace: Workspace) -> Iterator[Finding]:
    notifier = open_notifier(workspace)
    for hook in workspace.stack.notify:
        try:
            with workspace.board.running(f"checking the hook {hook.name}"):
                notifier.check(hook)
        except NotDelivered as error:
            yield Finding(hook.name, "usable", Health.FAILED, f"{error.code}: {error.message}", error.hint)
        else:
            yield Finding(hook.name, "usable", Health.OK, "nothing was sent")
